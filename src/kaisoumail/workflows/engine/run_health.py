"""The health of stored runs, for the operator: open, of another release, failed."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.tables import runs
from kaisoumail.workflows.engine.registry import job_of

_FAILED_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class RunHealth:
    """How many runs are *open*; the ids of those of jobs or versions unknown here, and of the last ten that failed."""

    open: int
    foreign: tuple[str, ...]
    failed: tuple[str, ...]


async def read_run_health(database: Database) -> RunHealth:
    """The health of the runs in *database*; no engine has to be running."""
    rows = await database.read(runs.all_open)
    failed = await database.read(partial(runs.failed, limit=_FAILED_SHOWN))
    foreign = tuple(row.id for row in rows if job_of(row) is None)
    return RunHealth(len(rows), foreign, tuple(row.id for row in failed))
