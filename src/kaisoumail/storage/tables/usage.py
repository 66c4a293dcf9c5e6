"""
How many bytes each user stores, without a query for every message.

Mailboxes count their own bytes; a user's total is the sum, and reading it for each message would cost more than
storing the message. So it is read every 30 s and what this process stores is added; near the limit it is read
each time. What other processes store meanwhile can exceed the limit by as much.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.schema import mailboxes
from kaisoumail.storage.tables.token_buckets import LruMap

_FRESH_SECONDS: Final = 30.0
_NEAR: Final = 0.9
_MOST_USERS: Final = 10_000
_TOTALS: Final = (
    select(mailboxes.c.user_id, func.sum(mailboxes.c.stored_bytes))
    .where(mailboxes.c.user_id.in_(bindparam("users", expanding=True)))
    .group_by(mailboxes.c.user_id)
)


class Usage:
    """The totals, for a *limit* in bytes for each user; with 0 nothing is ever read."""

    def __init__(self, database: Database, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._limit = limit
        self._clock = clock
        self._known: LruMap[str, tuple[int, float]] = LruMap(_MOST_USERS)

    async def look_at(self, users: Iterable[str]) -> None:
        """Read the totals of those of *users* whose total is old or near the limit."""
        stale = {user for user in users if self._limit and self._is_stale(user)}
        if not stale:
            return
        totals = await self._database.read(lambda connection: totals_of(connection, stale))
        for user in stale:
            self._known.used(user, (totals.get(user, 0), self._clock()))

    def add(self, user: str, stored_bytes: int) -> None:
        """Add what this process has stored since the total was read."""
        if user in self._known:
            total, since = self._known[user]
            self._known[user] = total + stored_bytes, since

    def of(self, user: str) -> int:
        """The total as last read, in bytes; 0 for a user whose total was never read."""
        return self._known.get(user, (0, 0.0))[0]

    def _is_stale(self, user: str) -> bool:
        total, since = self._known.get(user, (self._limit, 0.0))
        return total >= _NEAR * self._limit or self._clock() - since > _FRESH_SECONDS


def totals_of(connection: Connection, users: Iterable[str]) -> dict[str, int]:
    """How many bytes each of *users* stores, by the counts of their mailboxes; users without a mailbox are missing."""
    return {user: int(total) for user, total in connection.execute(_TOTALS, {"users": list(users)})}
