"""Users: who is here, making one, changing, switching off and removing one. For admins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from kaisoumail.auth import api_keys as secrets
from kaisoumail.errors import Problem
from kaisoumail.model.access import Grant, may
from kaisoumail.model.address import is_email
from kaisoumail.model.audit import Entry, did
from kaisoumail.model.credential import ApiKey
from kaisoumail.model.ids import new_id
from kaisoumail.model.user import Role, User, Viewer
from kaisoumail.storage.tables import api_keys, audit, mailboxes, messages, sessions, users
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class NewUser:
    """A new user, and their first key with its *secret*, to be shown once."""

    user: User
    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class RemovedUser:
    """A user who is gone, and how many mailboxes went to *heir*."""

    user: User
    mailboxes: int
    heir: User | None


async def list_users(context: Context, viewer: Viewer) -> list[User]:
    """Everybody, the first one first."""
    viewer.must_be_admin()
    return await context.database.read(users.listed)


async def add_user(context: Context, email: str, name: str, role: Role, viewer: Viewer | None = None) -> NewUser:
    """
    A new user and their first key, which may do all that its owner may.

    Without *viewer* it is the operator at the command line. Raises Problem `invalid_request` for an e-mail
    address or name that will not do, `user_exists` for an address that is taken in any letter case, and
    `insufficient_scope` when somebody who may not do everything would make an admin, who may.
    """
    if viewer is not None:
        _refuse_to_raise(viewer, role)
    if not is_email(email):
        raise Problem("invalid_request", f"{email!r:.80} is not an e-mail address")
    now = context.clock()
    user = User(new_id("usr"), email, _checked_name(name), role, now, now)
    key, secret = new_key(user.id, "Initial API Key", Grant(), now, created_by=None if viewer is None else viewer.id)
    entry = _entry(viewer, "user.create", user, now, role=role.value, keyId=key.id)

    def add(connection: Connection) -> None:
        if users.find_before_adding(connection, email) is not None:
            raise Problem("user_exists", "User already exists")
        users.add(connection, user)
        api_keys.add(connection, key)
        audit.add(connection, entry)

    await context.database.write(add)
    return NewUser(user, key, secret)


def new_key(
    user_id: str, name: str, grant: Grant, now: datetime, secret: str | None = None, *, created_by: str | None = None
) -> tuple[ApiKey, str]:
    """A key as it is kept, and its secret."""
    secret = secret or secrets.new_secret()
    prefix, key_hash = secrets.prefix_of(secret), secrets.hash_of(secret)
    return ApiKey(new_id("key"), user_id, name, prefix, key_hash, grant, now, created_by=created_by), secret


async def change_user(
    context: Context, viewer: Viewer, user_id: str, *, name: str | None = None, role: Role | None = None
) -> User:
    """
    The user with another name or role; both count from the next request on.

    Raises Problem `user_not_found`, `invalid_request`, `insufficient_scope` when somebody who may not do
    everything would make an admin, or `last_admin` for a change that would leave nobody to look after the place.
    """
    _refuse_to_raise(viewer, role)
    checked = None if name is None else _checked_name(name)

    def changed(user: User) -> User:
        return replace(user, name=checked or user.name, role=role or user.role)

    return await _change(context, viewer, user_id, changed, "user.update")


async def disable_user(context: Context, viewer: Viewer, user_id: str) -> User:
    """
    The user, signed out everywhere and with keys that open nothing until they are enabled again.

    Their mailboxes stay and go on receiving. Raises Problem `user_not_found` or `last_admin`.
    """
    now = context.clock()
    return await _change(
        context,
        viewer,
        user_id,
        lambda user: replace(user, disabled_at=user.disabled_at or now),
        "user.disable",
        lambda connection: sessions.end_all(connection, user_id),
    )


async def enable_user(context: Context, viewer: Viewer, user_id: str) -> User:
    """The user, whose keys work again; they sign in anew. Raises Problem `user_not_found`."""
    return await _change(context, viewer, user_id, lambda user: replace(user, disabled_at=None), "user.enable")


async def remove_user(context: Context, viewer: Viewer, user_id: str, heir_id: str | None) -> RemovedUser:
    """
    Forget a user for good, with their keys, passkeys and sessions; their mailboxes and mail go to *heir_id*.

    The mailboxes keep their addresses and go on receiving. Raises Problem `user_not_found`, `last_admin`,
    `user_has_mailboxes` when there are some and nobody was named to have them, or `insufficient_scope` when somebody
    who may not touch mail would give it away.
    """
    viewer.must_be_admin()
    if heir_id is not None:
        viewer.must_satisfy(may("messages:write"))
    now = context.clock()

    def remove(connection: Connection) -> RemovedUser:
        admins, user = _to_change(connection, user_id)
        _refuse_if_last(admins, user)
        heir = None if heir_id is None else users.find_to_change(connection, heir_id)
        held = mailboxes.owned_by(connection, user_id)
        if heir_id is not None and (heir is None or heir.id == user_id or heir.disabled_at is not None):
            raise Problem("user_not_found", "The user who should have the mailboxes was not found or is disabled")
        if held and heir is None:
            raise Problem(
                "user_has_mailboxes",
                f"This user has {held} mailboxes: say with transferTo who shall have them, or destroy them first",
                mailboxes=held,
            )
        if heir is not None:
            mailboxes.hand_over(connection, user_id, heir.id)
            messages.hand_over(connection, user_id, heir.id)
        handed = {"mailboxes": held, "transferredTo": heir and heir.id}
        audit.add(connection, did(viewer, "user.delete", now, user.id, user.email, owner_id=user.id, **handed))
        users.remove(connection, user_id)
        return RemovedUser(user, held, heir)

    return await context.database.write(remove)


async def _change(
    context: Context,
    viewer: Viewer,
    user_id: str,
    change: Callable[[User], User],
    action: str,
    also: Callable[[Connection], object] = lambda _: None,
) -> User:
    viewer.must_be_admin()
    now = context.clock()

    def work(connection: Connection) -> User:
        admins, user = _to_change(connection, user_id)
        changed = replace(change(user), updated_at=now)
        if changed.role is not Role.ADMIN or changed.disabled_at is not None:
            _refuse_if_last(admins, user)
        users.save(connection, changed)
        also(connection)
        told = {"name": changed.name, "role": changed.role.value}
        audit.add(connection, did(viewer, action, now, user.id, user.email, owner_id=user.id, **told))
        return changed

    return await context.database.write(work)


def _refuse_to_raise(viewer: Viewer, role: Role | None) -> None:
    """An admin's first key may do everything: a narrow one that makes admins would be no narrow one."""
    viewer.must_be_admin()
    if role is Role.ADMIN:
        viewer.must_hold_everything()


def _to_change(connection: Connection, user_id: str) -> tuple[set[str], User]:
    """The ids of the admins, and the user; nobody else changes any of them meanwhile. Always locked in this order."""
    admins = users.lock_admins(connection)
    user = users.find_to_change(connection, user_id)
    if user is None:
        raise Problem("user_not_found", "User not found")
    return admins, user


def _refuse_if_last(admins: set[str], user: User) -> None:
    if admins == {user.id}:
        raise Problem("last_admin", "This is the last admin: make somebody else one first")


def _checked_name(name: str) -> str:
    if not 1 <= len(name.strip()) <= 64:
        raise Problem("invalid_request", "The name must have 1 to 64 characters")
    return name


def _entry(viewer: Viewer | None, action: str, user: User, now: datetime, **details: str) -> Entry:
    if viewer is None:
        return Entry(action, now, "command line", target_id=user.id, target=user.email, details=dict(details))
    return did(viewer, action, now, user.id, user.email, owner_id=user.id, **details)
