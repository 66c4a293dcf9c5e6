"""The `api_keys` table."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from kaisoumail.model.access import Grant
from kaisoumail.model.credential import ApiKey
from kaisoumail.model.user import User
from kaisoumail.storage.engine import transactions
from kaisoumail.storage.engine.schema import api_keys, users
from kaisoumail.storage.tables.users import user_from

LAST_USE_GRAIN: Final = timedelta(minutes=1)
_OWNER: Final = (
    select(api_keys, users)
    .join(users, users.c.id == api_keys.c.user_id)
    .where(
        api_keys.c.key_hash == bindparam("key_hash"),
        api_keys.c.revoked_at.is_(None),
        or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > bindparam("now")),
        users.c.disabled_at.is_(None),
    )
)


def add(connection: Connection, key: ApiKey) -> None:
    connection.execute(
        insert(api_keys).values(
            id=key.id,
            user_id=key.user_id,
            name=key.name,
            prefix=key.prefix,
            key_hash=key.key_hash,
            scopes=list(key.grant.scopes),
            created_at=key.created_at,
            expires_at=key.grant.expires_at,
            mailbox_id=key.grant.mailbox_id,
            domain_id=key.grant.domain_id,
            created_by=key.created_by,
        )
    )


def find_owner(connection: Connection, key_hash: str, now: datetime) -> tuple[ApiKey, User] | None:
    """The key with this hash and its owner; None if it is revoked or expired, or its owner disabled."""
    row = connection.execute(_OWNER, {"key_hash": key_hash, "now": now}).one_or_none()
    return None if row is None else (_key_from(row), user_from(row))


def find(connection: Connection, key_id: str) -> ApiKey | None:
    """The key, also a revoked or expired one."""
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
    return None if row is None else _key_from(row)


def of_user(connection: Connection, user_id: str) -> list[ApiKey]:
    """Every key of a user, revoked ones too, newest first."""
    query = select(api_keys).where(api_keys.c.user_id == user_id)
    rows = connection.execute(query.order_by(api_keys.c.created_at.desc(), api_keys.c.id))
    return [_key_from(row) for row in rows]


def rename(connection: Connection, key_id: str, name: str) -> None:
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(name=name))


def revoke(connection: Connection, key_id: str, now: datetime) -> bool:
    """Revoke the key; False if it was revoked before, and then the first time stays."""
    transactions.note_access(connection)
    live = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    return connection.execute(live.values(revoked_at=now)).rowcount > 0


def note_use(connection: Connection, key_id: str, now: datetime) -> None:
    """Store when a key was used, at most once a minute: not every read may cost a write."""
    connection.execute(
        update(api_keys)
        .where(
            api_keys.c.id == key_id,
            or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= now - LAST_USE_GRAIN),
        )
        .values(last_used_at=now)
    )


def grant_from(cells: Mapping[Any, Any]) -> Grant:
    """The grant of the key in *cells*; everything when there is no key, as for a session of a passkey."""
    scopes = cells[api_keys.c.scopes]
    if scopes is None:
        return Grant()
    return Grant(tuple(scopes), cells[api_keys.c.mailbox_id], cells[api_keys.c.domain_id], cells[api_keys.c.expires_at])


def _key_from(row: Row[Any]) -> ApiKey:
    cells = row._mapping
    return ApiKey(
        id=cells[api_keys.c.id],
        user_id=cells[api_keys.c.user_id],
        name=cells[api_keys.c.name],
        prefix=cells[api_keys.c.prefix],
        key_hash=cells[api_keys.c.key_hash],
        grant=grant_from(cells),
        created_at=cells[api_keys.c.created_at],
        last_used_at=cells[api_keys.c.last_used_at],
        revoked_at=cells[api_keys.c.revoked_at],
        created_by=cells[api_keys.c.created_by],
    )
