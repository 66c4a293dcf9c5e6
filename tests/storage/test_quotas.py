"""What mailboxes count, and what becomes of mail for which there is no room, on both databases."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import Mailbox, MailboxStatus
from kaisoumail.model.message import Message
from kaisoumail.model.quota import Quotas
from kaisoumail.storage.engine.schema import mailboxes as mailboxes_table
from kaisoumail.storage.engine.schema import messages as messages_table
from kaisoumail.storage.intake import IncomingMessage, Intake
from kaisoumail.storage.tables import mailboxes, messages
from kaisoumail.storage.tables.usage import Usage
from tests.builders import a_mailbox, a_message
from tests.people import ADA, BOB, HOUR, NOON
from tests.storage.conftest import Storage


def _a_mailbox(storage: Storage, name: str = "ada", **changes: object) -> Mailbox:
    mailbox = a_mailbox(f"{name}@mail.demo.example", **changes)
    storage.write(lambda c: mailboxes.add(c, mailbox))
    return mailbox


def _a_mail(mailbox: Mailbox, text: str, **changes: object) -> Message:
    return a_message(mailbox, f"Subject: x\r\n\r\n{text}".encode(), **changes)


def _kept(storage: Storage, intake: Intake, *mails: Message) -> list[str]:
    """What became of *mails* that arrive in the same moment: `kept`, or the code of the refusal."""

    async def keep(mail: Message) -> str:
        try:
            return "kept" if await intake.store(IncomingMessage(mail, b"")) == mail.id else "known"
        except Problem as problem:
            return problem.code

    async def keep_all() -> list[str]:
        return list(await asyncio.gather(*(keep(mail) for mail in mails)))

    return storage.run(keep_all())


def _counts(storage: Storage) -> list[tuple[int, int, int]]:
    """What each mailbox counts: messages, unread ones, bytes."""
    columns = mailboxes_table.c.message_count, mailboxes_table.c.unread_count, mailboxes_table.c.stored_bytes
    query = select(*columns).order_by(mailboxes_table.c.id)
    return storage.read(lambda c: [(row[0], row[1], row[2]) for row in c.execute(query)])


def _counted(storage: Storage) -> list[tuple[int, int, int]]:
    """The same, by counting the rows there are."""
    is_there = (messages_table.c.mailbox_id == mailboxes_table.c.id) & messages_table.c.deleted_at.is_(None)
    query = (
        select(
            func.count(messages_table.c.id),
            func.count(messages_table.c.id).filter(messages_table.c.read_at.is_(None)),
            func.coalesce(func.sum(messages_table.c.size_bytes), 0),
        )
        .select_from(mailboxes_table.outerjoin(messages_table, is_there))
        .group_by(mailboxes_table.c.id)
        .order_by(mailboxes_table.c.id)
    )
    return storage.read(lambda c: [(row[0], row[1], int(row[2])) for row in c.execute(query)])


def test_what_mailboxes_count_is_what_is_there_after_every_kind_of_change(storage: Storage) -> None:
    intake = Intake(storage.database)
    ada, bob = _a_mailbox(storage), _a_mailbox(storage, "bob", user_id=BOB.id)
    one, two, three = _a_mail(ada, "one"), _a_mail(ada, "number two"), _a_mail(bob, "3")
    told = [_counts(storage)]

    def look() -> None:
        told.append(_counts(storage))
        assert told[-1] == _counted(storage)

    _kept(storage, intake, one, two, three)
    look()
    _kept(storage, intake, replace(one, id="msg_again"))
    look()
    storage.write(lambda c: messages.mark(c, one, NOON))
    look()
    storage.write(lambda c: messages.mark(c, one, None))
    look()
    storage.write(lambda c: messages.mark(c, two, NOON))
    storage.write(lambda c: messages.remove(c, one, NOON))
    look()
    storage.write(lambda c: messages.remove(c, one, NOON))
    look()
    _kept(storage, intake, replace(one, id="msg_after_all"))  # it was deleted, and is still known
    look()
    storage.write(lambda c: messages.remove(c, two, NOON))
    storage.write(lambda c: messages.remove(c, three, NOON))
    look()

    assert sorted(told[1])[1][0] == 2
    assert told[-1] == [(0, 0, 0), (0, 0, 0)]


def test_a_mailbox_takes_mail_up_to_its_quota_and_again_when_there_is_room(storage: Storage) -> None:
    intake = Intake(storage.database, Quotas(messages=2))
    mailbox = _a_mailbox(storage)
    mails = [_a_mail(mailbox, str(number)) for number in range(3)]

    one_by_one = [_kept(storage, intake, mail) for mail in mails]
    storage.write(lambda c: messages.remove(c, mails[0], NOON))

    assert one_by_one == [["kept"], ["kept"], ["mailbox_full"]]
    assert _kept(storage, intake, mails[2]) == ["kept"]


def test_a_full_mailbox_still_knows_what_it_kept_and_others_are_not_concerned(storage: Storage) -> None:
    intake = Intake(storage.database, Quotas(messages=1))
    full, other = _a_mailbox(storage), _a_mailbox(storage, "other")
    first = _a_mail(full, "first")
    _kept(storage, intake, first)

    outcomes = _kept(storage, intake, replace(first, id="msg_again"), _a_mail(full, "second"), _a_mail(other, "first"))

    assert outcomes == ["known", "mailbox_full", "kept"]


def test_mails_of_one_moment_may_pass_the_quota_together_and_the_next_may_not(storage: Storage) -> None:
    intake = Intake(storage.database, Quotas(messages=1))
    mailbox = _a_mailbox(storage)

    together = _kept(storage, intake, *(_a_mail(mailbox, f"together {number}") for number in range(3)))

    assert set(together) <= {"kept", "mailbox_full"}
    assert together[0] == "kept"
    assert _kept(storage, intake, _a_mail(mailbox, "later")) == ["mailbox_full"]


def test_a_users_bytes_are_counted_over_all_their_mailboxes_and_nobody_elses(storage: Storage) -> None:
    intake = Intake(storage.database, Quotas(stored_bytes=1000))
    first, second, bobs = (
        _a_mailbox(storage, name, user_id=who) for name, who in (("a", ADA.id), ("b", ADA.id), ("c", BOB.id))
    )
    large = _a_mail(first, "x", size_bytes=999)

    outcomes = [
        _kept(storage, intake, mail)
        for mail in (large, _a_mail(second, "y", size_bytes=5), _a_mail(second, "z"), _a_mail(bobs, "x"))
    ]
    storage.write(lambda c: messages.remove(c, large, NOON))

    assert outcomes == [["kept"], ["kept"], ["mailbox_full"], ["kept"]]
    assert _kept(storage, intake, _a_mail(second, "z")) == ["kept"]


def test_a_mailbox_that_changes_hands_while_its_message_is_read_fills_the_quota_of_its_new_owner(
    storage: Storage,
) -> None:
    intake = Intake(storage.database, Quotas(stored_bytes=1000))
    given, bobs, adas = _a_mailbox(storage), _a_mailbox(storage, "bob", user_id=BOB.id), _a_mailbox(storage, "other")
    _kept(storage, intake, _a_mail(bobs, "x", size_bytes=1000))
    of_ada = [_a_mail(given, "y"), _a_mail(adas, "z")]

    to_bob = replace(given, user_id=BOB.id)
    storage.write(lambda c: mailboxes.save(c, to_bob))

    assert _kept(storage, intake, *of_ada) == ["mailbox_full", "kept"]


def test_far_from_the_limit_the_total_is_read_once_in_a_while_and_own_mail_is_added(storage: Storage) -> None:
    now = [0.0]
    usage = Usage(storage.database, 1000, clock=lambda: now[0])
    mailbox = _a_mailbox(storage)
    others = Intake(storage.database)  # another process
    seen = []
    for later, arrives in ((0, 100), (10, 100), (31, 800), (32, 50)):
        now[0] = later
        storage.run(usage.look_at([ADA.id]))
        seen.append(usage.of(ADA.id))
        _kept(storage, others, _a_mail(mailbox, f"at {later}", size_bytes=arrives))
    usage.add(ADA.id, 700)
    storage.run(usage.look_at([ADA.id]))  # now it matters

    assert seen == [0, 0, 200, 200]
    assert usage.of(ADA.id) == 1050


def test_only_mailboxes_that_receive_are_counted(storage: Storage) -> None:
    for name, changes in (
        ("live", {}),
        ("for-ever", {"expires_at": None}),
        ("making", {"status": MailboxStatus.PROVISIONING}),
        ("over", {"expires_at": NOON}),
        ("expired", {"status": MailboxStatus.EXPIRED}),
        ("gone", {"status": MailboxStatus.DESTROYED}),
        ("bobs", {"user_id": BOB.id}),
    ):
        _a_mailbox(storage, name, **changes)

    assert storage.write(lambda c: mailboxes.number_receiving(c, ADA.id, NOON)) == 3
    assert storage.write(lambda c: mailboxes.number_receiving(c, ADA.id, NOON + HOUR)) == 2


@pytest.mark.parametrize("count", [0, 10**9])
def test_without_quotas_nothing_is_full(count: int) -> None:
    assert not Quotas().is_full(count, count)
    assert Quotas().refuse_mailbox_beyond(count) is None
