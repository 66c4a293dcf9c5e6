"""The boundaries of operations, and the audit line of each change: written once, and none for a refusal."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import pytest

from kaisoumail.errors import Problem
from kaisoumail.model.access import Grant
from kaisoumail.model.audit import Entry
from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.model.user import UNKNOWN_CLIENT, Role
from kaisoumail.operations import api_keys, audit, domains, mailboxes, messages, passkeys, sign_in, users, wait
from kaisoumail.operations.context import Context
from kaisoumail.operations.mailboxes import MailboxRequest
from kaisoumail.storage.tables import domains as domain_rows
from kaisoumail.storage.tables import mailboxes as mailbox_rows
from kaisoumail.workflows.context import CloudflareAccess
from tests.operations.stage import Rows, Stage, a_stage, new_rows
from tests.people import ADA, BOB, NOON, ROOT

Call = Callable[[Context, Rows], Awaitable[object]]
MANAGED_WITHOUT_TOKEN: Final = CloudflareAccess(enabled=True)


@dataclass(frozen=True)
class Refusal:
    what: str
    code: str
    call: Call


@dataclass(frozen=True)
class Line:
    """A change with its *action*, the id of its target, and whether the line names Ada as the owner of the target."""

    action: str
    call: Call
    target_id: Callable[[Rows], str | None]
    names_owner: bool = False


async def _resolved_when(c: Context, r: Rows, status: str) -> object:
    await c.database.write(lambda k: mailbox_rows.save(k, replace(r.mailbox, status=MailboxStatus(status))))
    return await mailboxes.resolve(c, ADA, str(r.mailbox.address))


async def _named_when(c: Context, r: Rows, status: str) -> object:
    await c.database.write(lambda k: mailbox_rows.save(k, replace(r.mailbox, status=MailboxStatus(status))))
    return await wait.mailbox_ids_named(c, ADA, [r.mailbox.id])


async def _in_disabled_domain(c: Context, r: Rows) -> object:
    await domains.disable(c, ROOT, r.domain.id)
    return await mailboxes.create(c, ADA, MailboxRequest(root_domain=r.domain.root_domain))


async def _retried_when_disabled(c: Context, r: Rows) -> object:
    await domains.disable(c, ROOT, r.domain.id)
    return await domains.retry(c, ROOT, r.domain.id)


async def _history_of_deleted(c: Context, r: Rows) -> object:
    await c.database.write(lambda k: domain_rows.save(k, r.domain.hidden(NOON)))
    return await domains.history(c, ROOT, r.domain.id)


async def _deleted_twice(c: Context, r: Rows) -> None:
    await messages.delete_message(c, ADA, r.message.id)
    await messages.delete_message(c, ADA, r.message.id)


async def _to_disabled_heir(c: Context, r: Rows) -> object:
    heir = (await users.add_user(c, f"heir-{r.user.email}", "Heir", Role.MEMBER)).user
    await users.disable_user(c, ROOT, heir.id)
    return await users.remove_user(c, ROOT, r.user.id, heir.id)


async def _session_of_disabled(c: Context, r: Rows) -> object:
    await users.disable_user(c, ROOT, r.user.id)
    return await sign_in.start_session(c, replace(BOB, user=r.user))


def _add(c: Context, email: str, name: str = "New") -> Awaitable[object]:
    return users.add_user(c, email, name, Role.MEMBER)


def _key(c: Context, grant: Grant, user_id: str | None = None) -> Awaitable[object]:
    return api_keys.make_key(c, ROOT, "New", grant, user_id)


NARROW_ADMIN: Final = replace(ROOT, grant=Grant(("users:write",)))
REFUSALS: Final = (
    Refusal("a key with an unknown scope", "scope_unknown", lambda c, r: _key(c, Grant(("mail:read",)))),
    Refusal("a key that ends now", "invalid_request", lambda c, r: _key(c, Grant(expires_at=NOON))),
    Refusal("a key for nobody", "user_not_found", lambda c, r: _key(c, Grant(), "usr_nobody")),
    Refusal("a key for a domain unknown", "domain_not_found", lambda c, r: _key(c, Grant(domain_id="dom_none"))),
    Refusal("a key for Bob to Ada's mailbox", "mailbox_not_found",
            lambda c, r: _key(c, Grant(mailbox_id=r.mailbox.id), BOB.id)),
    Refusal("renaming an unknown key", "api_key_not_found", lambda c, r: api_keys.rename_key(c, ADA, "key_x", "N")),
    Refusal("revoking an unknown key", "api_key_not_found", lambda c, r: api_keys.revoke_key(c, ADA, "key_x")),
    Refusal("enabling an active domain", "domain_exists",
            lambda c, r: domains.enable(c, ROOT, r.domain.root_domain, "zone")),
    Refusal("enabling an unfit name", "invalid_request", lambda c, r: domains.enable(c, ROOT, "a b", "zone")),
    Refusal("disabling an unknown domain", "domain_not_found", lambda c, r: domains.disable(c, ROOT, "dom_none")),
    Refusal("retrying a disabled domain", "domain_disabled", _retried_when_disabled),
    Refusal("deleting under another name", "name_not_typed",
            lambda c, r: domains.delete(c, ROOT, r.domain.id, "other.example")),
    Refusal("the history of a deleted domain", "domain_not_found", _history_of_deleted),
    Refusal("a mailbox in a disabled domain", "domain_not_enabled", _in_disabled_domain),
    Refusal("resolving a provisioning mailbox", "mailbox_not_found",
            lambda c, r: _resolved_when(c, r, "provisioning")),
    Refusal("resolving a destroying mailbox", "mailbox_not_found",
            lambda c, r: _resolved_when(c, r, "destroying")),
    Refusal("resolving a destroyed mailbox", "mailbox_not_found", lambda c, r: _resolved_when(c, r, "destroyed")),
    Refusal("waiting at a destroying mailbox", "mailbox_not_found", lambda c, r: _named_when(c, r, "destroying")),
    Refusal("an address of no domain", "invalid_mailbox_address",
            lambda c, r: mailboxes.request_for(c, "ada@mail.elsewhere.example", 60)),
    Refusal("deleting a message twice", "message_not_found", _deleted_twice),
    Refusal("opening an unknown message", "message_not_found", lambda c, r: messages.open_message(c, ADA, "msg_x")),
    Refusal("a passkey without a name", "invalid_request",
            lambda c, r: passkeys.rename_passkey(c, ADA, r.passkey.id, " ")),
    Refusal("a session of a disabled user", "authentication_required", _session_of_disabled),
    Refusal("an address that is in use in capitals", "user_exists", lambda c, r: _add(c, r.user.email.upper())),
    Refusal("a user with an unfit address", "invalid_request", lambda c, r: _add(c, "nobody")),
    Refusal("a user with an address beyond its column", "invalid_request",
            lambda c, r: _add(c, f"{'a' * 310}@people.example")),
    Refusal("a user with a blank name", "invalid_request", lambda c, r: _add(c, f"n-{r.user.email}", " ")),
    Refusal("a user with a name of 65", "invalid_request", lambda c, r: _add(c, f"n-{r.user.email}", "n" * 65)),
    Refusal("a user with a name of 65, spaces included", "invalid_request",
            lambda c, r: _add(c, f"n-{r.user.email}", " " * 64 + "n")),
    Refusal("a narrow key that makes an admin", "insufficient_scope",
            lambda c, r: users.change_user(c, NARROW_ADMIN, r.user.id, role=Role.ADMIN)),
    Refusal("a narrow key that transfers mailboxes", "insufficient_scope",
            lambda c, r: users.remove_user(c, NARROW_ADMIN, r.user.id, BOB.id)),
    Refusal("the last admin a member", "last_admin",
            lambda c, r: users.change_user(c, ROOT, ROOT.id, role=Role.MEMBER)),
    Refusal("the last admin disabled", "last_admin", lambda c, r: users.disable_user(c, ROOT, ROOT.id)),
    Refusal("the last admin removed", "last_admin", lambda c, r: users.remove_user(c, ROOT, ROOT.id, BOB.id)),
    Refusal("Ada removed without an heir", "user_has_mailboxes", lambda c, r: users.remove_user(c, ROOT, ADA.id, None)),
    Refusal("Ada her own heir", "user_not_found", lambda c, r: users.remove_user(c, ROOT, ADA.id, ADA.id)),
    Refusal("a disabled heir", "user_not_found", _to_disabled_heir),
)  # fmt: skip
LINES: Final = (
    Line("key.create", lambda c, r: api_keys.make_key(c, ROOT, "New", None, ADA.id), lambda r: None, names_owner=True),
    Line("key.rename", lambda c, r: api_keys.rename_key(c, ADA, r.key.id, "New"), lambda r: r.key.id),
    Line("key.revoke", lambda c, r: api_keys.revoke_key(c, ROOT, r.key.id), lambda r: r.key.id, names_owner=True),
    Line("domain.disable", lambda c, r: domains.disable(c, ROOT, r.domain.id), lambda r: r.domain.id),
    Line("domain.retry", lambda c, r: domains.retry(c, ROOT, r.domain.id), lambda r: r.domain.id),
    Line("mailbox.create", lambda c, r: mailboxes.create(c, ADA, MailboxRequest()), lambda r: None),
    Line("message.open", lambda c, r: messages.open_message(c, ROOT, r.message.id), lambda r: r.message.id, True),
    Line("message.mark", lambda c, r: messages.mark(c, ROOT, r.message.id, is_read=True), lambda r: r.message.id, True),
    Line("message.delete", lambda c, r: messages.delete_message(c, ADA, r.message.id), lambda r: r.message.id),
    Line("passkey.rename", lambda c, r: passkeys.rename_passkey(c, ADA, r.passkey.id, "New"), lambda r: r.passkey.id),
    Line("passkey.revoke", lambda c, r: passkeys.revoke_passkey(c, ADA, r.passkey.id), lambda r: r.passkey.id),
    Line("session.end", lambda c, r: sign_in.end_session(c, ADA, r.session_id), lambda r: r.session_id),
    Line("session.end_all", lambda c, r: sign_in.end_all_sessions(c, ADA), lambda r: ADA.id),
    Line("user.update", lambda c, r: users.change_user(c, ROOT, r.user.id, name="New"), lambda r: r.user.id),
    Line("user.disable", lambda c, r: users.disable_user(c, ROOT, r.user.id), lambda r: r.user.id),
    Line("user.enable", lambda c, r: users.enable_user(c, ROOT, r.user.id), lambda r: r.user.id),
    Line("user.delete", lambda c, r: users.remove_user(c, ROOT, r.user.id, None), lambda r: r.user.id),
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with a_stage(tmp_path_factory.mktemp("refusals")) as stage:
        yield stage


async def _newest_line(context: Context) -> Entry:
    return (await audit.list_entries(context, ROOT, audit.AuditFilter(1))).entries[0]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.what)
def test_an_operation_refuses_with_its_code(stage: Stage, refusal: Refusal) -> None:
    async def code() -> str:
        rows = await new_rows(stage.context)
        with pytest.raises(Problem) as refused:
            await refusal.call(stage.context, rows)
        return refused.value.code

    assert stage.play(code) == refusal.code


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.action)
def test_a_change_writes_its_one_audit_line(stage: Stage, line: Line) -> None:
    async def lines() -> tuple[Rows, int, Entry]:
        rows = await new_rows(stage.context)
        before = (await _newest_line(stage.context)).seq
        await line.call(stage.context, rows)
        entry = await _newest_line(stage.context)
        return rows, entry.seq - before, entry

    rows, written, entry = stage.play(lines)

    assert (written, entry.action) == (1, line.action)
    assert line.target_id(rows) in (None, entry.target_id)
    if line.names_owner:
        assert (entry.owner_id, entry.owner) == (ADA.id, ADA.user.email)


@pytest.mark.parametrize("verb", ["retry", "enable", "bind", "delete"])
def test_what_a_missing_token_refuses_writes_no_audit_line(stage: Stage, verb: str) -> None:
    context = replace(stage.context, cloudflare=MANAGED_WITHOUT_TOKEN)
    calls: dict[str, Call] = {
        "retry": lambda c, r: domains.retry(c, ROOT, r.domain.id),
        "enable": lambda c, r: domains.enable(c, ROOT, f"new-{r.domain.root_domain}", "zone"),
        "bind": lambda c, r: domains.bind(c, ROOT, f"new-{r.domain.root_domain}"),
        "delete": lambda c, r: domains.delete(c, ROOT, r.domain.id),
    }

    async def written() -> int:
        rows = await new_rows(context)
        before = (await _newest_line(context)).seq
        with pytest.raises(Problem) as refused:
            await calls[verb](context, rows)
        assert refused.value.code == "token_missing"
        return (await _newest_line(context)).seq - before

    assert stage.play(written) == 0


def test_marking_a_read_message_again_writes_nothing_and_keeps_its_time(stage: Stage) -> None:
    async def story() -> tuple[object, int]:
        rows = await new_rows(stage.context)
        await messages.mark(stage.context, ADA, rows.message.id, is_read=True)
        before = (await _newest_line(stage.context)).seq
        later = replace(stage.context, clock=lambda: NOON + timedelta(minutes=5))
        marked = await messages.mark(later, ADA, rows.message.id, is_read=True)
        return marked.read_at, (await _newest_line(stage.context)).seq - before

    assert stage.play(story) == (NOON, 0)


def test_revoking_a_key_ends_the_session_made_from_it_and_revoking_it_again_writes_nothing(stage: Stage) -> None:
    async def story() -> tuple[bool, int]:
        rows = await new_rows(stage.context)
        await api_keys.revoke_key(stage.context, ADA, rows.key.id)
        before = (await _newest_line(stage.context)).seq
        await api_keys.revoke_key(stage.context, ADA, rows.key.id)
        sessions = await sign_in.list_sessions(stage.context, ADA)
        return rows.session_id in {each.id for each in sessions}, (await _newest_line(stage.context)).seq - before

    assert stage.play(story) == (False, 0)


def test_ensuring_revives_an_expired_mailbox_and_never_shortens_a_lifetime(stage: Stage) -> None:
    async def story() -> list[object]:
        rows = await new_rows(stage.context)
        address = rows.mailbox.address
        later = replace(stage.context, clock=lambda: NOON + timedelta(hours=2))
        found: list[object] = []
        for minutes in (120, 60, None, 60):
            request = MailboxRequest(address.local_part, address.subdomain, address.root_domain, minutes)
            outcome = await mailboxes.ensure(later, ADA, request)
            assert (outcome.is_new, outcome.mailbox.id) == (False, rows.mailbox.id)
            found.append(outcome.mailbox.expires_at)
        return found

    assert stage.play(story) == [NOON + timedelta(hours=4), NOON + timedelta(hours=4), None, None]


def test_only_admins_see_with_which_credential_another_user_acted(stage: Stage) -> None:
    async def story() -> tuple[object, object]:
        rows = await new_rows(stage.context)
        await api_keys.revoke_key(stage.context, replace(ROOT, key_id="key_of_root"), rows.key.id)
        wanted = audit.AuditFilter(1, target_id=rows.key.id)
        shown = [(await audit.list_entries(stage.context, viewer, wanted)).entries[0] for viewer in (ROOT, ADA)]
        return shown[0].credential_id, shown[1].credential_id

    assert stage.play(story) == ("key_of_root", None)


def test_a_sign_out_names_the_session_that_it_ended(stage: Stage) -> None:
    async def story() -> tuple[object, object]:
        rows = await new_rows(stage.context)
        session = await sign_in.start_session(stage.context, replace(ADA, key_id=rows.key.id))
        await sign_in.sign_out(stage.context, session.token, UNKNOWN_CLIENT)
        line = await _newest_line(stage.context)
        return (line.action, line.target_id), ("session.end", session.viewer.session_id)

    written, expected = stage.play(story)

    assert written == expected
