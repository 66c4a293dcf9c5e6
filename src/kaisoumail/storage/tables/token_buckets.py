"""
Token buckets by key: in memory for one process, in the `buckets` table for several.

Nothing is written for a request. A process leases a handful of tokens from the shared bucket and spends them
by itself; what it has not spent in time it gives back with its next lease. So what all processes let through
never passes what the bucket gave, and is told from it by at most what was leased in the last seconds.

A process times its leases by its monotonic clock, the table is filled by the database's own: no wall clock of a
process decides anything here.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

import structlog
from sqlalchemy import Connection, Float, bindparam, cast, delete, func, update
from sqlalchemy.dialects import postgresql

from kaisoumail.errors import Problem
from kaisoumail.model.token_bucket import FULL, LimitStatus, Rate, after, level, wait_for
from kaisoumail.storage.engine.database_clock import DatabaseNow, in_time
from kaisoumail.storage.engine.postgres import PostgresDatabase
from kaisoumail.storage.engine.schema import buckets

MOST_KEYS: Final = 50_000
LEASE_SECONDS: Final = 10.0
_MOST_LEASED: Final = 100
_SHARE: Final = 50  # a lease is at most this part of the capacity
_SHUT_SECONDS: Final = 0.5
_FULL_AGAIN: Final = timedelta(minutes=5)  # more than the minute a rate takes
_log = structlog.get_logger("kaisoumail.limits")

K = TypeVar("K")
V = TypeVar("V")


class Buckets(Protocol):
    """What a limit needs of its buckets. Times are seconds of a monotonic clock."""

    async def take(self, key: str, rate: Rate, now: float, number: int = 1) -> LimitStatus:
        """Take *number* tokens if they are there; then the request has passed."""
        ...

    def give_back(self, key: str, rate: Rate, now: float) -> None:
        """Undo taking one token."""
        ...


class LruMap(OrderedDict[K, V]):
    """The *most* keys that were used last. A flood of new keys costs no more memory than this."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def used(self, key: K, value: V) -> None:
        self[key] = value
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)


class LocalBuckets:
    """Buckets of one process: a number for each key."""

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self._empty_since: LruMap[str, float] = LruMap(most_keys)

    def __len__(self) -> int:
        return len(self._empty_since)

    async def take(self, key: str, rate: Rate, now: float, number: int = 1) -> LimitStatus:
        there = level(rate, self._empty_since.get(key, FULL), now)
        passed = there >= number
        left = there - number if passed else there
        self._empty_since.used(key, after(rate, left, now))
        return LimitStatus(rate, passed, left, wait_for(rate, left))

    def give_back(self, key: str, rate: Rate, now: float) -> None:
        there = level(rate, self._empty_since.get(key, FULL), now)
        self._empty_since.used(key, after(rate, there + 1, now))


