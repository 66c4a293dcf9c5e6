"""The `passkeys` table. The row of a revoked passkey stays; its credential can be registered again as a new row."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from kaisoumail.model.passkey import Passkey
from kaisoumail.model.user import User
from kaisoumail.storage.engine.schema import passkeys, users
from kaisoumail.storage.engine.upsert import insert_unless_known
from kaisoumail.storage.tables.users import user_from


def add(connection: Connection, passkey: Passkey) -> bool:
    """Store a new *passkey*; False, with nothing stored, if any live passkey has the same credential."""
    columns = {
        "id": passkey.id,
        "user_id": passkey.user_id,
        "name": passkey.name,
        "credential_id": passkey.credential_id,
        "public_key": passkey.public_key,
        "counter": passkey.counter,
        "device_type": passkey.device_type,
        "backed_up": passkey.backed_up,
        "transports": list(passkey.transports),
        "created_at": passkey.created_at,
    }
    return insert_unless_known(connection, passkeys, columns)


def find(connection: Connection, passkey_id: str) -> Passkey | None:
    """The passkey, also a revoked one. The caller checks whose it is."""
    row = connection.execute(select(passkeys).where(passkeys.c.id == passkey_id)).one_or_none()
    return None if row is None else _passkey_from(row)


def find_live(connection: Connection, credential_id: str) -> tuple[Passkey, User] | None:
    """The live passkey with this credential id and its owner; None also if the owner is disabled."""
    row = connection.execute(
        select(passkeys, users)
        .join(users, users.c.id == passkeys.c.user_id)
        .where(
            passkeys.c.credential_id == credential_id, passkeys.c.revoked_at.is_(None), users.c.disabled_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else (_passkey_from(row), user_from(row))


def owned_by(connection: Connection, user_id: str) -> list[Passkey]:
    """All of a user's passkeys, revoked ones too, the newest first."""
    rows = connection.execute(
        select(passkeys)
        .where(passkeys.c.user_id == user_id)
        .order_by(passkeys.c.created_at.desc(), passkeys.c.id.desc())
    )
    return [_passkey_from(row) for row in rows]


def note_use(connection: Connection, passkey: Passkey, now: datetime) -> bool:
    """
    Save *passkey* as it is after a use: counter, device type, backup state.

    False, with nothing saved, if it was revoked meanwhile, or a concurrent use saved this counter or a higher one.
    An authenticator without a counter always sends 0.
    """
    column = passkeys.c.counter
    counted = column < passkey.counter if passkey.counter else column == 0
    saved = connection.execute(
        update(passkeys)
        .where(passkeys.c.id == passkey.id, passkeys.c.revoked_at.is_(None), counted)
        .values(
            counter=passkey.counter,
            device_type=passkey.device_type,
            backed_up=passkey.backed_up,
            last_used_at=now,
        )
    )
    return saved.rowcount == 1


def rename(connection: Connection, passkey_id: str, name: str) -> None:
    connection.execute(update(passkeys).where(passkeys.c.id == passkey_id).values(name=name))


def revoke(connection: Connection, passkey_id: str, now: datetime) -> bool:
    """Revoke a passkey; False if it was revoked before, and then the first time stays."""
    revoked = connection.execute(
        update(passkeys).where(passkeys.c.id == passkey_id, passkeys.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return revoked.rowcount == 1


def _passkey_from(row: Row[Any]) -> Passkey:
    cells = row._mapping
    return Passkey(
        id=cells[passkeys.c.id],
        user_id=cells[passkeys.c.user_id],
        name=cells[passkeys.c.name],
        credential_id=cells[passkeys.c.credential_id],
        public_key=cells[passkeys.c.public_key],
        counter=cells[passkeys.c.counter],
        device_type=cells[passkeys.c.device_type],
        backed_up=cells[passkeys.c.backed_up],
        transports=tuple(cells[passkeys.c.transports]),
        created_at=cells[passkeys.c.created_at],
        last_used_at=cells[passkeys.c.last_used_at],
        revoked_at=cells[passkeys.c.revoked_at],
    )
