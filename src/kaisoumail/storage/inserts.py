"""Inserting what may already be there, the same on both databases."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_unless_known(connection: Connection, table: Table, columns: dict[str, Any]) -> bool:
    """
    Insert a row; False, and nothing done, if one with the same unique value is there already.

    The database settles races: of two that insert at once, one gets True. (Catching the violation
    instead would need a savepoint, which costs PostgreSQL six times the throughput.)
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return connection.execute(dialect.insert(table).values(columns).on_conflict_do_nothing()).rowcount == 1
