"""
The `runs` table: the open run of each key, and the outcomes of ended runs.

A row is written in the transaction of the change that needs the run, so that neither exists without the other. At most
one run of a key is open, of any job: of two concurrent starts the database chooses one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from kaisoumail.model.ids import new_id
from kaisoumail.storage.engine.database_clock import database_now, in_time
from kaisoumail.storage.engine.schema import runs
from kaisoumail.storage.engine.upsert import insert_unless_known


@dataclass(frozen=True, slots=True)
class RunRow:
    """
    A run of *job* about *key*, started by *version* of its code.

    *attempt* counts how often it was started from its first step. *outcome* is plain JSON, None until it has ended.
    """

    id: str
    job: str
    key: str
    arguments: dict[str, Any]
    version: int
    attempt: int
    started_at: datetime
    ended_at: datetime | None
    outcome: dict[str, Any] | None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class RunStart:
    """An open run, and whether it was started by this call."""

    run: RunRow
    is_new: bool


def begin(connection: Connection, *, job: str, key: str, arguments: dict[str, Any], version: int) -> RunStart:
    """A new run of *job* about *key*; if that key has an open run, of any job, that one."""
    latest = select(func.max(runs.c.number)).where(runs.c.job == job, runs.c.key == key)
    row = {
        "id": new_id("run"),
        "job": job,
        "key": key,
        "number": (connection.execute(latest).scalar() or 0) + 1,
        "arguments": arguments,
        "version": version,
        "attempt": 1,
        "started_at": database_now(connection),
    }
    while True:
        is_new = insert_unless_known(connection, runs, row)
        found = find_open(connection, key)
        if found is not None:  # else it ended between the two statements
            return RunStart(found, is_new)


def find(connection: Connection, run_id: str) -> RunRow | None:
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
    return None if row is None else _run(row)


def find_open(connection: Connection, key: str) -> RunRow | None:
    """The run about *key* that has not ended."""
    row = connection.execute(select(runs).where(runs.c.key == key, runs.c.ended_at.is_(None))).one_or_none()
    return None if row is None else _run(row)


def latest(connection: Connection, job: str, key: str) -> RunRow | None:
    """The last run of *job* about *key*, open or not."""
    query = select(runs).where(runs.c.job == job, runs.c.key == key).order_by(runs.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _run(row)


def all_open(connection: Connection) -> list[RunRow]:
    """Every run that has not ended, oldest first."""
    query = select(runs).where(runs.c.ended_at.is_(None)).order_by(runs.c.started_at, runs.c.id)
    return [_run(row) for row in connection.execute(query)]


def begin_again(connection: Connection, run_id: str, *, attempt: int, version: int) -> bool:
    """Restart a run at its first step with *version* of its code; False if it has ended or is past *attempt*."""
    this = update(runs).where(runs.c.id == run_id, runs.c.attempt == attempt, runs.c.ended_at.is_(None))
    return connection.execute(this.values(attempt=attempt + 1, version=version)).rowcount == 1


def end(connection: Connection, run_id: str, outcome: dict[str, Any], *, has_failed: bool = False) -> bool:
    """
    Store the outcome of a run and free its key; False if it has ended already.

    A run *has_failed* if a bug of ours ended it, or a result that cannot be read.
    """
    this = update(runs).where(runs.c.id == run_id, runs.c.ended_at.is_(None))
    values = {"ended_at": database_now(connection), "outcome": outcome, "has_failed": has_failed}
    return connection.execute(this.values(values)).rowcount == 1


def failed(connection: Connection, limit: int) -> list[RunRow]:
    """At most *limit* failed runs that are still stored, the latest first."""
    query = select(runs).where(runs.c.has_failed, runs.c.ended_at.is_not(None)).order_by(runs.c.ended_at.desc())
    return [_run(row) for row in connection.execute(query.limit(limit))]


def ended_before(connection: Connection, job: str, age: timedelta, limit: int) -> list[RunRow]:
    """At most *limit* runs of *job* that ended longer ago than *age*."""
    query = select(runs).where(runs.c.ended_at < in_time(-age), runs.c.job == job).order_by(runs.c.ended_at)
    return [_run(row) for row in connection.execute(query.limit(limit))]


def jobs_that_ended(connection: Connection) -> list[str]:
    """The name of every job with ended runs, known to this release or not."""
    return list(connection.execute(select(runs.c.job).where(runs.c.ended_at.is_not(None)).distinct()).scalars())


def forget(connection: Connection, ids: Sequence[str]) -> None:
    """Delete the rows of ended runs. What the workflow engine stores of them must be deleted before."""
    connection.execute(delete(runs).where(runs.c.id.in_(ids)))


def _run(row: Row[Any]) -> RunRow:
    return RunRow(
        id=row.id,
        job=row.job,
        key=row.key,
        arguments=row.arguments,
        version=row.version,
        attempt=row.attempt,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
    )
