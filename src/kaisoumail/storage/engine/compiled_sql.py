"""
Statements of the accepting path, compiled once for each database.

SQLAlchemy Core looks a statement up, binds and wraps it anew every time, which is nothing for a page and
half the cost of keeping a small mail. What is compiled here is Core's own SQL; only that work is saved.
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
    """An INSERT or UPDATE with at least two parameters. Of an INSERT's columns the others are NULL."""

    def __init__(self, statement: Insert | Update, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled = lru_cache(maxsize=4)(self._compile)

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any]:
        """Execute it for each of *rows*, of which there is at least one; they map every parameter to a value."""
        sql, read = self._compiled(connection.dialect)
        return connection.exec_driver_sql(sql, [read(row) for row in rows])

    def _compile(self, dialect: Dialect) -> tuple[str, Reader]:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positiontup is not None
        return str(compiled), _reader(compiled, compiled.positiontup, dialect)


class SelectMany:
    """
    A SELECT for some values: *of* makes it from the parameters that stand for them, each of the type *like*.

    It is made for 1, 2, 4 … values, so that there are few to compile.
    """

    def __init__(self, of: Callable[[Sequence[Any]], Select[Any]], like: TypeEngine[Any]) -> None:
        def of_size(size: int) -> Select[Any]:
            return of([bindparam(_name(number), type_=like) for number in range(size)])

        self._of_size = lru_cache(of_size)

    def rows(self, connection: Connection, values: Sequence[Any], **others: Any) -> CursorResult[Any]:
        """The rows for *values*, of which there is at least one; *others* are the statement's other parameters."""
        size = 1 << (len(values) - 1).bit_length()
        filled = [*values, *[values[-1]] * (size - len(values))]
        return connection.execute(self._of_size(size), {_name(n): value for n, value in enumerate(filled)} | others)


def _name(number: int) -> str:
    return f"value_{number}"


def _reader(compiled: SQLCompiler, names: Sequence[str], dialect: Dialect) -> Reader:
    pick = itemgetter(*names)
    processors = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    changed = [(number, processor) for number, processor in enumerate(processors) if processor is not None]

    def read(row: Mapping[str, Any]) -> Values:
        values = list(pick(row))
        for number, processor in changed:
            values[number] = processor(values[number])
        return tuple(values)

    return read
