"""
The clock that all processes on one database share: the database's own.

A process's wall clock may be seconds or hours off, so an instant that one process writes and another compares is never
a parameter: it is read inside the statement. PostgreSQL's clock is `clock_timestamp()`, because `now()` stands still in
a transaction and a transaction may have waited for a lock. SQLite serves one process: its clock is the steady clock of
that process (`model/clock.py`), added to each connection as a function.

That clock may step as well: PostgreSQL's with its host's, SQLite's between two processes. So when an instant written
as the present lies in the future, the time since then counts as zero.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, literal, select, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from kaisoumail.storage.engine.schema import Instant
from kaisoumail.storage.engine.sqlite import NOW


class DatabaseNow(FunctionElement[datetime]):
    """The present by the database's clock, as an expression in any statement."""

    type = Instant()
    inherit_cache = True


@compiles(DatabaseNow, "postgresql")
def _on_postgresql(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)"


@compiles(DatabaseNow, "sqlite")
def _on_sqlite(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return f"{NOW}()"


def in_time(delta: timedelta) -> ColumnElement[datetime]:
    """The instant *delta* from now, or before now if it is negative, as an expression."""
    later = type_coerce(DatabaseNow(), BigInteger) + literal(delta // timedelta(milliseconds=1), BigInteger)
    return type_coerce(later, Instant())


def database_now(connection: Connection) -> datetime:
    """The present by the database's clock."""
    return connection.execute(select(DatabaseNow())).scalar_one()
