"""What every operation answers to every kind of viewer. An operation without its row here fails a test."""

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from kaisoumail import operations
from kaisoumail.errors import Problem
from kaisoumail.model.access import Grant
from kaisoumail.model.feed import BEGINNING
from kaisoumail.model.user import Role, Viewer
from kaisoumail.operations import (
    api_keys,
    audit,
    bind_progress,
    capacity,
    domain_catalog,
    domains,
    events,
    mailboxes,
    message_parts,
    messages,
    passkeys,
    rejections,
    sign_in,
    token_check,
    users,
    wait,
)
from kaisoumail.operations.context import Context
from kaisoumail.operations.mailboxes import MailboxRequest
from tests.operations.stage import ORIGIN, Rows, Stage, a_stage, new_rows
from tests.people import ADA, BOB, ROOT

# The owner of everything is Ada; the last two are her with a lesser key.
VIEWERS: Final = {
    "admin": ROOT,
    "owner": ADA,
    "other": BOB,
    "bound": replace(ADA, grant=Grant(mailbox_id="mbx_another")),
    "narrow": replace(ADA, grant=Grant(("messages:read",))),
}
SEEN, UNSEEN, FORBIDDEN = "seen", "unseen", "forbidden"
Call = Callable[[Context, Viewer, Rows], Awaitable[object]]


@dataclass(frozen=True)
class Row:
    """A *call* of an operation, and its *answers* in the order of `VIEWERS`: a code, seen, or unseen."""

    operation: Callable[..., Any]
    call: Call
    answers: tuple[str, ...]
    what: str = ""

    def __str__(self) -> str:
        return f"{_name(self.operation)} {self.what}".strip()


def _name(operation: Callable[..., Any]) -> str:
    return f"{operation.__module__.rpartition('.')[2]}.{operation.__name__}"


def _for_admins(operation: Callable[..., Any], call: Call, answer: str = SEEN) -> Row:
    return Row(operation, call, (answer, *["admin_required"] * 4))


def _anyone(operation: Callable[..., Any], call: Call) -> Row:
    return Row(operation, call, (SEEN,) * 5)


def _of_owner(operation: Callable[..., Any], call: Call, others: str) -> Row:
    """Also for admins; not with a key for another mailbox."""
    return Row(operation, call, (SEEN, SEEN, others, others, SEEN))


def _personal(operation: Callable[..., Any], call: Call, others: str) -> Row:
    """Not for admins; keys for a mailbox are kept out by the route, which requires another scope."""
    return Row(operation, call, (others, SEEN, others, SEEN, SEEN))


def _request(rows: Rows) -> MailboxRequest:
    address = rows.mailbox.address
    return MailboxRequest(address.local_part, address.subdomain, address.root_domain)


def _has(listed: Any, wanted: str) -> bool:
    return any(wanted in (getattr(each, "id", None), getattr(each, "target_id", None)) for each in listed)


async def _first_event(c: Context, v: Viewer, r: Rows) -> object:
    async with aclosing(events.events(c, v, None, lambda: _same(v))) as stream:
        return await anext(stream)


async def _same(viewer: Viewer) -> Viewer:
    return viewer


async def _awaited(c: Context, v: Viewer, r: Rows) -> bool:
    request = wait.WaitRequest((r.mailbox.id,), since=BEGINNING)
    return (await wait.wait(c, v, request, 0, lambda: _same(v))).opened is not None


async def _listed_keys(c: Context, v: Viewer, r: Rows) -> bool:
    return _has(await api_keys.list_keys(c, v), r.key.id)


async def _listed_lines(c: Context, v: Viewer, r: Rows) -> bool:
    page = await audit.list_entries(c, v, audit.AuditFilter(10, target_id=r.mailbox.id))
    return _has(page.entries, r.mailbox.id)


async def _listed_mailboxes(c: Context, v: Viewer, r: Rows) -> bool:
    return _has(await mailboxes.list_mailboxes(c, v, mailboxes.MailboxQuery()), r.mailbox.id)


async def _page_of_mailboxes(c: Context, v: Viewer, r: Rows) -> bool:
    return _has((await mailboxes.page_of_mailboxes(c, v, mailboxes.MailboxQuery())).items, r.mailbox.id)


async def _listed_messages(c: Context, v: Viewer, r: Rows) -> bool:
    return _has(await messages.list_messages(c, v, messages.MessageQuery()), r.message.id)


async def _page_of_messages(c: Context, v: Viewer, r: Rows) -> bool:
    return _has((await messages.page_of_messages(c, v, messages.MessageQuery())).items, r.message.id)


async def _listed_passkeys(c: Context, v: Viewer, r: Rows) -> bool:
    return _has(await passkeys.list_passkeys(c, v), r.passkey.id)


async def _listed_sessions(c: Context, v: Viewer, r: Rows) -> bool:
    return _has(await sign_in.list_sessions(c, v), r.session_id)


async def _disabled(c: Context, v: Viewer, r: Rows) -> object:
    await domains.disable(c, ROOT, r.domain.id)
    return await domains.enable(c, v, r.domain.root_domain, "zone")


