"""Inserting what may already be there, the same on both databases."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from kaisoumail.storage.engine.compiled_sql import CompiledStatement


def insert_unless_known(connection: Connection, table: Table, columns: dict[str, Any]) -> bool:
    """
    Insert a row; False, and nothing done, if one with the same unique value is there already.

    The database settles races: of two that insert at once, one gets True. (Catching the violation
    instead would need a savepoint, which costs PostgreSQL six times the throughput.)
    """
    return connection.execute(_statement(connection.dialect.name, table), columns).rowcount == 1


def insert_those_unknown(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> bool:
    """
    Insert each of *rows*, which have the same columns, except those whose unique value is there already.

    True if none was; False if some were or the database does not say, and who needs to know looks.
    """
    prepared = _prepared(connection.dialect.name, table, tuple(rows[0]))
    return prepared.run(connection, rows).rowcount == len(rows)


@lru_cache(maxsize=64)
def _prepared(dialect: str, table: Table, columns: tuple[str, ...]) -> CompiledStatement:
    return CompiledStatement(_statement(dialect, table), columns)


@lru_cache(maxsize=64)
def _statement(dialect: str, table: Table) -> Insert:
    """Built once a table: with twenty columns, building it costs more than running it."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()
