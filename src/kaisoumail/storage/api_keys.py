"""The `api_keys` table."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, insert, or_, select, update

from kaisoumail.model.credential import ApiKey
from kaisoumail.model.user import User
from kaisoumail.storage.tables import api_keys, users
from kaisoumail.storage.users import user_from

LAST_USE_GRAIN: Final = timedelta(minutes=1)


def add(connection: Connection, key: ApiKey) -> None:
    connection.execute(
        insert(api_keys).values(
            id=key.id,
            user_id=key.user_id,
            name=key.name,
            prefix=key.prefix,
            key_hash=key.key_hash,
            scopes=list(key.scopes),
            created_at=key.created_at,
        )
    )


def find_owner(connection: Connection, key_hash: str) -> tuple[str, User, datetime | None] | None:
    """The id, owner and last use of the live key with this hash."""
    row = connection.execute(
        select(api_keys.c.id.label("key_id"), api_keys.c.last_used_at.label("last_used_at"), users)
        .join(users, users.c.id == api_keys.c.user_id)
        .where(api_keys.c.key_hash == key_hash, api_keys.c.revoked_at.is_(None))
    ).one_or_none()
    return None if row is None else (row.key_id, user_from(row), row.last_used_at)


def note_use(connection: Connection, key_id: str, now: datetime) -> None:
    """Remember that a key was used, at most once a minute: reading mail must not cost a write each time."""
    connection.execute(
        update(api_keys)
        .where(
            api_keys.c.id == key_id,
            or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= now - LAST_USE_GRAIN),
        )
        .values(last_used_at=now)
    )
