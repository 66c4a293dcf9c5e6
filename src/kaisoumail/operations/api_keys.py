"""API keys: listing, renaming and revoking them, and creating one that allows no more than its creator may do."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kaisoumail.errors import Problem
from kaisoumail.model.access import DEFAULT_SCOPES, SCOPES, Grant
from kaisoumail.model.audit import Target, audit_entry
from kaisoumail.model.credential import ApiKey
from kaisoumail.model.user import User, Viewer
from kaisoumail.operations.users import new_key
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.tables import api_keys, audit, domains, mailboxes, sessions, users
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A new key, and its *secret*, to be shown once."""

    key: ApiKey
    secret: str


async def list_keys(context: Context, viewer: Viewer, user_id: str | None = None) -> list[ApiKey]:
    """
    The viewer's own keys, revoked ones too, newest first; for an admin those of *user_id*, if given.

    Raises Problem `admin_required` when *user_id* is another user and the viewer no admin.
    """
    if user_id is not None and user_id != viewer.id:
        viewer.must_be_admin()
    return await context.database.read(lambda connection: api_keys.of_user(connection, user_id or viewer.id))


async def make_key(
    context: Context, viewer: Viewer, name: str, grant: Grant | None, user_id: str | None = None
) -> NewApiKey:
    """
    A new key for the viewer, or by an admin for *user_id*; without *grant* it has `DEFAULT_SCOPES`.

    Raises Problem `scope_unknown`, `grant_too_wide` for more than the viewer's own credential allows,
    `invalid_request` for an expiry that has passed, `admin_required`, `mailbox_not_found` or `domain_not_found` for a
    bound the viewer may not see, `user_not_found`.
    """
    grant, now = grant or Grant(DEFAULT_SCOPES), context.clock()
    _refuse_unknown(grant.scopes)
    if not viewer.grant.covers(grant):
        raise Problem(
            "grant_too_wide",
            "A key cannot grant more than its own scopes, another mailbox or domain, or a later expiry",
            scopes=list(viewer.grant.scopes),
        )
    if grant.expires_at is not None and grant.expires_at <= now:
        raise Problem("invalid_request", "The expiry of a key must be in the future")
    if user_id is not None and user_id != viewer.id:
        viewer.must_be_admin()
    key, secret = new_key(user_id or viewer.id, name, grant, now, created_by=viewer.id)
    details = {"name": name, "scopes": list(grant.scopes), "secretShown": True}
    entry = audit_entry(viewer, "key.create", now, _target(key), **details)

    def add(connection: Connection) -> Problem | None:
        owner = users.find(connection, key.user_id)
        if owner is None:
            return Problem("user_not_found", "User not found")
        refusal = _refusal_of_unseen(connection, viewer, owner, grant)
        if refusal is None:
            api_keys.add(connection, key)
            audit.add(connection, entry)
        return refusal

    await write_or_raise(context.database, add)
    return NewApiKey(key, secret)


async def rename_key(context: Context, viewer: Viewer, key_id: str, name: str) -> ApiKey:
    """The viewer's own key, renamed. Raises Problem `api_key_not_found`, also for a key of another user."""
    now = context.clock()

    def rename(connection: Connection) -> ApiKey | Problem:
        key = api_keys.find(connection, key_id)
        if key is None or key.user_id != viewer.id:
            return _not_found()
        api_keys.rename(connection, key_id, name)
        audit.add(connection, audit_entry(viewer, "key.rename", now, _target(key), name=name))
        renamed = api_keys.find(connection, key_id)
        assert renamed is not None
        return renamed

    return await write_or_raise(context.database, rename)


async def revoke_key(context: Context, viewer: Viewer, key_id: str) -> None:
    """
    Revoke a key and end the sessions made from it; revoking it again changes nothing. For its owner and for admins.

    Raises Problem `api_key_not_found`, or `forbidden` for a key of another user.
    """
    now = context.clock()

    def revoke(connection: Connection) -> Problem | None:
        key = api_keys.find(connection, key_id)
        if key is None:
            return _not_found()
        if not viewer.may_see(key.user_id):
            return Problem("forbidden", "Forbidden")
        if api_keys.revoke(connection, key_id, now):
            sessions.end_those_of(connection, key_id=key_id)
            audit.add(connection, audit_entry(viewer, "key.revoke", now, _target(key)))
        return None

    await write_or_raise(context.database, revoke)


def _refuse_unknown(scopes: Sequence[str]) -> None:
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise Problem("scope_unknown", f"There is no scope {unknown[0]!r:.60}", unknown=unknown, known=list(SCOPES))


def _refusal_of_unseen(connection: Connection, viewer: Viewer, owner: User, grant: Grant) -> Problem | None:
    """None if owner and creator may open the mailbox the key is bound to, and its domain exists."""
    if grant.mailbox_id is not None:
        mailbox = mailboxes.find(connection, grant.mailbox_id)
        if mailbox is None or not viewer.may_open(mailbox) or not Viewer(owner).may_open(mailbox):
            return Problem("mailbox_not_found", "Mailbox not found")
    if grant.domain_id is not None and domains.find(connection, grant.domain_id) is None:
        return Problem("domain_not_found", "Mailbox domain not found")
    return None


def _target(key: ApiKey) -> Target:
    return Target(key.id, key.prefix, key.user_id)


def _not_found() -> Problem:
    return Problem("api_key_not_found", "API key not found")