@dataclass(slots=True)
class _Lease:
    """
    What a process holds of one bucket: *held* tokens until *ends*, while the bucket has *left* more.

    *requested* is how many it asks for next; until *shut_until* it does not ask, because there was nothing.
    """

    held: int = 0
    ends: float = 0.0
    left: float = 0.0
    requested: int = 1
    shut_until: float = 0.0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class SharedBuckets:
    """Buckets that all processes on one PostgreSQL draw from."""

    def __init__(self, database: PostgresDatabase, most_keys: int = MOST_KEYS) -> None:
        self._database = database
        self._leases: LruMap[str, _Lease] = LruMap(most_keys)

    def __len__(self) -> int:
        return len(self._leases)

    async def take(self, key: str, rate: Rate, now: float, number: int = 1) -> LimitStatus:
        lease = self._leases.get(key) or _Lease(requested=_handful(rate))
        self._leases.used(key, lease)
        if not self._holds(lease, number, now) and now >= lease.shut_until:
            async with lease.asking:
                # Whoever asked before us may have brought enough, or heard that there is nothing.
                if not self._holds(lease, number, now) and now >= lease.shut_until:
                    await self._ask(key, rate, lease, number, now)
        passed = self._holds(lease, number, now)
        lease.held -= number if passed else 0
        wait = wait_for(rate, lease.held + lease.left) if passed else max(lease.shut_until - now, 1 / rate.per_second)
        return LimitStatus(rate, passed, lease.held + lease.left, wait)

    def give_back(self, key: str, rate: Rate, now: float) -> None:
        lease = self._leases.get(key)
        if lease is not None:
            lease.held += 1

    @staticmethod
    def _holds(lease: _Lease, number: int, now: float) -> bool:
        return lease.held >= number and now < lease.ends

    async def _ask(self, key: str, rate: Rate, lease: _Lease, number: int, now: float) -> None:
        """A new lease, of as many as requested or else of what is needed; without one the door is shut for a moment."""
        unspent, lease.held, lease.ends = lease.held, 0, now + LEASE_SECONDS
        for requested in sorted({max(lease.requested, number), number}, reverse=True):
            left = await self._drawn(key, rate, requested, unspent)
            if left is not None:
                lease.held, lease.left = requested, left
                lease.requested = min(2 * requested, _handful(rate))
                return
            lease.requested = max(1, requested // 2)
        await self._query(lambda c: follow_clock_back(c, key), None)
        lease.held, lease.left = unspent, 0.0
        lease.shut_until = now + max(_SHUT_SECONDS, number / rate.per_second)

    async def _drawn(self, key: str, rate: Rate, number: int, unspent: int) -> float | None:
        """What is left after *number* were given out; None if there were not so many."""
        return await self._query(lambda c: draw(c, key, rate, number, unspent), 0.0)

    async def _query(self, work: Callable[[Connection], V], unknown: V) -> V:
        """What *work* returned, or *unknown* when the database cannot be asked."""
        try:
            return await self._database.write_relaxed(work)
        except Problem as problem:
            # Nobody is refused because the limits cannot be looked up: the request will hear of the trouble itself.
            _log.warning("limits.unknown", code=problem.code)
            return unknown


def buckets_on(database: object) -> Callable[[], Buckets]:
    """What makes the buckets that fit *database*: shared where several processes may be, else in memory."""
    return (lambda: SharedBuckets(database)) if isinstance(database, PostgresDatabase) else LocalBuckets


_now: Final = DatabaseNow()
_capacity: Final = cast(bindparam("capacity"), Float)
# Both are milliseconds in the column. A bucket filled in the future: the clock went back, and nothing has passed.
_passed: Final = func.greatest(0, cast(_now, Float) - cast(buckets.c.at, Float)) / 1000.0
_refilled: Final = func.least(
    _capacity,
    buckets.c.tokens + cast(bindparam("unspent"), Float) + _passed * cast(bindparam("per_second"), Float),
)
_number: Final = cast(bindparam("number"), Float)
_DRAW: Final[Any] = (
    postgresql.insert(buckets)
    .values(key=bindparam("key"), tokens=_capacity - _number, at=_now)
    .on_conflict_do_update(
        index_elements=[buckets.c.key],
        set_={"tokens": _refilled - _number, "at": _now},
        where=_refilled >= _number,
    )
    .returning(buckets.c.tokens)
)


def draw(connection: Connection, key: str, rate: Rate, number: int, unspent: int) -> float | None:
    """
    Take *number* tokens from the bucket *key*, giving back *unspent* ones; what is left, or None if it has fewer.

    One statement for PostgreSQL, so that two processes never take the same token. Nothing changes, and nothing
    is given back, when it has fewer. A rate's capacity is at least *number*.
    """
    values = {"key": key, "capacity": rate.capacity, "per_second": rate.per_second, "number": number}
    row = connection.execute(_DRAW, {**values, "unspent": unspent}).one_or_none()
    return None if row is None else float(row.tokens)


def follow_clock_back(connection: Connection, key: str | None = None) -> None:
    """
    Have the bucket *key*, or every one, fill from now on if the database's clock went back since it was drawn from.

    A draw that is refused changes nothing, so an empty bucket would stay empty until that clock is where it was.
    """
    ahead = update(buckets).where(buckets.c.at > _now).values(at=_now)
    connection.execute(ahead if key is None else ahead.where(buckets.c.key == key))


async def forget_full(database: object) -> None:
    """Drop shared buckets nobody drew from lately: one that is full again is like one never used."""
    if isinstance(database, PostgresDatabase):
        await database.write_relaxed(follow_clock_back)
        await database.write_relaxed(
            lambda connection: connection.execute(delete(buckets).where(buckets.c.at < in_time(-_FULL_AGAIN)))
        )


def _handful(rate: Rate) -> int:
    return max(1, min(_MOST_LEASED, rate.capacity // _SHARE))
