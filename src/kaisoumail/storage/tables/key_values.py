"""
The `facts` table: the few small things all processes must agree on.

`cloudflare_pace`: when the next request to Cloudflare may go out. `cloudflare_cooldown`: until when
none may, and who brought that about. `cloudflare_zones`: the zones as last seen.

What lasts a while is noted with the database's clock. Should that clock go back, nothing has passed since.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from kaisoumail.storage.engine.database_clock import DatabaseNow, database_now
from kaisoumail.storage.engine.schema import facts
from kaisoumail.storage.engine.upsert import insert_unless_known


class TimedValue(NamedTuple):
    """A *value*, noted *at* a moment of the database's clock, which is at *now*."""

    value: Any
    at: datetime
    now: datetime

    @property
    def clock_went_back(self) -> bool:
        return self.now < self.at

    def seconds_until(self, end: float) -> float:
        """
        How far away the instant *end* is, in Unix seconds; negative when it is past.

        Never more than it was when it was noted, however far the clock went back since.
        """
        return end - max(self.now, self.at).timestamp()


def find(connection: Connection, key: str) -> tuple[Any, datetime] | None:
    """What is known under *key*, and since when."""
    row = connection.execute(select(facts.c.value, facts.c.updated_at).where(facts.c.key == key)).one_or_none()
    return None if row is None else (row.value, row.updated_at)


def find_timed(connection: Connection, key: str) -> TimedValue | None:
    """What is known under *key*, if the database's clock was its time."""
    query = select(facts.c.value, facts.c.updated_at, DatabaseNow()).where(facts.c.key == key)
    row = connection.execute(query).one_or_none()
    return None if row is None else TimedValue(*row)


def find_timed_to_change(connection: Connection, key: str) -> TimedValue | None:
    """The same, which nobody else changes until this transaction ends."""
    query = select(facts.c.value, facts.c.updated_at).where(facts.c.key == key).with_for_update()
    row = connection.execute(query).one_or_none()
    return (
        None if row is None else TimedValue(*row, database_now(connection))
    )  # not the moment it began to wait for the row


def put(connection: Connection, key: str, value: Any, now: datetime | None = None) -> datetime:
    """Remember *value*, plain JSON, under *key*; since when: *now*, or this moment by the database's clock."""
    now = now or database_now(connection)
    if not insert_unless_known(connection, facts, {"key": key, "value": value, "updated_at": now}):
        connection.execute(update(facts).where(facts.c.key == key).values(value=value, updated_at=now))
    return now


def forget(connection: Connection, key: str) -> None:
    connection.execute(delete(facts).where(facts.c.key == key))


def reserve(connection: Connection, key: str, interval: float, burst: int) -> float:
    """
    How many seconds to wait before the next request may go out; the place in the queue is taken.

    At most *burst* requests at once and one every *interval* seconds in the long run, over all
    processes: in any window of T seconds at most T / interval + burst (GCRA, as in ITU-T I.371).
    """
    insert_unless_known(connection, facts, {"key": key, "value": 0.0, "updated_at": database_now(connection)})
    known = find_timed_to_change(connection, key)
    assert known is not None
    wait = max(known.seconds_until(float(known.value)), -(burst - 1) * interval)
    put(connection, key, known.now.timestamp() + wait + interval, known.now)
    return max(0.0, wait)
