"""Inserting rows that may exist already, the same on both databases."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from kaisoumail.storage.engine.compiled_sql import CompiledStatement


def insert_unless_known(connection: Connection, table: Table, columns: dict[str, Any]) -> bool:
    """
    True if the row was inserted; False, with nothing changed, if a row with the same unique value exists.

    The database settles races: of two concurrent inserts, one returns True. (Catching the violation
    instead would need a savepoint, which costs PostgreSQL six times the throughput.)
    """
    return connection.execute(_statement(connection.dialect.name, table), columns).rowcount == 1


def insert_those_unknown(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> bool:
    """
    True if each of *rows* was inserted; rows whose unique value exists already are skipped.

    False if some were skipped, or if the driver does not report a row count: the caller then has to query which.
    *rows* have the same columns.
    """
    statement = _compiled(connection.dialect.name, table, tuple(rows[0]))
    return statement.run(connection, rows).rowcount == len(rows)


@lru_cache(maxsize=64)
def _compiled(dialect: str, table: Table, columns: tuple[str, ...]) -> CompiledStatement:
    return CompiledStatement(_statement(dialect, table), columns)


@lru_cache(maxsize=64)
def _statement(dialect: str, table: Table) -> Insert:
    """Built once for each table: with twenty columns, building it costs more than running it."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()
