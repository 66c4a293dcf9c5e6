"""
Durable runs. A run is a row of ours (`storage/tables/runs.py`), written in the transaction that makes it necessary, and
executed by the workflow library (`dbos_adapter.py`), which keeps what each step came to.

Nothing of our own storage ends a run: a step waits until it is there again, and after a while the run is left open.
`_go_on_with_idle_runs` finds every open run that nobody executes, whatever became of it, and has it executed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
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
from kaisoumail.workflows.engine.periodic import repeated
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

T = TypeVar("T")

WAIT_SECONDS: Final = 25.0  # proxies give up on an answer after 30
_OPEN: Final = ["PENDING", "ENQUEUED"]
_FINISH_SECONDS: Final = 5.0
_STORAGE_TROUBLE: Final = ("storage_unavailable", "storage_locked")
_POLL_SECONDS: Final = 0.5
_SETTLED_SECONDS: Final = 1.0
_log = structlog.get_logger("kaisoumail.workflows")


class StillRunning(Problem):
    """The Problem `still_working` of a run that goes on; whoever asks for the same again joins it."""

    def __init__(self, run_id: str) -> None:
        super().__init__("still_working", "This takes longer; it goes on, and asking again joins it", runId=run_id)


class Run:
    """One run of a job."""

    def __init__(self, engine: "Engine", run_id: str) -> None:
        self._engine = engine
        self.id = run_id

    async def result(self, within: float = WAIT_SECONDS) -> Any:
        """
        What the job returned, as plain JSON, or raises what it raised, in whichever process it ran.

        Raises StillRunning after *within* seconds and when this process stops before the run has ended, which goes
        on either way; RunFailed when a bug ended it.
        """
        return outcome_value(await self._engine.outcome(self.id, within))


class Engine:
    """
    Starts runs, and takes over those of processes that died.

    *url* is `sqlite:///…` or `postgresql://…`; *process_id* must be new for each start of a process.
    A process that has not been heard of for *dead_after* seconds of *clock* is dead; each says so every *beat*. A step
    waits for our own storage up to *patience* seconds; then its run is left open, and tried again after a beat or two.
    """

    def __init__(
        self,
        url: str,
        process_id: str,
        *,
        beat: float = 2.0,
        dead_after: float = 10.0,
        patience: float = 60.0,
        clock: MonotonicClock = monotonic,
    ) -> None:
        self.url = url
        self._process_id = process_id
        self._beat = beat
        self._dead_after = dead_after
        self._patience = patience
        self._clock = clock
        self._database: Database | None = None
        self._context: Any = None
        self._tasks: dict[asyncio.Task[Any], str] = {}  # that execute a run, or start one
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}  # for the outcome of a run
        self._idle: dict[
            str, tuple[Any, float]
        ] = {}  # open runs that are not executed here: in which state, since when
        self._is_stopping = False

    def begin(self, connection: Connection, job: str, key: str, **arguments: Any) -> RunStart:
        """
        The open run about *key*, begun now if there was none, in the caller's own transaction.

        Whoever commits it calls `launch`; should they not live to do so, the run is found and executed all the same.
        """
        return runs.begin(connection, job=job, key=key, arguments=arguments, version=JOBS[job].version)

    def launch(self, begun: RunStart) -> Run:
        """The run, executed here from now on if it is new."""
        if begun.is_new:
            self._execute_soon(begun.run)
        return Run(self, begun.run.id)

    async def start(self, job: str, key: str, **arguments: Any) -> Run:
        """
        A run of *job* about *key*; the one that is open, if there is one.

        While a run of another job about the key is open, waits for its end, so that no two change the same thing.
        Raises StillRunning when that takes longer than anybody waits for an answer.
        """
        deadline = self._clock() + WAIT_SECONDS
        while True:
            begun = await self._storage.write(partial(self.begin, job=job, key=key, **arguments))
            if begun.is_new or begun.run.job == job:
                return self.launch(begun)
            await self.outcome(begun.run.id, deadline - self._clock())

    async def progress(self, job: str, key: str) -> Progress | None:
        """How far the latest run of *job* about *key* is; None if there is none that is still remembered."""
        row = await self._storage.read(partial(runs.latest, job=job, key=key))
        if row is None:
            return None
        taken = tuple(step_result(kept) for kept in await dbos_adapter.steps_of(_place(row)))
        return Progress(taken, row.is_open, outcome_error(row.outcome))

    async def outcome(self, run_id: str, within: float) -> dict[str, Any]:
        """What is stored of the run's end. Raises StillRunning after *within* seconds, and when this process stops."""
        deadline = self._clock() + within
        while not self._is_stopping:
            waiting = self._waiting.get(run_id)
            if waiting is None:
                row = await self._patiently(lambda: self._storage.read(partial(runs.find, run_id=run_id)), deadline)
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

    async def _take(self, name: str, call: Callable[[], Awaitable[Any]], shape: int) -> StepResult:
        """What *call* came to, as a step called *name*; trouble of our own storage is waited out."""
        with recording() as calls:
            try:
                return StepResult.of(name, await self._patiently(call), tuple(calls), shape)
            except Problem as refusal:
                return StepResult(name, calls=tuple(calls), error=refusal, shape=shape)
            except CloudflareError as refusal:
                own = () if refusal.answer in calls else (refusal.answer,)  # one that was refused before it was made
                return StepResult(name, calls=(*calls, *own), error=refusal, shape=shape)
            except Exception as bug:  # noqa: BLE001 - it ends this run, with a line
                _log.error("workflows.step_failed", step=name, exc_info=bug)
                return StepResult(name, calls=tuple(calls), error=bug, shape=shape)

    @asynccontextmanager
    async def running(self, context: Any, database: Database) -> AsyncIterator[None]:
        """
        Runs are executed inside the block, with *context*; they and the heartbeats are kept in *database*.

        On the way out runs get a few seconds to end; what is left stays as it is, and the next process
        takes it over without waiting for this one to be declared dead. Raises Problem
        `storage_unavailable` when the engine's own database cannot be opened.
        """
        self._context, self._database, self._is_stopping = context, database, False
        heartbeats = Heartbeats(database, self._process_id, self._dead_after, self._clock)
        async with dbos_adapter.launched(
            self.url, self._process_id, self.execute, self._let_runs_finish, self._abandon_runs
        ):
            try:
                # From the first run to the last there is a sign of life: what has none is taken over.
                await heartbeats.beat()
                async with repeated(self._beat, heartbeats.beat):
                    await _give_the_unknown_a_row(heartbeats)
                    for run in await dbos_adapter.listed(status="ENQUEUED", name=list(older_runs.NAMES)):
                        await self._begin_as_ours(run.workflow_id)
                    async with (
                        repeated(self._beat, partial(self._take_over_the_dead, heartbeats)),
                        repeated(self._beat, partial(self._go_on_with_idle_runs, heartbeats)),
                    ):
                        yield
                    await self._let_runs_finish()
            finally:
                await heartbeats.end()

    async def execute(self, run_id: str, attempt: int) -> None:
        """Execute the run; called by the library, here or wherever it is taken over."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = run_id
        executing.set(Execution(run_id, self._take))
        try:
            row = await self._patiently(lambda: self._storage.read(partial(runs.find, run_id=run_id)))
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
            again = partial(runs.begin_again, run_id=row.id, attempt=row.attempt, version=job.version)
            await self._patiently(lambda: self._storage.write(again))
            return
        end = partial(runs.end, run_id=row.id, outcome=outcome, has_failed=has_failed(outcome))
        await self._patiently(lambda: self._storage.write(end))
        waiting = self._waiting.pop(row.id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)

    async def _outcome_here(self, row: RunRow, job: Job) -> dict[str, Any]:
        try:
            return outcome_of(await job.function(self._context, **row.arguments))
        except (Problem, CloudflareError) as refusal:
            told = refusal if isinstance(refusal, Problem) else refusal.problem()
            _log.info("workflows.run.refused", run=row.id, job=row.job, code=told.code, reason=told.message)
            return outcome_of(error=refusal)
        except UnreadableResult as unreadable:
            _log.error("workflows.run.set_aside", run=row.id, job=row.job, reason=str(unreadable))
            return outcome_of(error=unreadable)
        except RunFailed as failed:  # a bug in a step, which has its line
            return outcome_of(error=failed)
        except Exception as bug:  # noqa: BLE001 - it ends this run, with a line
            _log.error("workflows.run.failed", run=row.id, job=row.job, exc_info=bug)
            return outcome_of(error=bug)

    def _execute_soon(self, row: RunRow) -> None:
        """Have the library execute the run, without waiting for that: its database may be in trouble."""
        self._waiting.setdefault(row.id, asyncio.get_running_loop().create_future())
        task = asyncio.create_task(dbos_adapter.start(row.id, row.attempt))
        self._tasks[task] = row.id
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _go_on_with_idle_runs(self, heartbeats: Heartbeats) -> None:
        """
        Have every open run executed that nobody executes: its process died before it could, or our storage failed it.

        A run is idle once it has been in the same state for a while; another process may just have begun it.
        """
        rows = await self._storage.read(runs.all_open)
        for ended in self._waiting.keys() - {row.id for row in rows}:
            self._waiting.pop(ended, None)  # who waits for it looks for itself
        executed = set(self._tasks.values())
        for row, known in await self._idle_since_a_while([row for row in rows if row.id not in executed]):
            if known is None:
                self._execute_soon(row)
            elif known.status not in _OPEN:  # it ended there, and not here
                again = partial(runs.begin_again, run_id=row.id, attempt=row.attempt, version=row.version)
                await self._storage.write(again)
            elif known.status == "PENDING" and known.executor_id == self._process_id:
                await dbos_adapter.resume(known.workflow_id)
            elif known.executor_id is not None:
                await heartbeats.note_the_unknown([known.executor_id])

    async def _idle_since_a_while(self, rows: list[RunRow]) -> list[tuple[RunRow, dbos_adapter.StoredWorkflow | None]]:
        """Those of *rows* that are ours to execute and have not changed their state, with what the library knows."""
        ours = {_place(row): row for row in rows if job_of(row) is not None}
        known = {one.workflow_id: one for one in await dbos_adapter.listed(workflow_ids=list(ours))} if ours else {}
        now, before = self._clock(), self._idle
        states = {place: (known[place].status, known[place].executor_id) if place in known else None for place in ours}
        self._idle = {
            place: before[place] if place in before and before[place][0] == state else (state, now)
            for place, state in states.items()
        }
        # One that the library handed to this process is about to be executed, which takes a while where all is busy.
        mine = {place for place, one in known.items() if (one.status, one.executor_id) == ("PENDING", self._process_id)}
        settled = {place: max((5 if place in mine else 2) * self._beat, _SETTLED_SECONDS) for place in ours}
        return [(row, known.get(place)) for place, row in ours.items() if now - self._idle[place][1] >= settled[place]]

    async def _take_over_the_dead(self, heartbeats: Heartbeats) -> None:
        """
        Resume every open run of each silent process.

        A claim settles which survivor does so; should that one die too, another goes on. A process that was only slow
        loses its runs: the library keeps no step of one that changed hands. Runs of other releases are left to those.
        """
        async for dead in heartbeats.claimed():
            known = {_place(row): row for row in await self._storage.read(runs.all_open)}
            left = await dbos_adapter.listed(status="PENDING", executor_id=dead)
            for run in left:
                row = known.get(run.workflow_id)
                if run.name != dbos_adapter.RUN:
                    await self._begin_as_ours(run.workflow_id)
                elif row is None or job_of(row) is not None:
                    _log.info("workflows.taken_over", run=run.workflow_id, dead_process=dead)
                    await dbos_adapter.resume(run.workflow_id)
            if all(run.workflow_id not in known or job_of(known[run.workflow_id]) for run in left):
                await heartbeats.forget(dead)

    async def _begin_as_ours(self, workflow_id: str) -> None:
        """Begin a run of the release that had no table of runs from its first step; what its steps stored is unread."""
        await self._storage.write(partial(older_runs.begin, workflow_id=workflow_id))
        await dbos_adapter.delete([workflow_id])
        _log.info("workflows.begun_again", run=workflow_id)

    async def _patiently(self, call: Callable[[], Awaitable[T]], deadline: float | None = None) -> T:
        """What *call* returns, once our own storage is there for it. Raises LeftOpen when that takes too long."""
        until = self._clock() + self._patience if deadline is None else deadline
        pause = 0.05
        while True:
            try:
                return await call()
            except Problem as problem:
                if problem.code not in _STORAGE_TROUBLE or self._is_stopping:
                    raise
                if self._clock() >= until:
                    if deadline is not None:
                        raise
                    raise RunLeftOpen from problem
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)

    async def _let_runs_finish(self) -> None:
        """Wait for the runs that are being executed, a little; who waits for another hears that it goes on."""
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


async def _give_the_unknown_a_row(heartbeats: Heartbeats) -> None:
    """
    Note as dead whoever has open runs but no row, as after our database was restored without DBOS's.

    Otherwise nobody would ever go on with these runs, and their keys would stay taken.
    """
    # The runs first: a process has its row before it has runs, so the living cannot be missed.
    owners = {run.executor_id for run in await dbos_adapter.listed(status="PENDING")}
    await heartbeats.note_the_unknown(owner for owner in owners if owner is not None)


def _place(row: RunRow) -> str:
    return dbos_adapter.place(row.id, row.attempt)
