"""The `users` table."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, text, update

from kaisoumail.model.user import Role, User
from kaisoumail.storage.engine import transactions
from kaisoumail.storage.engine.schema import users

_LOCK: Final = text(f"SELECT pg_advisory_xact_lock({0x7573657273})")  # any constant that nothing else locks


def add(connection: Connection, user: User) -> None:
    """Store a new user. `find_before_adding`, in the same transaction, must have found nobody with the address."""
    connection.execute(insert(users).values(id=user.id, created_at=user.created_at, **_changeable(user)))


def save(connection: Connection, user: User) -> None:
    """Store *user* as it is now; after the commit every process drops its cached viewers."""
    transactions.note_access(connection)
    connection.execute(update(users).where(users.c.id == user.id).values(**_changeable(user)))


def remove(connection: Connection, user_id: str) -> None:
    """Delete the user with their keys, passkeys and sessions."""
    transactions.note_access(connection)
    connection.execute(delete(users).where(users.c.id == user_id))


def listed(connection: Connection) -> list[User]:
    """Every user, the oldest first."""
    return [user_from(row) for row in connection.execute(select(users).order_by(users.c.created_at, users.c.id))]


def find(connection: Connection, user_id: str) -> User | None:
    """The user, also a disabled one."""
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    return None if row is None else user_from(row)


def find_to_change(connection: Connection, user_id: str) -> User | None:
    """The user, locked against changes and deletion until the end of the transaction."""
    query = select(users).where(users.c.id == user_id).with_for_update(key_share=True)
    row = connection.execute(query).one_or_none()
    return None if row is None else user_from(row)


def find_before_adding(connection: Connection, email: str) -> User | None:
    """As `find_by_email`, and no other transaction can add a user until this one ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    return find_by_email(connection, email)


def find_by_email(connection: Connection, email: str) -> User | None:
    """The user with this e-mail address in any letter case."""
    row = connection.execute(select(users).where(func.lower(users.c.email) == email.lower())).one_or_none()
    return None if row is None else user_from(row)


def first_created_at(connection: Connection) -> datetime | None:
    """When the oldest user was created; None without users."""
    query = select(users.c.created_at).order_by(users.c.created_at).limit(1)
    return connection.execute(query).scalar_one_or_none()


def any_exist(connection: Connection) -> bool:
    return connection.execute(select(users.c.id).limit(1)).first() is not None


def lock_admins(connection: Connection) -> set[str]:
    """
    The ids of the admins who are not disabled.

    On PostgreSQL their rows are locked until the end of the transaction, so that two processes cannot each remove
    one of the last two admins; SQLite has one writer anyway. Their mailboxes still receive messages.
    """
    query = select(users.c.id).where(users.c.role == Role.ADMIN.value, users.c.disabled_at.is_(None))
    return set(connection.execute(query.order_by(users.c.id).with_for_update(key_share=True)).scalars())


def _changeable(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "updated_at": user.updated_at,
        "disabled_at": user.disabled_at,
    }


def user_from(row: Row[Any]) -> User:
    """The user in *row*, which holds the columns of `users`, alone or joined."""
    cells = row._mapping
    return User(
        id=cells[users.c.id],
        email=cells[users.c.email],
        name=cells[users.c.name],
        role=Role(cells[users.c.role]),
        created_at=cells[users.c.created_at],
        updated_at=cells[users.c.updated_at],
        disabled_at=cells[users.c.disabled_at],
    )
