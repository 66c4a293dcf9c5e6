"""
The `facts` table: small values that all processes share.

`cloudflare_pace`: when the next request to Cloudflare may be sent. `cloudflare_cooldown`: until when none
may, and the request that caused it. `cloudflare_zones`, `cloudflare_verified`, `public_dns`: the zones, the
check of the token and the DNS answers as last read. `workers_ai_pause`: until when Workers AI is not called.
`zone_creation:…`: see `storage/tables/zone_creations.py`.

Durations are measured by the database's clock. If that clock goes back, no time has passed since.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from kaisoumail.storage.engine.database_clock import DatabaseNow, database_now
from kaisoumail.storage.engine.schema import facts
from kaisoumail.storage.engine.upsert import insert_unless_known


class TimedValue(NamedTuple):
    """A *value*, stored *at* an instant of the database's clock, and *now* by the same clock."""

    value: Any
    at: datetime
    now: datetime

    @property
    def clock_went_back(self) -> bool:
        """Whether the database's clock is now before the instant at which the value was stored."""
        return self.now < self.at

    def seconds_until(self, end: float) -> float:
        """
        How many seconds are left until *end*, in Unix seconds; negative when it is past.

        Never more than when the value was stored, however far the clock went back since.
        """
        return end - max(self.now, self.at).timestamp()


def find(connection: Connection, key: str) -> tuple[Any, datetime] | None:
    """The value under *key*, and when it was stored."""
    row = connection.execute(select(facts.c.value, facts.c.updated_at).where(facts.c.key == key)).one_or_none()
    return None if row is None else (row.value, row.updated_at)


def find_timed(connection: Connection, key: str) -> TimedValue | None:
    """The value under *key*, which must have been stored with the database's time."""
    query = select(facts.c.value, facts.c.updated_at, DatabaseNow()).where(facts.c.key == key)
    row = connection.execute(query).one_or_none()
    return None if row is None else TimedValue(*row)


def find_timed_to_change(connection: Connection, key: str) -> TimedValue | None:
    """As `find_timed`, with the row locked until this transaction ends."""
    query = select(facts.c.value, facts.c.updated_at).where(facts.c.key == key).with_for_update()
    row = connection.execute(query).one_or_none()
    # The time is read after the query, which may have waited for the lock.
    return None if row is None else TimedValue(*row, database_now(connection))


def put(connection: Connection, key: str, value: Any, now: datetime | None = None) -> datetime:
    """Store *value*, plain JSON, under *key*. Returns its time: *now*, or the present by the database's clock."""
    now = now or database_now(connection)
    if not insert_unless_known(connection, facts, {"key": key, "value": value, "updated_at": now}):
        connection.execute(update(facts).where(facts.c.key == key).values(value=value, updated_at=now))
    return now


def forget(connection: Connection, key: str) -> None:
    connection.execute(delete(facts).where(facts.c.key == key))


def reserve(connection: Connection, key: str, interval: float, burst: int) -> float:
    """
    How many seconds to wait before the next request may be sent; its slot is reserved.

    At most *burst* requests at once and one every *interval* seconds in the long run, over all
    processes: in any window of T seconds at most T / interval + burst (GCRA, as in ITU-T I.371).
    """
    insert_unless_known(connection, facts, {"key": key, "value": 0.0, "updated_at": database_now(connection)})
    known = find_timed_to_change(connection, key)
    assert known is not None
    wait = max(known.seconds_until(float(known.value)), -(burst - 1) * interval)
    put(connection, key, known.now.timestamp() + wait + interval, known.now)
    return max(0.0, wait)
