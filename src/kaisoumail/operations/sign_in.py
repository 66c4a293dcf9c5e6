"""Who is asking: API keys, sessions made from them, and their end."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from kaisoumail.auth import api_keys as secrets
from kaisoumail.auth import sessions as tokens
from kaisoumail.errors import Problem
from kaisoumail.model.credential import SESSION_LIFETIME, Session
from kaisoumail.model.ids import new_id
from kaisoumail.model.user import Viewer, Visit
from kaisoumail.storage import api_keys, sessions
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A viewer and the cookie token of their new session."""

    viewer: Viewer
    token: str


async def viewer_with_key(context: Context, secret: str, visit: Visit) -> Viewer | None:
    """Whoever holds this API key; None if no live key has this secret."""
    key_hash, now = secrets.hash_of(secret), context.clock()
    found = await context.database.read(lambda connection: api_keys.find_owner(connection, key_hash))
    if found is None:
        return None
    key_id, user, last_used_at = found
    if last_used_at is None or last_used_at <= now - api_keys.LAST_USE_GRAIN:
        await context.database.write(lambda connection: api_keys.note_use(connection, key_id, now))
    return Viewer(user, key_id=key_id, visit=visit)


async def viewer_with_session(context: Context, token: str, visit: Visit) -> Viewer | None:
    """Whoever owns the session of this cookie; None if it is over, ended, or its key was revoked."""
    token_hash, now = tokens.hash_of(token, context.session_secret), context.clock()
    found = await context.database.read(lambda connection: sessions.find_owner(connection, token_hash, now))
    return None if found is None else Viewer(found[1], session_id=found[0], visit=visit)


async def sign_in(context: Context, secret: str, visit: Visit) -> SignedIn:
    """A new session for whoever holds this API key. Raises Problem `invalid_api_key`."""
    viewer = await viewer_with_key(context, secret, visit)
    if viewer is None:
        raise Problem("invalid_api_key", "Invalid API key")
    return await start_session(context, viewer)


async def start_session(context: Context, viewer: Viewer, passkey_id: str | None = None) -> SignedIn:
    """A new session for *viewer*, who has just proved who they are by their key or this passkey."""
    token, now = tokens.new_token(), context.clock()
    session = Session(
        id=new_id("ses"),
        user_id=viewer.id,
        token_hash=tokens.hash_of(token, context.session_secret),
        key_id=viewer.key_id,
        created_at=now,
        expires_at=now + SESSION_LIFETIME,
        passkey_id=passkey_id,
        user_agent=viewer.visit.user_agent,
        address=viewer.visit.address,
    )

    def add(connection: Connection) -> None:
        sessions.add(connection, session)

    await context.database.write(add)
    return SignedIn(replace(viewer, session_id=session.id), token)


async def sign_out(context: Context, token: str) -> None:
    """End the session of this cookie; one that is over already is fine."""
    token_hash = tokens.hash_of(token, context.session_secret)
    await context.database.write(lambda connection: sessions.end(connection, token_hash))
