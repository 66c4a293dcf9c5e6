"""Deletes old rows in batches. How long each kind of row stays is defined in `operations/retention.py`."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, select

from kaisoumail.storage.engine.database_clock import database_now


@dataclass(frozen=True, slots=True)
class AgedRows:
    """
    The rows of *table* for which *since*, the instant their age is counted from, is not NULL.

    *found_by* is an indexed column with the same order, for a *since* that has no index. *only* limits the rows to
    those of one kind, in a table that has several; it is small or has an index of them.
    """

    table: Table
    since: Column[Any]
    found_by: Column[Any] | None = None
    only: ColumnElement[bool] | None = None


def forget_older(connection: Connection, rows: AgedRows, age: timedelta, limit: int) -> int:
    """
    How many rows were deleted: those of the *limit* oldest of *rows* that are older than *age* by the database's clock.

    Only the oldest are read: the cost of a query by age alone grows with the number of rows.
    """
    before = database_now(connection) - age
    [key] = rows.table.primary_key
    order = rows.since if rows.found_by is None else rows.found_by
    aged = select(key.label("key"), rows.since.label("since")).where(rows.since.is_not(None))
    if rows.only is not None:
        aged = aged.where(rows.only)
    oldest = aged.order_by(order).limit(limit).subquery()
    old = select(oldest.c.key).where(oldest.c.since < before)
    return connection.execute(delete(rows.table).where(key.in_(old))).rowcount
