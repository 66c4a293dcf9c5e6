"""
The `rejections` table, and the ledger that fills it.

A refusal is sent at once and stored a moment later, many in one commit: a client that tries a thousand
recipients must not cause a thousand commits. Nor can a flood fill the disk until the next sweep: each write also
deletes the oldest rows beyond the limit.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Connection, and_, delete, func, insert, or_, select

from kaisoumail.errors import Problem
from kaisoumail.model.rejection import Rejection
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.schema import rejections

MOST_KEPT: Final = 100_000
_MOST_WAITING: Final = 2_000
_BATCH: Final = 1_000
_log = structlog.get_logger("kaisoumail.rejections")


@dataclass(frozen=True, slots=True)
class RejectionPageEnd:
    """Where a page ends: the next one begins after it."""

    at: datetime
    id: str


def add_all(connection: Connection, refused: Sequence[Rejection]) -> None:
    """Store *refused*, at least one."""
    connection.execute(insert(rejections), [_columns(rejection) for rejection in refused])


def listed(
    connection: Connection, limit: int, after: RejectionPageEnd | None = None, domain: str | None = None
) -> list[Rejection]:
    """At most *limit* rejections, newest first, *after* a page end; *domain* selects recipients at or below it."""
    query = select(rejections)
    if after is not None:
        same_instant = and_(rejections.c.at == after.at, rejections.c.id < after.id)
        query = query.where(or_(rejections.c.at < after.at, same_instant))
    if domain is not None:
        host = rejections.c.recipient
        query = query.where(host.endswith(f"@{domain}", autoescape=True) | host.endswith(f".{domain}", autoescape=True))
    rows = connection.execute(query.order_by(rejections.c.at.desc(), rejections.c.id.desc()).limit(limit))
    return [Rejection(row.id, row.at, row.door, row.sender, row.recipient, row.code) for row in rows]


def _columns(rejection: Rejection) -> dict[str, Any]:
    columns = asdict(rejection)
    return {"door": columns.pop("channel"), **columns}


def number(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(rejections)).scalar_one()


def forget_oldest(connection: Connection, limit: int) -> None:
    """Delete the oldest *limit* rows."""
    oldest = select(rejections.c.id).order_by(rejections.c.at, rejections.c.id).limit(limit)
    connection.execute(delete(rejections).where(rejections.c.id.in_(oldest)))


class RejectionLedger:
    """
    Rejections waiting to be stored. In a flood the surplus is not stored; the log counts it.

    The table has at most *most_kept* rows and a tenth more for each process: each counts the rows after as many writes.
    """

    def __init__(self, database: Database, most_kept: int = MOST_KEPT) -> None:
        self._database = database
        self._most_kept = most_kept
        self._uncounted = most_kept  # the first write counts the rows
        self._waiting: list[Rejection] = []
        self._task: asyncio.Task[None] | None = None
        self._left_out = 0

    def note(self, rejection: Rejection) -> None:
        """Store *rejection* soon; returns at once and never fails."""
        if len(self._waiting) >= _MOST_WAITING:
            self._left_out += 1
            return
        self._waiting.append(rejection)
        if self._task is None:
            self._task = asyncio.create_task(self._write())

    async def written(self) -> None:
        """Return when every rejection noted before is stored or given up."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._store(batch)
        finally:
            self._task = None

    async def _store(self, batch: list[Rejection]) -> None:
        left_out, self._left_out = self._left_out, 0
        try:
            await self._database.write(partial(add_all, refused=batch))
            await self._drop_surplus(len(batch))
        except Problem as problem:
            left_out += len(batch)
            _log.warning("rejections.not_written", reason=problem.message)
        if left_out:
            _log.warning("rejections.left_out", count=left_out)

    async def _drop_surplus(self, added: int) -> None:
        self._uncounted += added
        if self._uncounted < self._most_kept // 10:
            return
        surplus = await self._database.read(number) - self._most_kept
        for done in range(0, surplus, _BATCH):
            await self._database.write(partial(forget_oldest, limit=min(_BATCH, surplus - done)))
        self._uncounted = 0
