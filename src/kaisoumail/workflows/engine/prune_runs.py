"""Deletes old runs that ended, with the results of their steps."""

from datetime import timedelta
from functools import partial
from typing import Final

from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.tables import runs
from kaisoumail.storage.tables.runs import RunRow
from kaisoumail.workflows.engine import dbos_adapter
from kaisoumail.workflows.engine.registry import JOBS

_AT_ONCE: Final = 200


async def prune_runs(database: Database, age: timedelta, *, shown: bool) -> int:
    """
    Delete the runs that ended longer than *age* ago; returns how many.

    *shown* selects the runs of jobs that are shown on a page, or of all others; a job that this release does not know
    counts as shown. An engine must be running.
    """
    count = 0
    for job in await database.read(runs.jobs_that_ended):
        if shown is not (JOBS[job].is_shown if job in JOBS else True):
            continue
        while old := await database.read(partial(runs.ended_before, job=job, age=age, limit=_AT_ONCE)):
            # First what DBOS stores: without our row it could not be found again.
            await dbos_adapter.delete([place for row in old for place in _places(row)])
            await database.write(partial(runs.forget, ids=[row.id for row in old]))
            count += len(old)
    return count


def _places(row: RunRow) -> list[str]:
    return [dbos_adapter.workflow_id(row.id, attempt) for attempt in range(1, row.attempt + 1)]
