"""Rows that go after a time, a few at once. How long each kind is kept is in `operations/retention.py`."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select

from kaisoumail.storage.engine.database_clock import database_now


@dataclass(frozen=True, slots=True)
class AgedRows:
    """
    The rows of *table* for which *since*, the instant their age is counted from, is not NULL.

    *found_by* is the column whose order is that of their age, where *since* has no index.
    """

    table: Table
    since: Column[Any]
    found_by: Column[Any] | None = None


def forget_older(connection: Connection, rows: AgedRows, age: timedelta, limit: int) -> int:
    """
    Delete those of the *limit* oldest of *rows* that are older than *age* by the database's clock; how many.

    The oldest are looked at and no others: what a query by age alone costs grows with what is kept.
    """
    before = database_now(connection) - age
    [key] = rows.table.primary_key
    order = rows.since if rows.found_by is None else rows.found_by
    found = select(key.label("key"), rows.since.label("since")).where(rows.since.is_not(None))
    oldest = found.order_by(order).limit(limit).subquery()
    old = select(oldest.c.key).where(oldest.c.since < before)
    return connection.execute(delete(rows.table).where(key.in_(old))).rowcount
