"""Whether this process can serve requests now, for load balancers and the like."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Final

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.signals import Signals
from kaisoumail.storage.tables import processes

REASONS: Final = {
    "database_unreachable": "The database does not answer",
    "connections_exhausted": "The database has no connection left for this process",
    "writer_stuck": "Nothing has been written for a while: the writing connection is blocked",
    "signals_lost": "Signals of other processes do not arrive: long polls and event streams are late",
    "engine_silent": "The workflow engine of this process does not run, or its heartbeat is old",
}
_ANSWER_SECONDS: Final = 3.0


class Readiness:
    """
    Checks what the process *process_id* needs: its database, its signals and its workflow engine.

    Concurrent checks share one query to the database, because any client may call them. *dead_after* is the age in
    seconds at which the heartbeat of the engine is too old.
    """

    def __init__(self, database: Database, signals: Signals, process_id: str, dead_after: float) -> None:
        self._database = database
        self._signals = signals
        self._process_id = process_id
        self._dead_after = timedelta(seconds=dead_after)
        self._query: asyncio.Task[str | None] | None = None

    async def check(self) -> None:
        """Raises Problem `not_ready` with every reason in its details. Takes a few seconds at most."""
        faults = [await self._fault_of_the_database(), *self._database.faults]
        if not self._signals.is_connected:
            faults.append("signals_lost")
        reasons = [code for code in REASONS if code in faults]
        if reasons:
            listed = [{"code": code, "message": REASONS[code]} for code in reasons]
            raise Problem("not_ready", "Not ready: " + ", ".join(reasons), reasons=listed)

    async def _fault_of_the_database(self) -> str | None:
        if self._query is None or self._query.done():
            self._query = asyncio.create_task(self._query_heartbeat())
        query = self._query
        await asyncio.wait([query], timeout=_ANSWER_SECONDS)  # not cancelled: the next check joins it
        return query.result() if query.done() else "database_unreachable"

    async def _query_heartbeat(self) -> str | None:
        try:
            silent = await self._database.read(partial(processes.silent_for, process_id=self._process_id))
        except Problem:
            return "database_unreachable"
        return None if silent is not None and silent < self._dead_after else "engine_silent"
