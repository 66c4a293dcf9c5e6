"""
Token buckets by key: in memory for one process, in the `buckets` table for several.

A request costs no write. A process leases some tokens from the shared bucket and spends them by itself; what it
has not spent when the lease ends it gives back with its next lease. So all processes together never admit more
than the bucket gave out, and less by at most what was leased in the last seconds.

A process times its leases by its monotonic clock, and the table is refilled by the clock of the database: nothing
here depends on the wall clock of a process.
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
_SHARE: Final = 50  # a lease is at most one 50th of the capacity
_EMPTY_SECONDS: Final = 0.5
_FULL_AGAIN: Final = timedelta(minutes=5)  # more than the minute in which a rate refills
_log = structlog.get_logger("kaisoumail.limits")

K = TypeVar("K")
V = TypeVar("V")


class Buckets(Protocol):
    """The interface of local and shared buckets. Times are seconds of a monotonic clock."""

    async def take(self, key: str, rate: Rate, now: float) -> LimitStatus:
        """Take one token if the bucket has one; then the returned status has *passed*."""
        ...

    async def drain(self, key: str, rate: Rate, now: float, number: int) -> None:
        """Take *number* tokens, or as many as there are."""
        ...

    def give_back(self, key: str, rate: Rate, now: float) -> None:
        """Put back one token."""
        ...


class LruMap(OrderedDict[K, V]):
    """A map of the *most* keys that were used last, so that a flood of new keys has bounded memory."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def used(self, key: K, value: V) -> None:
        """Set *key* to *value* as the one used last; beyond the limit, drop the one used longest ago."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)


class LocalBuckets:
    """Buckets of one process: one number for each key, the instant at which its bucket was empty."""

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self._empty_since: LruMap[str, float] = LruMap(most_keys)

    def __len__(self) -> int:
        return len(self._empty_since)

    async def take(self, key: str, rate: Rate, now: float) -> LimitStatus:
        tokens = level(rate, self._empty_since.get(key, FULL), now)
        passed = tokens >= 1
        left = tokens - 1 if passed else tokens
        self._empty_since.used(key, after(rate, left, now))
        return LimitStatus(rate, passed, left, wait_for(rate, left))

    async def drain(self, key: str, rate: Rate, now: float, number: int) -> None:
        tokens = level(rate, self._empty_since.get(key, FULL), now)
        self._empty_since.used(key, after(rate, max(0.0, tokens - number), now))

    def give_back(self, key: str, rate: Rate, now: float) -> None:
        tokens = level(rate, self._empty_since.get(key, FULL), now)
        self._empty_since.used(key, after(rate, tokens + 1, now))


@dataclass(slots=True)
class _Lease:
    """
    What a process holds of one bucket: *held* tokens until *ends*, while the bucket has *left* more.

    *requested* is the size of its next lease. Until *empty_until* it requests none, because the bucket was empty.
    """

    held: int = 0
    ends: float = 0.0
    left: float = 0.0
    requested: int = 1
    empty_until: float = 0.0
    renewal: asyncio.Lock = field(default_factory=asyncio.Lock)


class SharedBuckets:
    """Buckets shared by all processes on one PostgreSQL."""

    def __init__(self, database: PostgresDatabase, most_keys: int = MOST_KEYS) -> None:
        self._database = database
        self._leases: LruMap[str, _Lease] = LruMap(most_keys)

    def __len__(self) -> int:
        return len(self._leases)

    async def take(self, key: str, rate: Rate, now: float) -> LimitStatus:
        """As `Buckets.take`; while the database cannot be used, every request passes."""
        lease = self._lease(key, rate)
        if not self._holds(lease, 1, now) and now >= lease.empty_until:
            async with lease.renewal:
                # A request before us may have leased enough, or found the bucket empty.
                if not self._holds(lease, 1, now) and now >= lease.empty_until:
                    await self._renew(key, rate, lease, now)
        passed = self._holds(lease, 1, now)
        lease.held -= 1 if passed else 0
        wait = wait_for(rate, lease.held + lease.left) if passed else max(lease.empty_until - now, 1 / rate.per_second)
        return LimitStatus(rate, passed, lease.held + lease.left, wait)

    def give_back(self, key: str, rate: Rate, now: float) -> None:
        lease = self._leases.get(key)
        if lease is not None:
            lease.held += 1

    async def drain(self, key: str, rate: Rate, now: float, number: int) -> None:
        """As `Buckets.drain`; what the lease does not hold is taken from the shared bucket."""
        lease = self._lease(key, rate)
        async with lease.renewal:
            if self._holds(lease, number, now):
                lease.held -= number
                return
            unspent, lease.held = lease.held, 0
            lease.left = await self._query(lambda c: drain(c, key, rate, number, unspent), 0.0)

    def _lease(self, key: str, rate: Rate) -> _Lease:
        lease = self._leases.get(key) or _Lease(requested=_largest_lease(rate))
        self._leases.used(key, lease)
        return lease

    @staticmethod
    def _holds(lease: _Lease, number: int, now: float) -> bool:
        return lease.held >= number and now < lease.ends

    async def _renew(self, key: str, rate: Rate, lease: _Lease, now: float) -> None:
        """Lease as many tokens as requested, or else one; if that fails, request none for a moment."""
        unspent, lease.held, lease.ends = lease.held, 0, now + LEASE_SECONDS
        for requested in sorted({lease.requested, 1}, reverse=True):
            left = await self._draw(key, rate, requested, unspent)
            if left is not None:
                lease.held, lease.left = requested, left
                lease.requested = min(2 * requested, _largest_lease(rate))
                return
            lease.requested = max(1, requested // 2)
        await self._query(lambda c: follow_clock_back(c, key), None)
        lease.held, lease.left = unspent, 0.0
        lease.empty_until = now + max(_EMPTY_SECONDS, 1 / rate.per_second)

    async def _draw(self, key: str, rate: Rate, number: int, unspent: int) -> float | None:
        """How many tokens are left after taking *number*; None if the bucket has fewer."""
        return await self._query(lambda c: draw(c, key, rate, number, unspent), 0.0)

    async def _query(self, work: Callable[[Connection], V], unknown: V) -> V:
        """What *work* returned, or *unknown* when the database cannot be used."""
        try:
            return await self._database.write_relaxed(work)
        except Problem as problem:
            # A failed query refuses no request: the request fails by itself if it needs the database.
            _log.warning("limits.unknown", code=problem.code)
            return unknown


def buckets_on(database: object) -> Callable[[], Buckets]:
    """The factory of buckets for *database*: shared for PostgreSQL, which several processes can use, else local."""
    return (lambda: SharedBuckets(database)) if isinstance(database, PostgresDatabase) else LocalBuckets


_now: Final = DatabaseNow()
_capacity: Final = cast(bindparam("capacity"), Float)
# Both are milliseconds. If `at` lies in the future the clock went back, and no time counts as passed.
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

_DRAIN: Final[Any] = (
    postgresql.insert(buckets)
    .values(key=bindparam("key"), tokens=func.greatest(0, _capacity - _number), at=_now)
    .on_conflict_do_update(
        index_elements=[buckets.c.key], set_={"tokens": func.greatest(0, _refilled - _number), "at": _now}
    )
    .returning(buckets.c.tokens)
)


def draw(connection: Connection, key: str, rate: Rate, number: int, unspent: int) -> float | None:
    """
    How many tokens are left in the bucket *key* after giving back *unspent* and taking *number*; None if it has fewer.

    One statement of PostgreSQL, so that two processes never take the same token. Nothing changes, and nothing
    is given back, when it has fewer. A rate's capacity is at least *number*.
    """
    values = {"key": key, "capacity": rate.capacity, "per_second": rate.per_second, "number": number}
    row = connection.execute(_DRAW, {**values, "unspent": unspent}).one_or_none()
    return None if row is None else float(row.tokens)


def drain(connection: Connection, key: str, rate: Rate, number: int, unspent: int) -> float:
    """How many tokens are left in the bucket *key* after giving back *unspent* and taking *number*; at least 0."""
    values = {"key": key, "capacity": rate.capacity, "per_second": rate.per_second, "number": number}
    return float(connection.execute(_DRAIN, {**values, "unspent": unspent}).one().tokens)


def follow_clock_back(connection: Connection, key: str | None = None) -> None:
    """
    Let the bucket *key*, or every one, refill from now on if the database's clock went back since it was last used.

    A refused draw changes nothing, so an empty bucket would stay empty until that clock has caught up.
    """
    ahead = update(buckets).where(buckets.c.at > _now).values(at=_now)
    connection.execute(ahead if key is None else ahead.where(buckets.c.key == key))


async def forget_full(database: object) -> None:
    """Delete shared buckets that were not used lately: a full bucket needs no row."""
    if isinstance(database, PostgresDatabase):
        await database.write_relaxed(follow_clock_back)
        await database.write_relaxed(
            lambda connection: connection.execute(delete(buckets).where(buckets.c.at < in_time(-_FULL_AGAIN)))
        )


def _largest_lease(rate: Rate) -> int:
    return max(1, min(_MOST_LEASED, rate.capacity // _SHARE))
