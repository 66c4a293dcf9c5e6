"""What happens at once to one user: by two processes on PostgreSQL, or between two steps of one request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from kaisoumail.errors import Problem
from kaisoumail.model.domain import Domain, DomainStatus
from kaisoumail.model.user import Role, User
from kaisoumail.operations import users as people
from kaisoumail.operations.domains import enable
from kaisoumail.operations.mailboxes import MailboxRequest, create
from kaisoumail.operations.messages import mark
from kaisoumail.operations.sign_in import list_sessions, start_session
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.schema import messages as table
from kaisoumail.storage.intake import IncomingMessage
from kaisoumail.storage.tables import domains, messages, users
from kaisoumail.workflows.context import Context
from tests.builders import DEMO, a_mailbox, a_message
from tests.contexts import a_context
from tests.people import ADA, BOB, NOON, ROOT


@asynccontextmanager
async def _two_processes(folder: Path, url: str) -> AsyncIterator[tuple[Context, Context]]:
    async with a_context(folder, database_url=url) as one:
        database = open_database(url)
        try:
            yield one, replace(one, database=database)
        finally:
            await database.close()


async def _code_of(work: Callable[[], Awaitable[object]]) -> str:
    with pytest.raises(Problem) as caught:
        await work()
    return caught.value.code


def test_a_user_who_is_renamed_while_they_are_disabled_stays_disabled(tmp_path: Path, postgres_url: str) -> None:
    async def story() -> list[User | None]:
        async with _two_processes(tmp_path, postgres_url) as (one, other):
            seen = []
            for number in range(10):
                await people.enable_user(one, ROOT, ADA.id)
                await asyncio.gather(
                    people.disable_user(one, ROOT, ADA.id),
                    people.change_user(other, ROOT, ADA.id, name=f"Ada {number}"),
                )
                seen.append(await one.database.read(lambda c: users.find(c, ADA.id)))
            return seen

    for number, user in enumerate(asyncio.run(story())):
        assert user is not None
        assert (user.name, user.disabled_at is None) == (f"Ada {number}", False)


@pytest.mark.parametrize("emails", [("c{}@x.example", "c{}@x.example"), ("c{}@x.example", "C{}@x.example")])
def test_of_two_who_are_added_at_once_with_one_address_one_is(
    tmp_path: Path, postgres_url: str, emails: tuple[str, str]
) -> None:
    async def story() -> list[set[str]]:
        async with _two_processes(tmp_path, postgres_url) as both:
            return [
                {
                    outcome.code if isinstance(outcome, Problem) else type(outcome).__name__
                    for outcome in await asyncio.gather(
                        *(
                            people.add_user(context, email.format(number), "C", Role.MEMBER, ROOT)
                            for context, email in zip(both, emails, strict=True)
                        ),
                        return_exceptions=True,
                    )
                }
                for number in range(10)
            ]

    assert asyncio.run(story()) == [{"NewUser", "user_exists"}] * 10


def test_two_admins_who_remove_each_other_leave_one(tmp_path: Path, postgres_url: str) -> None:
    async def story() -> list[list[str]]:
        async with _two_processes(tmp_path, postgres_url) as (one, other):
            outcomes = []
            for number in range(5):
                second = (await people.add_user(one, f"admin{number}@x.example", "A", Role.ADMIN)).user
                done = await asyncio.gather(
                    people.change_user(one, ROOT, ROOT.id, role=Role.MEMBER),
                    people.change_user(other, ROOT, second.id, role=Role.MEMBER),
                    return_exceptions=True,
                )
                outcomes.append(sorted(each.code if isinstance(each, Problem) else "done" for each in done))
                await one.database.write(lambda c: users.save(c, ROOT.user))
                await people.change_user(one, ROOT, second.id, role=Role.MEMBER)
            return outcomes

    assert asyncio.run(story()) == [["done", "last_admin"]] * 5


def test_mail_on_its_way_to_a_removed_user_is_the_heirs(tmp_path: Path, database_url: str) -> None:
    async def story() -> str | None:
        mailbox = a_mailbox()
        async with a_context(tmp_path, mailbox, database_url=database_url) as context:
            mail = a_message(mailbox, b"Subject: x\r\n\r\nhello")
            await people.remove_user(context, ROOT, ADA.id, BOB.id)
            kept = await context.stores.intake.store(IncomingMessage(mail, b""))
            found = await context.database.read(lambda c: messages.find(c, kept))
            return None if found is None else found.user_id

    assert asyncio.run(story()) == BOB.id


def test_nobody_inherits_mail_who_cannot_read_it(tmp_path: Path, database_url: str) -> None:
    async def story() -> str:
        async with a_context(tmp_path, a_mailbox(), database_url=database_url) as context:
            await people.disable_user(context, ROOT, BOB.id)
            return await _code_of(lambda: people.remove_user(context, ROOT, ADA.id, BOB.id))

    assert asyncio.run(story()) == "user_not_found"


def test_who_is_removed_meanwhile_gets_neither_a_mailbox_nor_a_session(tmp_path: Path, database_url: str) -> None:
    async def story() -> list[str]:
        async with a_context(tmp_path, database_url=database_url) as context:
            await people.remove_user(context, ROOT, ADA.id, None)
            return [
                await _code_of(lambda: create(context, ADA, MailboxRequest())),
                await _code_of(lambda: start_session(context, ADA)),
            ]

    assert asyncio.run(story()) == ["authentication_required"] * 2


def test_no_session_of_who_was_disabled_meanwhile_wakes_when_they_are_enabled(
    tmp_path: Path, database_url: str
) -> None:
    async def story() -> tuple[str, int]:
        async with a_context(tmp_path, database_url=database_url) as context:
            await people.disable_user(context, ROOT, ADA.id)
            refused = await _code_of(lambda: start_session(context, ADA))
            await people.enable_user(context, ROOT, ADA.id)
            return refused, len(await list_sessions(context, ADA))

    assert asyncio.run(story()) == ("authentication_required", 0)


def test_an_error_of_the_database_says_nothing_of_what_was_to_be_kept(tmp_path: Path, database_url: str) -> None:
    async def story() -> str:
        async with a_context(tmp_path, database_url=database_url) as context:
            mail = a_message(a_mailbox(), b"", subject="a secret subject")
            with pytest.raises(IntegrityError) as caught:
                await context.database.write(lambda c: c.execute(insert(table).values(messages.columns_of(mail))))
            return str(caught.value)

    assert "secret" not in asyncio.run(story())


def test_who_marks_a_message_at_the_same_moment_as_another_sees_it_marked(tmp_path: Path) -> None:
    mailbox = a_mailbox()
    message = a_message(mailbox, b"Subject: x\r\n\r\n")

    async def story() -> set[bool]:
        async with a_context(tmp_path, mailbox) as context:
            await context.stores.intake.store(IncomingMessage(message, b""))
            marks = [mark(context, ROOT, message.id, is_read=True) for _ in range(8)]
            return {marked.read_at is not None for marked in await asyncio.gather(*marks)}

    assert asyncio.run(story()) == {True}


def test_a_domain_that_is_enabled_again_forgets_the_deletion_before(tmp_path: Path) -> None:
    async def story() -> list[Domain | None]:
        async with a_context(tmp_path) as context:
            hidden = replace(DEMO, deleted_at=NOON, status_before_deletion=DomainStatus.DISABLED)
            await context.database.write(lambda c: domains.save(c, hidden))
            await enable(context, ROOT, DEMO.root_domain, "a-zone")
            return [await context.database.read(lambda c: domains.find(c, DEMO.id))]

    [domain] = asyncio.run(story())

    assert domain is not None
    assert (domain.is_active, domain.status_before_deletion) == (True, None)


def test_of_two_requests_that_enable_a_new_name_at_once_one_is_told_that_it_exists(
    tmp_path: Path, database_url: str
) -> None:
    async def run() -> None:
        async with _two_processes(tmp_path, database_url) as (one, other):
            outcomes = await asyncio.gather(
                enable(one, ROOT, "new.example", "1" * 32),
                enable(one, ROOT, "new.example", "1" * 32),
                enable(other, ROOT, "new.example", "2" * 32),
                return_exceptions=True,
            )

        refused = [outcome.code for outcome in outcomes if isinstance(outcome, Problem)]
        assert refused == ["domain_exists", "domain_exists"], outcomes

    asyncio.run(run())


def test_of_another_zone_that_is_enabled_nothing_is_known(tmp_path: Path) -> None:
    async def run() -> Domain:
        async with a_context(tmp_path) as context:
            stored = replace(
                DEMO,
                status=DomainStatus.DISABLED,
                zone_id="1" * 32,
                zone_status="active",
                name_servers=("a.ns.example",),
            )
            await context.database.write(lambda connection: domains.save(connection, stored))
            return (await enable(context, ROOT, DEMO.root_domain, "2" * 32)).domain

    enabled = asyncio.run(run())

    assert (enabled.is_active, enabled.zone_id) == (True, "2" * 32)
    assert (enabled.zone_status, enabled.name_servers) == (None, ())
