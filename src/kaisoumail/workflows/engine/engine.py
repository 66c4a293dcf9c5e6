"""
Durable runs. A run is a row of ours (`storage/tables/runs.py`), written in the transaction that makes it necessary, and
executed by the workflow library (`dbos_adapter.py`), which stores the result of each step.

An outage of our own storage never ends a run: a step waits until the storage is back, and after a while the run is left
open. `_resume_idle_runs` finds every open run that no process executes, whatever the cause, and has it executed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection

from kaisoumail.cloudflare.calls import recording
from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.errors import Problem
from kaisoumail.model.clock import MonotonicClock
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.tables import runs
from kaisoumail.storage.tables.runs import RunRow, RunStart
from kaisoumail.workflows.engine import dbos_adapter, older_runs
from kaisoumail.workflows.engine.heartbeats import Heartbeats
from kaisoumail.workflows.engine.periodic import repeating
from kaisoumail.workflows.engine.progress import Progress
from kaisoumail.workflows.engine.registry import JOBS, Job, job_of
from kaisoumail.workflows.engine.results import (
    RunFailed,
    StepResult,
    UnreadableResult,
    has_failed,
    outcome_error,
    outcome_of,
    outcome_value,
    step_result,
)
from kaisoumail.workflows.engine.steps import Execution, RestartRun, RunLeftOpen, executing
from kaisoumail.workflows.engine.timing import USUAL, Timing

T = TypeVar("T")

WAIT_SECONDS: Final = 25.0  # proxies give up on an answer after 30
_OPEN: Final = ["PENDING", "ENQUEUED"]
_FINISH_SECONDS: Final = 5.0
_STORAGE_OUTAGES: Final = ("storage_unavailable", "storage_locked")
_POLL_SECONDS: Final = 0.5
_SETTLED_SECONDS: Final = 1.0
_log = structlog.get_logger("kaisoumail.workflows")


class StillRunning(Problem):
    """The Problem `still_working`: the run continues, and a caller that asks for the same again joins it."""

    def __init__(self, run_id: str) -> None:
        super().__init__("still_working", "This takes longer; it goes on, and asking again joins it", runId=run_id)


class Run:
    """One run of a job."""

    def __init__(self, engine: "Engine", run_id: str) -> None:
        self._engine = engine
        self.id = run_id

    async def result(self, within: float = WAIT_SECONDS) -> Any:
        """
        What the job returned, as plain JSON; raises what the job raised. The run may be executed in another process.

        Raises StillRunning after *within* seconds and when this process stops first, while the run continues;
        RunFailed when a bug ended it.
        """
        return outcome_value(await self._engine.outcome(self.id, within))


class Engine:
    """
    Starts runs, and takes over those of processes that died.

    *url* is `sqlite:///…` or `postgresql://…`; *process_id* must be new for each start of a process. All seconds are
    those of *clock*.
    """

    def __init__(
        self,
        url: str,
        process_id: str,
        *,
        timing: Timing = USUAL,
        clock: MonotonicClock = monotonic,
    ) -> None:
        self.url = url
        self._process_id = process_id
        self._beat = timing.beat
        self._dead_after = timing.dead_after
        self._patience = timing.patience
        self._clock = clock
        self._database: Database | None = None
        self._context: Any = None
        self._tasks: dict[asyncio.Task[Any], str] = {}  # tasks that execute or start a run, with its id
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}  # the outcome of a run, by its id
        # Open runs that are not executed here: their state at DBOS, and since when.
        self._idle: dict[str, tuple[Any, float]] = {}
        self._is_stopping = False

    def begin(self, connection: Connection, job: str, key: str, **arguments: Any) -> RunStart:
        """
        The open run for *key*, begun now if there is none, in the caller's own transaction.

        After the commit the caller calls `launch`. If the process dies before, the run is still found and executed.
        """
        return runs.begin(connection, job=job, key=key, arguments=arguments, version=JOBS[job].version)

    def launch(self, run_start: RunStart) -> Run:
        """The run; a new one is executed in this process."""
        if run_start.is_new:
            self._execute_soon(run_start.run)
        return Run(self, run_start.run.id)

    async def start(self, job: str, key: str, **arguments: Any) -> Run:
        """
        A run of *job* for *key*: the open one if there is one, else a new one.

        While a run of another job for the key is open, waits for its end, so that no two change the same thing.
        Raises StillRunning when that takes longer than `WAIT_SECONDS`.
        """
        deadline = self._clock() + WAIT_SECONDS
        while True:
            run_start = await self._storage.write(partial(self.begin, job=job, key=key, **arguments))
            if run_start.is_new or run_start.run.job == job:
                return self.launch(run_start)
            await self.outcome(run_start.run.id, deadline - self._clock())

    async def progress(self, job: str, key: str) -> Progress | None:
        """
        How far the latest run of *job* for *key* is; None when no such run is stored.

        Raises UnreadableResult for a stored step in an unknown form.
        """
        row = await self._storage.read(partial(runs.latest, job=job, key=key))
        if row is None:
            return None
        steps = tuple(step_result(stored) for stored in await dbos_adapter.steps_of(_place(row)))
        return Progress(steps, row.is_open, outcome_error(row.outcome))

    async def outcome(self, run_id: str, within: float) -> dict[str, Any]:
        """
        The stored outcome of the run. Raises StillRunning after *within* seconds, and when this process stops.

        Raises RunFailed for a run whose row was removed, and the Problem of a storage that is unavailable until then.
        """
        deadline = self._clock() + within
        while not self._is_stopping:
            waiting = self._waiting.get(run_id)
            if waiting is None:
                row = await self._retry_outages(lambda: self._storage.read(partial(runs.find, run_id=run_id)), deadline)
                if row is None:
                    raise RunFailed(f"Run {run_id} is not remembered any more")
                if row.outcome is not None:
                    return row.outcome
                waiting = self._waiting[run_id] = asyncio.get_running_loop().create_future()
            left = deadline - self._clock()
            if left <= 0:
                break
            await asyncio.wait([waiting], timeout=min(left, _POLL_SECONDS))
            if waiting.done() and not waiting.cancelled():
                return waiting.result()
            self._waiting.pop(run_id, None)
        raise StillRunning(run_id)

    async def _run_step(self, name: str, call: Callable[[], Awaitable[Any]], shape: int) -> StepResult:
        """The result of *call* as the step *name*; retries while our own storage is unavailable."""
        with recording() as calls:
            try:
                return StepResult.of(name, await self._retry_outages(call), tuple(calls), shape)
            except Problem as refusal:
                return StepResult(name, calls=tuple(calls), error=refusal, shape=shape)
            except CloudflareError as refusal:
                unsent = () if refusal.answer in calls else (refusal.answer,)  # refused by the limiter
                return StepResult(name, calls=(*calls, *unsent), error=refusal, shape=shape)
            except Exception as bug:  # noqa: BLE001 - it ends this run, with a line
                _log.error("workflows.step_failed", step=name, exc_info=bug)
                return StepResult(name, calls=tuple(calls), error=bug, shape=shape)

    @asynccontextmanager
    async def running(self, context: Any, database: Database) -> AsyncIterator[None]:
        """
        Inside the block runs are executed, with *context*; they and the heartbeats are stored in *database*.

        At the end running runs get a few seconds to finish. The others stay as they are, and the next process takes
        them over without waiting for this one to be declared dead. Raises Problem `storage_unavailable` when DBOS's
        database cannot be opened.
        """
        self._context, self._database, self._is_stopping = context, database, False
        heartbeats = Heartbeats(database, self._process_id, self._dead_after, self._clock)
        async with dbos_adapter.running_dbos(
            self.url, self._process_id, self.execute, self._let_runs_finish, self._abandon_runs
        ):
            try:
                # The heartbeat starts before the first run and stops after the last: runs without one are taken over.
                await heartbeats.beat()
                async with repeating(self._beat, heartbeats.beat):
                    await _register_unknown_owners(heartbeats)
                    for run in await dbos_adapter.list_workflows(status="ENQUEUED", name=list(older_runs.NAMES)):
                        await self._begin_older_run(run.workflow_id)
                    async with (
                        repeating(self._beat, partial(self._take_over_dead_processes, heartbeats)),
                        repeating(self._beat, partial(self._resume_idle_runs, heartbeats)),
                    ):
                        yield
                    await self._let_runs_finish()
            finally:
                await heartbeats.end()

    async def execute(self, run_id: str, attempt: int) -> None:
        """Execute the run; DBOS calls this, in the process that started it or took it over."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = run_id
        executing.set(Execution(run_id, self._run_step))
        try:
            row = await self._retry_outages(lambda: self._storage.read(partial(runs.find, run_id=run_id)))
            if row is not None and row.is_open and row.attempt == attempt:
                await self._execute(row, job_of(row))
        finally:
            del self._tasks[task]

    async def _execute(self, row: RunRow, job: Job | None) -> None:
        if job is None:
            raise RunLeftOpen
        try:
            if row.version < job.continues:
                raise RestartRun
            outcome = await self._outcome_here(row, job)
        except RestartRun:
            _log.info("workflows.begun_again", run=row.id, job=row.job, version=row.version, now=job.version)
            begin_again = partial(runs.begin_again, run_id=row.id, attempt=row.attempt, version=job.version)
            await self._retry_outages(lambda: self._storage.write(begin_again))
            return
        end = partial(runs.end, run_id=row.id, outcome=outcome, has_failed=has_failed(outcome))
        await self._retry_outages(lambda: self._storage.write(end))
        waiting = self._waiting.pop(row.id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)

    async def _outcome_here(self, row: RunRow, job: Job) -> dict[str, Any]:
        try:
            return outcome_of(await job.function(self._context, **row.arguments))
        except (Problem, CloudflareError) as refusal:
            problem = refusal if isinstance(refusal, Problem) else refusal.problem()
            _log.info("workflows.run.refused", run=row.id, job=row.job, code=problem.code, reason=problem.message)
            return outcome_of(error=refusal)
        except UnreadableResult as unreadable:
            _log.error("workflows.run.set_aside", run=row.id, job=row.job, reason=str(unreadable))
            return outcome_of(error=unreadable)
        except RunFailed as failed:  # a bug in a step, which is logged there
            return outcome_of(error=failed)
        except Exception as bug:  # noqa: BLE001 - it ends this run, with a line
            _log.error("workflows.run.failed", run=row.id, job=row.job, exc_info=bug)
            return outcome_of(error=bug)

    def _execute_soon(self, row: RunRow) -> None:
        """
        Have DBOS execute the run, without waiting for that: its database may be unavailable.

        A run begun in a step of another one is none of that one's: DBOS keeps the step it is in as a context variable.
        """
        self._waiting.setdefault(row.id, asyncio.get_running_loop().create_future())
        context = Context() if executing.get(None) is not None else copy_context()
        task = asyncio.create_task(dbos_adapter.start(row.id, row.attempt), context=context)
        self._tasks[task] = row.id
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _resume_idle_runs(self, heartbeats: Heartbeats) -> None:
        """
        Have every open run executed that no process executes, after a crash or an outage of our storage.

        A run is idle once it has been in the same state for a while; another process may have begun it just now.
        """
        rows = await self._storage.read(runs.all_open)
        for ended in self._waiting.keys() - {row.id for row in rows}:
            self._waiting.pop(ended, None)  # `outcome` reads it within _POLL_SECONDS
        executed = set(self._tasks.values())
        for row, known in await self._settled_idle_runs([row for row in rows if row.id not in executed]):
            if known is None:
                self._execute_soon(row)
            elif known.status not in _OPEN:  # it has ended for DBOS, but not in our table
                begin_again = partial(runs.begin_again, run_id=row.id, attempt=row.attempt, version=row.version)
                await self._storage.write(begin_again)
            elif known.status == "PENDING" and known.executor_id == self._process_id:
                await dbos_adapter.resume(known.workflow_id)
            elif known.executor_id is not None:
                await heartbeats.note_the_unknown([known.executor_id])

    async def _settled_idle_runs(self, rows: list[RunRow]) -> list[tuple[RunRow, dbos_adapter.StoredWorkflow | None]]:
        """Those of *rows* that this release can execute and whose state is old enough, with what DBOS has stored."""
        ours = {_place(row): row for row in rows if job_of(row) is not None}
        stored = await dbos_adapter.list_workflows(workflow_ids=list(ours)) if ours else []
        known = {workflow.workflow_id: workflow for workflow in stored}
        now, before = self._clock(), self._idle
        states = {place: (known[place].status, known[place].executor_id) if place in known else None for place in ours}
        self._idle = {
            place: before[place] if place in before and before[place][0] == state else (state, now)
            for place, state in states.items()
        }
        # A run that DBOS has assigned to this process is about to be executed, which takes longer under load.
        assigned = {place for place, state in states.items() if state == ("PENDING", self._process_id)}
        settled = {place: max((5 if place in assigned else 2) * self._beat, _SETTLED_SECONDS) for place in ours}
        return [(row, known.get(place)) for place, row in ours.items() if now - self._idle[place][1] >= settled[place]]

    async def _take_over_dead_processes(self, heartbeats: Heartbeats) -> None:
        """
        Resume every open run of each dead process.

        A claim decides which process does so; if that one dies too, another continues. A process that was only slow
        loses its runs: DBOS stores no step of a run that was taken over. Runs of other releases are left to those.
        """
        async for dead in heartbeats.claimed():
            known = {_place(row): row for row in await self._storage.read(runs.all_open)}
            left = await dbos_adapter.list_workflows(status="PENDING", executor_id=dead)
            for run in left:
                row = known.get(run.workflow_id)
                if run.name != dbos_adapter.RUN:
                    await self._begin_older_run(run.workflow_id)
                elif row is None or job_of(row) is not None:
                    _log.info("workflows.taken_over", run=run.workflow_id, dead_process=dead)
                    await dbos_adapter.resume(run.workflow_id)
            if all(run.workflow_id not in known or job_of(known[run.workflow_id]) for run in left):
                await heartbeats.forget(dead)

    async def _begin_older_run(self, workflow_id: str) -> None:
        """Begin a run of a release without a table of runs again from its first step; its stored steps are not read."""
        await self._storage.write(partial(older_runs.begin, workflow_id=workflow_id))
        await dbos_adapter.delete([workflow_id])
        _log.info("workflows.begun_again", run=workflow_id)

    async def _retry_outages(self, call: Callable[[], Awaitable[T]], deadline: float | None = None) -> T:
        """
        What *call* returns; retried while our own storage is unavailable.

        Raises RunLeftOpen after the engine's *patience*; with a *deadline*, the Problem of the storage then.
        """
        until = self._clock() + self._patience if deadline is None else deadline
        pause = 0.05
        while True:
            try:
                return await call()
            except Problem as problem:
                if problem.code not in _STORAGE_OUTAGES or self._is_stopping:
                    raise
                if self._clock() >= until:
                    if deadline is not None:
                        raise
                    raise RunLeftOpen from problem
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)

    async def _let_runs_finish(self) -> None:
        """Wait a few seconds for the runs executed here; then `outcome` raises StillRunning for the others."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=_FINISH_SECONDS)
        await self._abandon_runs()

    async def _abandon_runs(self) -> None:
        self._is_stopping = True
        left = tuple(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()

    @property
    def _storage(self) -> Database:
        if self._database is None:
            raise RuntimeError("The engine is not running")
        return self._database


async def _register_unknown_owners(heartbeats: Heartbeats) -> None:
    """
    Mark as dead every process that has open runs but no row, as after our database was restored without DBOS's.

    Otherwise these runs would never be continued, and their keys would stay in use.
    """
    # Read the runs first: a process has its row before it has runs, so none that lives is marked.
    owners = {run.executor_id for run in await dbos_adapter.list_workflows(status="PENDING")}
    await heartbeats.note_the_unknown(owner for owner in owners if owner is not None)


def _place(row: RunRow) -> str:
    return dbos_adapter.workflow_id(row.id, row.attempt)