async def _unfinished(c: Context, v: Viewer, r: Rows) -> object:
    return await passkeys.finish_registration(c, v, None, {})


# fmt: off
ROWS: Final = (
    Row(api_keys.list_keys, _listed_keys, (UNSEEN, SEEN, UNSEEN, SEEN, SEEN)),
    Row(api_keys.list_keys, lambda c, v, r: api_keys.list_keys(c, v, ADA.id),
        (SEEN, SEEN, "admin_required", SEEN, SEEN), "of Ada"),
    Row(api_keys.make_key, lambda c, v, r: api_keys.make_key(c, v, "New", None),
        (SEEN, SEEN, SEEN, "grant_too_wide", "grant_too_wide")),
    Row(api_keys.make_key, lambda c, v, r: api_keys.make_key(c, v, "New", None, ADA.id),
        (SEEN, SEEN, "admin_required", "grant_too_wide", "grant_too_wide"), "for Ada"),
    Row(api_keys.make_key, lambda c, v, r: api_keys.make_key(c, v, "New", Grant(mailbox_id=r.mailbox.id)),
        (SEEN, SEEN, "mailbox_not_found", "grant_too_wide", "grant_too_wide"), "for her mailbox"),
    _personal(api_keys.rename_key, lambda c, v, r: api_keys.rename_key(c, v, r.key.id, "New"), "api_key_not_found"),
    Row(api_keys.revoke_key, lambda c, v, r: api_keys.revoke_key(c, v, r.key.id),
        (SEEN, SEEN, FORBIDDEN, SEEN, SEEN)),
    Row(audit.list_entries, _listed_lines, (SEEN, SEEN, UNSEEN, SEEN, SEEN)),
    _for_admins(domain_catalog.read_catalog, lambda c, v, r: domain_catalog.read_catalog(c, v)),
    _for_admins(domains.list_domains, lambda c, v, r: domains.list_domains(c, v)),
    _for_admins(domains.check_name, lambda c, v, r: domains.check_name(c, v, "new.example")),
    _for_admins(domains.bind, lambda c, v, r: domains.bind(c, v, "new.example"), "management_disabled"),
    _for_admins(domains.start_bind, lambda c, v, r: domains.start_bind(c, v, "new.example"), "management_disabled"),
    _for_admins(domains.retry, lambda c, v, r: domains.retry(c, v, r.domain.id)),
    _for_admins(domains.retried, lambda c, v, r: domains.retried(c, v, r.domain.id)),
    _for_admins(domains.disable, lambda c, v, r: domains.disable(c, v, r.domain.id)),
    _for_admins(domains.enable, _disabled),
    _for_admins(domains.delete, lambda c, v, r: domains.delete(c, v, r.domain.id), "management_disabled"),
    _for_admins(capacity.read_capacity, lambda c, v, r: capacity.read_capacity(c, v, r.domain.id)),
    _for_admins(domains.history, lambda c, v, r: domains.history(c, v, r.domain.id)),
    _anyone(events.events, _first_event),
    Row(mailboxes.create, lambda c, v, r: mailboxes.create(c, v, MailboxRequest()),
        (SEEN, SEEN, SEEN, FORBIDDEN, SEEN)),
    Row(mailboxes.create, lambda c, v, r: mailboxes.create(c, v, _request(r)),
        ("mailbox_exists", "mailbox_exists", "mailbox_taken", FORBIDDEN, "mailbox_exists"), "at her address"),
    _of_owner(mailboxes.ensure, lambda c, v, r: mailboxes.ensure(c, v, _request(r)), "mailbox_taken"),
    _of_owner(mailboxes.find_mailbox, lambda c, v, r: mailboxes.find_mailbox(c, v, r.mailbox.id), FORBIDDEN),
    _of_owner(mailboxes.resolve, lambda c, v, r: mailboxes.resolve(c, v, str(r.mailbox.address)), "mailbox_not_found"),
    _of_owner(mailboxes.list_mailboxes, _listed_mailboxes, UNSEEN),
    _of_owner(mailboxes.page_of_mailboxes, _page_of_mailboxes, UNSEEN),
    _of_owner(message_parts.attachment, lambda c, v, r: message_parts.attachment(c, v, r.message.id, r.attachment_id),
              "message_not_found"),
    _of_owner(message_parts.document, lambda c, v, r: message_parts.document(c, v, r.message.id, remote=False),
              "message_not_found"),
    _of_owner(messages.list_messages, _listed_messages, UNSEEN),
    _of_owner(messages.page_of_messages, _page_of_messages, UNSEEN),
    _of_owner(messages.open_message, lambda c, v, r: messages.open_message(c, v, r.message.id), FORBIDDEN),
    _of_owner(messages.raw_message, lambda c, v, r: messages.raw_message(c, v, r.message.id), FORBIDDEN),
    _of_owner(messages.mark, lambda c, v, r: messages.mark(c, v, r.message.id, is_read=True), "message_not_found"),
    _of_owner(messages.delete_message, lambda c, v, r: messages.delete_message(c, v, r.message.id),
              "message_not_found"),
    Row(passkeys.list_passkeys, _listed_passkeys, (UNSEEN, SEEN, UNSEEN, SEEN, SEEN)),
    Row(passkeys.start_registration, lambda c, v, r: passkeys.start_registration(c, v, "Phone", ORIGIN),
        (SEEN, SEEN, SEEN, "insufficient_scope", "insufficient_scope")),
    Row(passkeys.finish_registration, _unfinished,
        (*["passkey_challenge_missing"] * 3, "insufficient_scope", "insufficient_scope"), "without a challenge"),
    _personal(passkeys.rename_passkey, lambda c, v, r: passkeys.rename_passkey(c, v, r.passkey.id, "New"),
              "passkey_not_found"),
    _personal(passkeys.revoke_passkey, lambda c, v, r: passkeys.revoke_passkey(c, v, r.passkey.id), FORBIDDEN),
    _for_admins(rejections.list_rejections, lambda c, v, r: rejections.list_rejections(c, v, 10)),
    Row(sign_in.list_sessions, _listed_sessions, (UNSEEN, SEEN, UNSEEN, SEEN, SEEN)),
    _personal(sign_in.end_session, lambda c, v, r: sign_in.end_session(c, v, r.session_id), "session_not_found"),
    _anyone(sign_in.end_all_sessions, lambda c, v, r: sign_in.end_all_sessions(c, v)),
    _for_admins(token_check.check_token, lambda c, v, r: token_check.check_token(c, v), "management_disabled"),
    _for_admins(users.list_users, lambda c, v, r: users.list_users(c, v)),
    _for_admins(users.add_user, lambda c, v, r: users.add_user(c, f"a{r.user.email}", "New", Role.MEMBER, v)),
    _for_admins(users.change_user, lambda c, v, r: users.change_user(c, v, r.user.id, name="New")),
    _for_admins(users.disable_user, lambda c, v, r: users.disable_user(c, v, r.user.id)),
    _for_admins(users.enable_user, lambda c, v, r: users.enable_user(c, v, r.user.id)),
    _for_admins(users.remove_user, lambda c, v, r: users.remove_user(c, v, r.user.id, None)),
    _of_owner(wait.mailbox_ids_named, lambda c, v, r: wait.mailbox_ids_named(c, v, [r.mailbox.id]),
              "mailbox_not_found"),
    _of_owner(wait.wait, _awaited, UNSEEN),
)
# fmt: on
ELSEWHERE: Final = {
    "audit.note": "writes the line of an action that was permitted",
    "messages.note_opening": "writes the line of an opening that was permitted",
    "sign_in.start_session": "the viewer has just authenticated",
    "mailboxes.destroy": "runs in the engine: tests/walkthroughs; it finds by find_mailbox",
    "mailbox_routing.revive": "of a mailbox that `ensure` has found",
    "bind_progress.read_bind_progress": "reads from the engine: the test below",
}


