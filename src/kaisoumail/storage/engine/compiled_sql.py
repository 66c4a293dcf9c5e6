"""
Statements for accepting messages, compiled once for each database.

SQLAlchemy Core looks up, binds and wraps a statement on every execution, which is nothing for a page and
half the cost of storing a small message. The SQL here is Core's own; only that work is saved.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, Insert, Select, Update, bindparam
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Values = tuple[Any, ...]
Reader = Callable[[Mapping[str, Any]], Values]


class CompiledStatement:
    """An INSERT or UPDATE with at least two parameters. Columns of an INSERT not in *columns* are NULL."""

    def __init__(self, statement: Insert | Update, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled = lru_cache(maxsize=4)(self._compile)

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any]:
        """Execute it for each of *rows*, at least one; each maps every parameter to a value."""
        sql, read = self._compiled(connection.dialect)
        return connection.exec_driver_sql(sql, [read(row) for row in rows])

    def _compile(self, dialect: Dialect) -> tuple[str, Reader]:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positiontup is not None
        return str(compiled), _row_reader(compiled, compiled.positiontup, dialect)


class SelectMany:
    """
    A SELECT for any number of values: *of* builds it from one bind parameter of type *like* for each value.

    It is built for 1, 2, 4 … values, so that there are few to compile.
    """

    def __init__(self, of: Callable[[Sequence[Any]], Select[Any]], like: TypeEngine[Any]) -> None:
        def of_size(size: int) -> Select[Any]:
            return of([bindparam(_name(number), type_=like) for number in range(size)])

        self._of_size = lru_cache(of_size)

    def rows(self, connection: Connection, values: Sequence[Any], **others: Any) -> CursorResult[Any]:
        """The rows for *values*, at least one; *others* are the statement's other parameters."""
        size = 1 << (len(values) - 1).bit_length()
        padded = [*values, *[values[-1]] * (size - len(values))]
        return connection.execute(self._of_size(size), {_name(n): value for n, value in enumerate(padded)} | others)


def _name(number: int) -> str:
    return f"value_{number}"


def _row_reader(compiled: SQLCompiler, names: Sequence[str], dialect: Dialect) -> Reader:
    pick = itemgetter(*names)
    processors = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    processed = [(number, processor) for number, processor in enumerate(processors) if processor is not None]

    def read(row: Mapping[str, Any]) -> Values:
        values = list(pick(row))
        for number, processor in processed:
            values[number] = processor(values[number])
        return tuple(values)

    return read
