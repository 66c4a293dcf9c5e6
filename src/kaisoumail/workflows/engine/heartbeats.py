"""One process's sign of life, and its eye on the others'."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from functools import partial

from kaisoumail.model.clock import MonotonicClock
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.tables import processes


class Heartbeats:
    """
    Those of *process_id*, and of everybody else on *database*.

    Another one is dead when its last beat has been the same for *dead_after* seconds of *clock*, which is this
    process's own: no wall clock is compared with another, and whoever is watched may have any, like the database.
    """

    def __init__(self, database: Database, process_id: str, dead_after: float, clock: MonotonicClock) -> None:
        self._database = database
        self._process_id = process_id
        self._dead_after = dead_after
        self._clock = clock
        self._heard: dict[str, tuple[datetime, float]] = {}  # of each other one the last beat, and since when

    async def beat(self) -> None:
        """Say that this process is alive, in no transaction with messages: a lock on its row would stop them."""
        await self._database.write_relaxed(partial(processes.beat, process_id=self._process_id))

    async def end(self) -> None:
        await self._database.write(partial(processes.end, process_id=self._process_id))

    async def note_the_unknown(self, process_ids: Iterable[str]) -> None:
        """Those of *process_ids* that never beat have ended."""
        known = await self._database.read(processes.beats)
        for unknown in set(process_ids).difference(known):
            await self._database.write(partial(processes.end, process_id=unknown))

    async def claimed(self) -> AsyncIterator[str]:
        """The dead, each once this process alone may go on with its work: until it forgets it, or for a while."""
        for dead, last_beat in (await self._silent()).items():
            if await self._database.write(partial(processes.claim, process_id=dead, last_beat=last_beat)):
                yield dead

    async def forget(self, process_id: str) -> None:
        """Nothing is left of a dead one's work."""
        await self._database.write(partial(processes.forget, process_id=process_id))

    async def _silent(self) -> dict[str, datetime]:
        """The last beats of the dead, and of those that ended."""
        began = self._clock()
        beats = await self._database.read(processes.beats)
        now, before = self._clock(), self._heard
        self._heard = {
            one: before[one] if one in before and before[one][0] == last else (last, now)
            for one, last in beats.items()
            if one != self._process_id
        }
        return {
            one: last
            for one, (last, since) in self._heard.items()
            if last == processes.ENDED or began - since >= self._dead_after
        }
