"""Heartbeats: each process writes its own and watches those of the others."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from functools import partial

from kaisoumail.model.clock import MonotonicClock
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.tables import processes


class Heartbeats:
    """
    The heartbeat of *process_id*, and the watch over all other processes on *database*.

    Another process is dead when its last beat has not changed for *dead_after* seconds of *clock*, the clock of this
    process. No two wall clocks are compared, so those of other processes and of the database may be wrong.
    """

    def __init__(self, database: Database, process_id: str, dead_after: float, clock: MonotonicClock) -> None:
        self._database = database
        self._process_id = process_id
        self._dead_after = dead_after
        self._clock = clock
        # Of each other process: its last beat, and when that was first seen.
        self._last_beats: dict[str, tuple[datetime, float]] = {}

    async def beat(self) -> None:
        """Write that this process is alive. Not in a transaction with messages: a lock on its row would block them."""
        await self._database.write_relaxed(partial(processes.beat, process_id=self._process_id))

    async def end(self) -> None:
        """Write that this process has ended: others take over its runs without waiting for *dead_after*."""
        await self._database.write(partial(processes.end, process_id=self._process_id))

    async def note_the_unknown(self, process_ids: Iterable[str]) -> None:
        """Mark those of *process_ids* that never beat as ended."""
        known = await self._database.read(processes.beats)
        for unknown in set(process_ids).difference(known):
            await self._database.write(partial(processes.end, process_id=unknown))

    async def claimed(self) -> AsyncIterator[str]:
        """Yields each dead process once it is claimed: only this process may take it over then, for a while."""
        for dead, last_beat in (await self._dead()).items():
            if await self._database.write(partial(processes.claim, process_id=dead, last_beat=last_beat)):
                yield dead

    async def forget(self, process_id: str) -> None:
        """Remove a dead process whose runs have all been taken over."""
        await self._database.write(partial(processes.forget, process_id=process_id))

    async def _dead(self) -> dict[str, datetime]:
        """The last beat of each dead or ended process, by its id."""
        began = self._clock()
        beats = await self._database.read(processes.beats)
        now, before = self._clock(), self._last_beats
        self._last_beats = {
            other: before[other] if other in before and before[other][0] == last else (last, now)
            for other, last in beats.items()
            if other != self._process_id
        }
        return {
            other: last
            for other, (last, since) in self._last_beats.items()
            if last == processes.ENDED or began - since >= self._dead_after
        }
