"""A database that refuses for a while, as one does that is locked, full or failing over."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.database import Database

T = TypeVar("T")


class FaultyDatabase:
    """*database*, whose next `refusals` calls, of those that write or of all, are refused before they do anything."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.url = database.url
        self.patience = database.patience
        self.refusals = 0
        self.refuses_reads = False
        self.is_lost_after_commit = False
        self.refused = asyncio.Event()

    async def read(self, work: Callable[[Connection], T]) -> T:
        if self.refuses_reads:
            self._refuse()
        return await self._database.read(work)

    async def read_inline(self, work: Callable[[Connection], T]) -> T:
        return await self.read(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        if not self.is_lost_after_commit:
            self._refuse()
        kept = await self._database.write(work)
        if self.is_lost_after_commit:
            self._refuse()
        return kept

    async def write_unless_locked(self, work: Callable[[Connection], T]) -> T:
        return await self.write(work)

    async def write_when_unlocked(self, work: Callable[[Connection], T]) -> T:
        return await self.write(work)

    async def write_relaxed(self, work: Callable[[Connection], T]) -> T:
        return await self._database.write_relaxed(work)  # heartbeats: the process is alive

    @property
    def faults(self) -> list[str]:
        return self._database.faults

    async def close(self) -> None:
        await self._database.close()

    def _refuse(self) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            self.refused.set()
            raise Problem(("storage_unavailable", "storage_locked")[self.refusals % 2], "Not just now")
