"""The `sessions` table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from kaisoumail.model.access import Grant
from kaisoumail.model.credential import Session
from kaisoumail.model.user import User
from kaisoumail.storage.engine import transactions
from kaisoumail.storage.engine.schema import Instant, api_keys, passkeys, sessions, users
from kaisoumail.storage.tables.api_keys import grant_from
from kaisoumail.storage.tables.users import user_from

LAST_SEEN_GRAIN: Final = timedelta(minutes=5)
_LAST_SEEN: Final = func.coalesce(sessions.c.last_seen_at, sessions.c.created_at)
_NOW: Final = bindparam("now", type_=Instant)
_IS_ALIVE: Final = (sessions.c.expires_at > _NOW, bindparam("used_after", type_=Instant) < _LAST_SEEN)
_OWNER: Final = (
    select(sessions, users, api_keys)
    .join(users, users.c.id == sessions.c.user_id)
    .outerjoin(api_keys, api_keys.c.id == sessions.c.key_id)
    .outerjoin(passkeys, passkeys.c.id == sessions.c.passkey_id)
    .where(
        sessions.c.token_hash.in_(bindparam("hashes", expanding=True)),
        *_IS_ALIVE,
        users.c.disabled_at.is_(None),
        api_keys.c.revoked_at.is_(None),
        passkeys.c.revoked_at.is_(None),
        or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > _NOW),
    )
)


def add(connection: Connection, session: Session) -> None:
    """Store a new session; its creation counts as its first use."""
    connection.execute(
        insert(sessions).values(
            id=session.id,
            user_id=session.user_id,
            token_hash=session.token_hash,
            key_id=session.key_id,
            created_at=session.created_at,
            expires_at=session.expires_at,
            last_seen_at=session.created_at,
            passkey_id=session.passkey_id,
            user_agent=session.user_agent,
            address=session.address,
        )
    )


def find_owner(
    connection: Connection, token_hashes: Sequence[str], now: datetime, idle: timedelta
) -> tuple[Session, User, Grant] | None:
    """
    The live session with one of *token_hashes*, its owner, and its grant, which is that of its key.

    None if it is expired or was not used for *idle*, its key is expired, its key or passkey is revoked, or its owner
    is disabled.
    """
    parameters = {"hashes": token_hashes, "now": now, "used_after": now - idle}
    row = connection.execute(_OWNER, parameters).one_or_none()
    return None if row is None else (_session_from(row), user_from(row), grant_from(row._mapping))


def of_user(connection: Connection, user_id: str, now: datetime, idle: timedelta) -> list[Session]:
    """The live sessions of a user, the one used last first."""
    query = select(sessions).where(sessions.c.user_id == user_id, *_IS_ALIVE)
    rows = connection.execute(query.order_by(_LAST_SEEN.desc(), sessions.c.id), {"now": now, "used_after": now - idle})
    return [_session_from(row) for row in rows]


def note_use(connection: Connection, session_id: str, now: datetime) -> None:
    """Store when a session was used, at most once in five minutes."""
    stale = now - LAST_SEEN_GRAIN >= _LAST_SEEN
    connection.execute(update(sessions).where(sessions.c.id == session_id, stale).values(last_seen_at=now))


@dataclass(frozen=True, slots=True)
class EndedSession:
    id: str
    user_id: str


def end(connection: Connection, token_hashes: Sequence[str]) -> EndedSession | None:
    """End the session with one of *token_hashes*; None if there was none."""
    match = delete(sessions).where(sessions.c.token_hash.in_(token_hashes))
    row = connection.execute(match.returning(sessions.c.id, sessions.c.user_id)).one_or_none()
    if row is None:  # a sign-out without a session must not drop every cached viewer
        return None
    transactions.note_access(connection)
    return EndedSession(row.id, row.user_id)


def end_one(connection: Connection, user_id: str, session_id: str) -> bool:
    """End one session of this user; False if they have none of that id."""
    transactions.note_access(connection)
    ended = delete(sessions).where(sessions.c.id == session_id, sessions.c.user_id == user_id)
    return connection.execute(ended).rowcount > 0


def end_all(connection: Connection, user_id: str) -> int:
    """End every session of a user; returns how many there were."""
    transactions.note_access(connection)
    return connection.execute(delete(sessions).where(sessions.c.user_id == user_id)).rowcount


def end_those_of(connection: Connection, *, key_id: str | None = None, passkey_id: str | None = None) -> None:
    """End the sessions that this key or passkey started."""
    transactions.note_access(connection)
    origin = sessions.c.key_id == key_id if key_id is not None else sessions.c.passkey_id == passkey_id
    connection.execute(delete(sessions).where(origin))


def _session_from(row: Row[Any]) -> Session:
    cells = row._mapping
    return Session(
        id=cells[sessions.c.id],
        user_id=cells[sessions.c.user_id],
        token_hash=cells[sessions.c.token_hash],
        key_id=cells[sessions.c.key_id],
        created_at=cells[sessions.c.created_at],
        expires_at=cells[sessions.c.expires_at],
        last_seen_at=cells[sessions.c.last_seen_at] or cells[sessions.c.created_at],
        passkey_id=cells[sessions.c.passkey_id],
        user_agent=cells[sessions.c.user_agent],
        address=cells[sessions.c.address],
    )
