"""Authentication: viewers by API key or session, and starting, listing and ending sessions."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from kaisoumail.auth import api_keys as secrets
from kaisoumail.auth import sessions as tokens
from kaisoumail.errors import Problem
from kaisoumail.model.access import Grant
from kaisoumail.model.audit import Target, audit_entry
from kaisoumail.model.credential import Session
from kaisoumail.model.ids import new_id
from kaisoumail.model.user import RequestClient, User, Viewer
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.tables import api_keys, audit, sessions, users
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class NewSession:
    """A viewer and the cookie token of their new session."""

    viewer: Viewer
    token: str


async def viewer_with_key(context: Context, secret: str, visit: RequestClient) -> Viewer | None:
    """The viewer with this API key; None if it is unknown, revoked or expired, or its owner is disabled."""
    key_hash, now = secrets.hash_of(secret), context.clock()
    found = await context.stores.viewers.by_key.answer(
        key_hash,
        lambda: context.database.read(lambda connection: api_keys.find_owner(connection, key_hash, now)),
    )
    if found is None:
        return None
    key, user = found
    if key.has_expired_at(now):
        return None
    if key.last_used_at is None or key.last_used_at <= now - api_keys.LAST_USE_GRAIN:
        await context.database.write(lambda connection: api_keys.note_use(connection, key.id, now))
        context.stores.viewers.by_key.correct(key_hash, found, (replace(key, last_used_at=now), user))
    return Viewer(user, key_id=key.id, visit=visit, grant=key.grant)


async def viewer_with_session(context: Context, token: str, visit: RequestClient) -> Viewer | None:
    """
    The viewer with the session of this cookie, with the rights of its API key.

    None if the session is unknown, expired, ended or idle for too long, its key is revoked or expired, or its owner is
    disabled.
    """
    cache_key, now, idle = secrets.hash_of(token), context.clock(), context.policy.limits.sessions.idle

    async def find() -> tuple[Session, User, Grant] | None:
        hashes = _hashes(context, token)
        return await context.database.read(lambda connection: sessions.find_owner(connection, hashes, now, idle))

    found = await context.stores.viewers.by_session.answer(cache_key, find)
    if found is None:
        return None
    session, user, grant = found
    if session.expires_at <= now or (grant.expires_at is not None and grant.expires_at <= now):
        return None
    if session.last_seen_at is None or session.last_seen_at <= now - sessions.LAST_SEEN_GRAIN:
        await context.database.write(lambda connection: sessions.note_use(connection, session.id, now))
        context.stores.viewers.by_session.correct(cache_key, found, (replace(session, last_seen_at=now), user, grant))
    return Viewer(user, session_id=session.id, visit=visit, grant=grant)


async def sign_in(context: Context, secret: str, visit: RequestClient) -> NewSession:
    """
    A new session with the rights of this API key.

    Raises Problem `invalid_api_key`, or `authentication_required` for an owner who was disabled or removed meanwhile.
    """
    viewer = await viewer_with_key(context, secret, visit)
    if viewer is None:
        raise Problem("invalid_api_key", "Invalid API key")
    return await start_session(context, viewer)


async def start_session(context: Context, viewer: Viewer, passkey_id: str | None = None) -> NewSession:
    """
    A new session for *viewer*, who has just authenticated with their API key or with this passkey.

    Raises Problem `authentication_required` if they were disabled or removed since.
    """
    token, now = tokens.new_token(), context.clock()
    session = Session(
        id=new_id("ses"),
        user_id=viewer.id,
        token_hash=tokens.hash_of(token, context.policy.session_secret),
        key_id=viewer.key_id,
        created_at=now,
        expires_at=now + context.policy.limits.sessions.lifetime,
        passkey_id=passkey_id,
        user_agent=viewer.visit.user_agent,
        address=viewer.visit.address,
    )
    entry = audit_entry(viewer, "session.create", now, Target(session.id), by="key" if viewer.key_id else "passkey")

    def add(connection: Connection) -> Problem | None:
        owner = users.find_to_change(connection, viewer.id)
        if owner is None or owner.disabled_at is not None:  # since they authenticated
            return Problem("authentication_required", "Authentication required")
        sessions.add(connection, session)
        audit.add(connection, entry)
        return None

    await write_or_raise(context.database, add)
    return NewSession(replace(viewer, session_id=session.id, key_id=None), token)


async def sign_out(context: Context, token: str, visit: RequestClient) -> None:
    """End the session of this cookie; does nothing if it has ended already."""
    hashes, now = _hashes(context, token), context.clock()

    def end(connection: Connection) -> None:
        ended = sessions.end(connection, hashes)
        user = None if ended is None else users.find(connection, ended.user_id)
        if ended is not None and user is not None:
            entry = audit_entry(Viewer(user, visit=visit), "session.end", now, Target(ended.id), by="sign-out")
            audit.add(connection, entry)

    await context.database.write(end)


async def list_sessions(context: Context, viewer: Viewer) -> list[Session]:
    """The viewer's sessions, the one used last first."""
    now, idle = context.clock(), context.policy.limits.sessions.idle
    return await context.database.read(lambda connection: sessions.of_user(connection, viewer.id, now, idle))


async def end_session(context: Context, viewer: Viewer, session_id: str) -> None:
    """End one session of the viewer. Raises Problem `session_not_found`, also for a session of another user."""
    now = context.clock()

    def end(connection: Connection) -> Problem | None:
        if not sessions.end_one(connection, viewer.id, session_id):
            return Problem("session_not_found", "Session not found")
        audit.add(connection, audit_entry(viewer, "session.end", now, Target(session_id)))
        return None

    await write_or_raise(context.database, end)


async def end_all_sessions(context: Context, viewer: Viewer) -> int:
    """End all sessions of the viewer, the present one too; how many there were."""
    now = context.clock()

    def end(connection: Connection) -> int:
        number = sessions.end_all(connection, viewer.id)
        audit.add(connection, audit_entry(viewer, "session.end_all", now, Target(viewer.id), sessions=number))
        return number

    return await context.database.write(end)


def _hashes(context: Context, token: str) -> list[str]:
    """The hashes under which *token* may be stored: with the present secret, and with the retired ones."""
    return [tokens.hash_of(token, secret) for secret in context.policy.secrets]
