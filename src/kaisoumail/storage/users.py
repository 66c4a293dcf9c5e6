"""The `users` table."""

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from kaisoumail.model.user import Role, User
from kaisoumail.storage.tables import users


def add(connection: Connection, user: User) -> None:
    connection.execute(
        insert(users).values(
            id=user.id,
            email=user.email,
            name=user.name,
            role=user.role.value,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )
    )


def find(connection: Connection, user_id: str) -> User | None:
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    return None if row is None else user_from(row)


def find_by_email(connection: Connection, email: str) -> User | None:
    """The user with this e-mail address in any letter case."""
    row = connection.execute(select(users).where(func.lower(users.c.email) == email.lower())).one_or_none()
    return None if row is None else user_from(row)


def any_exist(connection: Connection) -> bool:
    return connection.execute(select(users.c.id).limit(1)).first() is not None


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
    )
