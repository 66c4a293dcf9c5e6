"""Users: listing, creating, changing, disabling and removing them. For admins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from kaisoumail.auth import api_keys as secrets
from kaisoumail.errors import Problem
from kaisoumail.model.access import Grant, may
from kaisoumail.model.address import is_email
from kaisoumail.model.audit import Entry, Target, audit_entry
from kaisoumail.model.credential import ApiKey
from kaisoumail.model.ids import new_id
from kaisoumail.model.user import Role, User, Viewer
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.tables import api_keys, audit, mailboxes, messages, sessions, users
from kaisoumail.workflows.context import Context

_MAX_EMAIL: Final = 320  # characters, as its column
_MAX_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class NewUser:
    """A new user, and their first key with its *secret*, to be shown once."""

    user: User
    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class RemovedUser:
    """A removed user, and how many mailboxes they had; *heir* has them now."""

    user: User
    mailboxes: int
    heir: User | None


async def list_users(context: Context, viewer: Viewer) -> list[User]:
    """All users, the oldest first. Raises Problem `admin_required`."""
    viewer.must_be_admin()
    return await context.database.read(users.listed)


async def add_user(context: Context, email: str, name: str, role: Role, viewer: Viewer | None = None) -> NewUser:
    """
    A new user and their first API key, which allows all that its owner may do.

    Without *viewer* the actor is the operator at the command line. Raises Problem `invalid_request` for an unfit
    e-mail address or name, `user_exists` for an address that is in use in any letter case, `admin_required`, and
    `insufficient_scope` when a credential with narrower rights would create an admin.
    """
    if viewer is not None:
        _require_right_to_give(viewer, role)
    if not is_email(email) or len(email) > _MAX_EMAIL:
        raise Problem("invalid_request", f"{email!r:.80} is not an e-mail address")
    now = context.clock()
    user = User(new_id("usr"), email, _checked_name(name), role, now, now)
    key, secret = new_key(user.id, "Initial API Key", Grant(), now, created_by=None if viewer is None else viewer.id)
    entry = _entry(viewer, "user.create", user, now, role=role.value, keyId=key.id)

    def add(connection: Connection) -> Problem | None:
        if users.find_before_adding(connection, email) is not None:
            return Problem("user_exists", "User already exists")
        users.add(connection, user)
        api_keys.add(connection, key)
        audit.add(connection, entry)
        return None

    await write_or_raise(context.database, add)
    return NewUser(user, key, secret)


def new_key(user_id: str, name: str, grant: Grant, now: datetime, *, created_by: str | None) -> tuple[ApiKey, str]:
    """A key as it is stored, and its secret."""
    secret = secrets.new_secret()
    prefix, key_hash = secrets.prefix_of(secret), secrets.hash_of(secret)
    return ApiKey(new_id("key"), user_id, name, prefix, key_hash, grant, now, created_by=created_by), secret


async def change_user(
    context: Context, viewer: Viewer, user_id: str, *, name: str | None = None, role: Role | None = None
) -> User:
    """
    The user with another name or role; both apply from the next request on.

    Raises Problem `admin_required`, `user_not_found`, `invalid_request`, `insufficient_scope` when a credential with
    narrower rights would make an admin, or `last_admin` for a change that would leave no active admin.
    """
    _require_right_to_give(viewer, role)
    checked = None if name is None else _checked_name(name)

    def changed(user: User) -> User:
        return replace(user, name=checked or user.name, role=role or user.role)

    return await _change(context, viewer, "user.update", user_id, changed)


async def disable_user(context: Context, viewer: Viewer, user_id: str) -> User:
    """
    The user, disabled: their sessions end, and their API keys are refused until they are enabled again.

    Their mailboxes stay and continue to receive. Raises Problem `admin_required`, `user_not_found` or `last_admin`.
    """
    now = context.clock()
    return await _change(
        context, viewer, "user.disable", user_id, lambda user: replace(user, disabled_at=user.disabled_at or now)
    )


async def enable_user(context: Context, viewer: Viewer, user_id: str) -> User:
    """
    The user, enabled: their API keys work again, ended sessions do not.

    Raises Problem `admin_required` or `user_not_found`.
    """
    return await _change(context, viewer, "user.enable", user_id, lambda user: replace(user, disabled_at=None))


async def remove_user(context: Context, viewer: Viewer, user_id: str, heir_id: str | None) -> RemovedUser:
    """
    Remove a user for good, with their keys, passkeys and sessions; their mailboxes and messages go to *heir_id*.

    The mailboxes keep their addresses and continue to receive. Raises Problem `admin_required`, `user_not_found` (also
    for an heir that is disabled or the same user), `last_admin`, `user_has_mailboxes` when there are some and no heir
    is named, or `insufficient_scope` when a credential without `messages:write` names an heir.
    """
    viewer.must_be_admin()
    if heir_id is not None:
        viewer.must_satisfy(may("messages:write"))
    now = context.clock()

    def remove(connection: Connection) -> RemovedUser | Problem:
        admins, user = _lock(connection, user_id)
        if user is None:
            return _not_found()
        if admins == {user.id}:
            return _last_admin()
        heir = None if heir_id is None else users.find_to_change(connection, heir_id)
        owned = mailboxes.owned_by(connection, user_id)
        if heir_id is not None and (heir is None or heir.id == user_id or heir.disabled_at is not None):
            return Problem("user_not_found", "The user to transfer the mailboxes to was not found or is disabled")
        if owned and heir is None:
            return Problem(
                "user_has_mailboxes",
                f"This user has {owned} mailboxes: name their new owner in transferTo, or destroy them first",
                mailboxes=owned,
            )
        if heir is not None:
            mailboxes.change_owner(connection, user_id, heir.id)
            messages.change_owner(connection, user_id, heir.id)
        details = {"mailboxes": owned, "transferredTo": heir and heir.id}
        audit.add(connection, audit_entry(viewer, "user.delete", now, _target(user), **details))
        users.remove(connection, user_id)
        return RemovedUser(user, owned, heir)

    return await write_or_raise(context.database, remove)


async def _change(
    context: Context,
    viewer: Viewer,
    action: str,
    user_id: str,
    change: Callable[[User], User],
) -> User:
    """The user as *change* returns them, saved; one who is disabled has no sessions. Raises as `disable_user`."""
    viewer.must_be_admin()
    now = context.clock()

    def work(connection: Connection) -> User | Problem:
        admins, user = _lock(connection, user_id)
        if user is None:
            return _not_found()
        changed = replace(change(user), updated_at=now)
        stays_admin = changed.role is Role.ADMIN and changed.disabled_at is None
        if not stays_admin and admins == {user.id}:
            return _last_admin()
        users.save(connection, changed)
        if changed.disabled_at is not None:
            sessions.end_all(connection, user_id)
        details = {"name": changed.name, "role": changed.role.value}
        audit.add(connection, audit_entry(viewer, action, now, _target(user), **details))
        return changed

    return await write_or_raise(context.database, work)


def _require_right_to_give(viewer: Viewer, role: Role | None) -> None:
    """
    Raises Problem unless *viewer* may give *role*.

    The first key of an admin allows everything, so a narrower credential must not be able to make admins.
    """
    viewer.must_be_admin()
    if role is Role.ADMIN:
        viewer.must_hold_everything()


def _lock(connection: Connection, user_id: str) -> tuple[set[str], User | None]:
    """The ids of the admins, and the user, all locked until the transaction ends; always locked in this order."""
    return users.lock_admins(connection), users.find_to_change(connection, user_id)


def _not_found() -> Problem:
    return Problem("user_not_found", "User not found")


def _last_admin() -> Problem:
    return Problem("last_admin", "This is the last admin: make another user an admin first")


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > _MAX_NAME:
        raise Problem("invalid_request", f"The name must have 1 to {_MAX_NAME} characters")
    return name


def _entry(viewer: Viewer | None, action: str, user: User, now: datetime, **details: str) -> Entry:
    if viewer is None:
        return Entry(action, now, "command line", target_id=user.id, target=user.email, details=dict(details))
    return audit_entry(viewer, action, now, _target(user), **details)


def _target(user: User) -> Target:
    return Target(user.id, user.email, user.id)
