"""
Statements of the accepting path, compiled once for each database.

SQLAlchemy Core looks a statement up, binds and wraps it anew every time, which is nothing for a page and
half the cost of keeping a small mail. What is compiled here is Core's own SQL; only that work is saved.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert, Update
from sqlalchemy.sql.selectable import Select

Statement = Insert | Update | Select[Any]


class Prepared:
    """*statement*, without expanding parameters; rows are given as mappings from parameter to value."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._compiled = lru_cache(maxsize=4)(self._compile)

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any]:
        """Execute it for each of *rows*, of which there is at least one; what a row does not name is NULL."""
        sql, read = self._compiled(connection.dialect)
        return connection.exec_driver_sql(sql, [tuple(read(row)) for row in rows])

    def _compile(self, dialect: Dialect) -> tuple[str, Any]:
        compiled = self._statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positiontup is not None
        binds = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup
        ]

        def read(row: Mapping[str, Any]) -> Iterable[Any]:
            return (row.get(name) if process is None else process(row.get(name)) for name, process in binds)

        return str(compiled), read
