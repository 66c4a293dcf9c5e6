"""
The `facts` table: the few small things all processes must agree on.

`cloudflare_pace`: when the next request to Cloudflare may go out. `cloudflare_cooldown`: until when
none may, and who brought that about. `cloudflare_zones`: the zones as last seen.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from kaisoumail.storage.inserts import insert_unless_known
from kaisoumail.storage.tables import facts


def find(connection: Connection, key: str) -> tuple[Any, datetime] | None:
    """What is known under *key*, and since when."""
    row = connection.execute(select(facts.c.value, facts.c.updated_at).where(facts.c.key == key)).one_or_none()
    return None if row is None else (row.value, row.updated_at)


def put(connection: Connection, key: str, value: Any, now: datetime) -> None:
    """Remember *value*, plain JSON, under *key*."""
    if not insert_unless_known(connection, facts, {"key": key, "value": value, "updated_at": now}):
        connection.execute(update(facts).where(facts.c.key == key).values(value=value, updated_at=now))


def forget(connection: Connection, key: str) -> None:
    connection.execute(delete(facts).where(facts.c.key == key))


def reserve(connection: Connection, key: str, now: datetime, interval: float, burst: int) -> float:
    """
    How many seconds to wait before the next request may go out; the place in the queue is taken.

    At most *burst* requests at once and one every *interval* seconds in the long run, over all
    processes: in any window of T seconds at most T / interval + burst (GCRA, as in ITU-T I.371).
    """
    at = now.timestamp()
    insert_unless_known(connection, facts, {"key": key, "value": 0.0, "updated_at": now})
    row = connection.execute(select(facts.c.value).where(facts.c.key == key).with_for_update()).one()
    free_from = max(float(row.value), at - (burst - 1) * interval)
    connection.execute(update(facts).where(facts.c.key == key).values(value=free_from + interval, updated_at=now))
    return max(0.0, free_from - at)


def backlog(connection: Connection, key: str, now: datetime) -> float:
    """How far ahead, in seconds, places are taken; 0 or less when a request could go out at once."""
    row = connection.execute(select(facts.c.value).where(facts.c.key == key)).one_or_none()
    return 0.0 if row is None else float(row.value) - now.timestamp()