def _operations() -> set[str]:
    """Every public coroutine or stream of the package that takes a viewer."""
    found = set()
    for module in pkgutil.iter_modules(operations.__path__, f"{operations.__name__}."):
        for each in vars(importlib.import_module(module.name)).values():
            is_async = inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each)
            if not is_async or each.__module__ != module.name or each.__name__.startswith("_"):
                continue
            if "viewer" in inspect.signature(each).parameters:
                found.add(_name(each))
    return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with a_stage(tmp_path_factory.mktemp("permissions")) as stage:
        yield stage


def test_every_operation_with_a_viewer_has_its_row() -> None:
    assert {_name(row.operation) for row in ROWS} | ELSEWHERE.keys() == _operations()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_operation_answers_each_kind_of_viewer_as_its_row_says(stage: Stage, row: Row) -> None:
    async def answers() -> tuple[str, ...]:
        return tuple([await _answer(stage.context, row, viewer) for viewer in VIEWERS.values()])

    given = stage.play(answers)

    assert dict(zip(VIEWERS, given, strict=True)) == dict(zip(VIEWERS, row.answers, strict=True))


async def _answer(context: Context, row: Row, viewer: Viewer) -> str:
    try:
        value = await row.call(context, viewer, await new_rows(context))
    except Problem as problem:
        return problem.code
    return UNSEEN if value is False else SEEN


@pytest.mark.parametrize("viewer", [VIEWERS[name] for name in ("owner", "other", "bound", "narrow")])
def test_the_progress_of_a_bind_is_for_admins(stage: Stage, viewer: Viewer) -> None:
    with pytest.raises(Problem) as refused:
        stage.play(lambda: bind_progress.read_bind_progress(stage.context, viewer, "demo.example"))

    assert refused.value.code == "admin_required"


@pytest.mark.parametrize("name", ["other", "bound"])
def test_a_mailbox_is_destroyed_by_nobody_who_may_not_open_it(stage: Stage, name: str) -> None:
    async def refused() -> str:
        rows = await new_rows(stage.context)
        with pytest.raises(Problem) as problem:
            await mailboxes.destroy(stage.context, VIEWERS[name], rows.mailbox.id)
        return problem.value.code

    assert stage.play(refused) == FORBIDDEN
