"""The `sessions` table."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select

from kaisoumail.model.credential import Session
from kaisoumail.model.user import User
from kaisoumail.storage.tables import api_keys, passkeys, sessions, users
from kaisoumail.storage.users import user_from


def add(connection: Connection, session: Session) -> None:
    """Keep *session*, and forget those that ended before it began."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= session.created_at))
    connection.execute(
        insert(sessions).values(
            id=session.id,
            user_id=session.user_id,
            token_hash=session.token_hash,
            key_id=session.key_id,
            created_at=session.created_at,
            expires_at=session.expires_at,
            passkey_id=session.passkey_id,
            user_agent=session.user_agent,
            address=session.address,
        )
    )


def find_owner(connection: Connection, token_hash: str, now: datetime) -> tuple[str, User] | None:
    """The id and user of a session that is neither over nor made from a key or passkey that was revoked since."""
    row = connection.execute(
        select(sessions.c.id.label("session_id"), users)
        .join(users, users.c.id == sessions.c.user_id)
        .outerjoin(api_keys, api_keys.c.id == sessions.c.key_id)
        .outerjoin(passkeys, passkeys.c.id == sessions.c.passkey_id)
        .where(
            sessions.c.token_hash == token_hash,
            sessions.c.expires_at > now,
            or_(sessions.c.key_id.is_(None), api_keys.c.revoked_at.is_(None)),
            or_(sessions.c.passkey_id.is_(None), passkeys.c.revoked_at.is_(None)),
        )
    ).one_or_none()
    return None if row is None else (row.session_id, user_from(row))


def end(connection: Connection, token_hash: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def end_those_of_passkey(connection: Connection, passkey_id: str) -> None:
    """End every session that this passkey began."""
    connection.execute(delete(sessions).where(sessions.c.passkey_id == passkey_id))
