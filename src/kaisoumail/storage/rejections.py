"""
The `rejections` table, and the ledger that fills it.

A refusal is said at once and written down a moment later, many together: whoever knocks at a thousand
names must not make a thousand commits.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection, and_, delete, func, insert, or_, select

from kaisoumail.errors import Problem
from kaisoumail.model.rejection import Rejection
from kaisoumail.storage.database import Database
from kaisoumail.storage.tables import rejections

MOST_KEPT: Final = 100_000
_MOST_WAITING: Final = 2_000
_log = structlog.get_logger("kaisoumail.rejections")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the next one begins after it."""

    at: datetime
    id: str


def add_all(connection: Connection, refused: Sequence[Rejection]) -> None:
    connection.execute(insert(rejections), [asdict(rejection) for rejection in refused])


def listed(
    connection: Connection, limit: int, after: Place | None = None, domain: str | None = None
) -> list[Rejection]:
    """At most *limit*, newest first, those *after* a place; only for recipients under *domain* if one is given."""
    query = select(rejections)
    if after is not None:
        same_instant = and_(rejections.c.at == after.at, rejections.c.id < after.id)
        query = query.where(or_(rejections.c.at < after.at, same_instant))
    if domain is not None:
        host = rejections.c.recipient
        query = query.where(host.endswith(f"@{domain}", autoescape=True) | host.endswith(f".{domain}", autoescape=True))
    rows = connection.execute(query.order_by(rejections.c.at.desc(), rejections.c.id.desc()).limit(limit))
    return [Rejection(**row._mapping) for row in rows]


def forget(connection: Connection, before: datetime) -> None:
    """Drop what is older than *before*, and the oldest of what is more than `MOST_KEPT`."""
    connection.execute(delete(rejections).where(rejections.c.at < before))
    surplus = connection.execute(select(func.count()).select_from(rejections)).scalar_one() - MOST_KEPT
    if surplus > 0:
        oldest = select(rejections.c.id).order_by(rejections.c.at, rejections.c.id).limit(surplus)
        connection.execute(delete(rejections).where(rejections.c.id.in_(oldest)))


class Ledger:
    """Refusals on their way into the table. Under a flood the surplus is counted in the log, not kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Rejection] = []
        self._task: asyncio.Task[None] | None = None
        self._left_out = 0

    def note(self, rejection: Rejection) -> None:
        """Write *rejection* down soon; returns at once and never fails."""
        if len(self._waiting) >= _MOST_WAITING:
            self._left_out += 1
            return
        self._waiting.append(rejection)
        if self._task is None:
            self._task = asyncio.create_task(self._write())

    async def written(self) -> None:
        """Returns when everything noted before is in the table, or was given up."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._keep(batch)
        finally:
            self._task = None

    async def _keep(self, batch: list[Rejection]) -> None:
        left_out, self._left_out = self._left_out, 0
        try:
            await self._database.write(partial(add_all, refused=batch))
        except Problem as problem:
            left_out += len(batch)
            _log.warning("rejections.not_written", reason=problem.message)
        if left_out:
            _log.warning("rejections.left_out", count=left_out)
