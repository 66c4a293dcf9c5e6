"""
Durable runs: the only file that knows the workflow library (DBOS).

A workflow is an async function written as a list of steps. What a step returned is stored, so a run
that another process takes over goes on after the last finished step; the step that was running when
its process died runs again and must look first whether it already happened.

DBOS is one per process, so one Engine runs at a time. It is launched from within our event loop,
which is what makes it run our coroutines there, taken-over ones too (without a running loop it would
start one in a thread of its own); `Context` holds objects that belong to that loop.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowStatus, error
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import make_url

from kaisoumail.cloudflare.calls import record, recording
from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.errors import Problem
from kaisoumail.model.clock import MonotonicClock
from kaisoumail.storage.database import Database
from kaisoumail.storage.open_errors import cannot_open
from kaisoumail.workflows.heartbeats import Heartbeats
from kaisoumail.workflows.library_parts import OneLine, embedded_engine
from kaisoumail.workflows.progress import Progress, Taken
from kaisoumail.workflows.schedule import repeated

T = TypeVar("T")

# Runs are taken over only between processes that say the same here. Raise it when a change to a
# workflow's steps would make an open run of the version before go wrong.
_APPLICATION_VERSION: Final = "2"
_OPEN: Final = ["PENDING", "ENQUEUED"]
_FINISH_SECONDS: Final = 5.0
_STRIDES: Final = [2**power for power in range(13)]
_log = structlog.get_logger("kaisoumail.workflows")


@dataclass(frozen=True, slots=True)
class Retry:
    """
    Try a step up to *attempts* times while it raises one of *on*.

    Pauses, in seconds, double from the first to the longest.
    """

    on: tuple[type[Exception], ...]
    attempts: int
    first_pause: float
    longest_pause: float = 60.0


class Run:
    """One run of a workflow."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.id: str = handle.get_workflow_id()

    async def result(self, within: float | None = None) -> Any:
        """
        What the workflow returned, or raises what it raised, in whichever process it ran.

        Raises TimeoutError after *within* seconds, and Problem `still_working` when this process stops
        before the run has ended; the run goes on either way.
        """
        try:
            async with asyncio.timeout(within):
                return await self._handle.get_result(polling_interval_sec=0.25)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller is None or caller.cancelling():
                raise
            # Not the caller was cancelled but the run, by our own stop: that is no reason to end the caller.
            raise Problem("still_working", "We are restarting; this goes on in a moment") from None


_workflows: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {}
_started_here: dict[str, Any] = {}  # by id, the handles that need no polling
_active: set["asyncio.Task[Any]"] = set()
_pausing: set["asyncio.Task[Any] | None"] = set()
_live_context: Any = None
_is_running = False


def workflow(name: str) -> Callable[[Callable[..., Coroutine[Any, Any, T]]], Callable[..., Coroutine[Any, Any, T]]]:
    """
    Make an async function `f(context, **arguments)` startable as *name*.

    Arguments are stored and must be plain values; the context is the live one of whatever process runs it.
    """

    def register(function: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., Coroutine[Any, Any, T]]:
        async def run(arguments: dict[str, Any]) -> T:
            task = asyncio.current_task()
            assert task is not None
            _active.add(task)
            try:
                return await function(_live_context, **arguments)
            finally:
                _active.discard(task)

        _workflows[name] = DBOS.workflow(name=name)(run)
        return function

    return register


async def step(name: str, function: Callable[..., Awaitable[T]], *arguments: Any, retry: Retry | None = None) -> T:
    """
    What *function* returned, now or in an earlier life of this run; stored before anything follows.

    An exception ends the step for good and is stored as well, unless *retry* asks for patience with it.
    """

    async def call() -> Taken:
        with recording() as calls:
            value = await _patiently(lambda: function(*arguments), retry)
        return Taken(name, value, tuple(calls))

    try:
        taken = await DBOS.run_step_async({"name": name}, call)
    except CloudflareError as error:
        record(error.answer)
        raise
    for answer in taken.calls:
        record(answer)
    value: T = taken.value
    return value


async def pause(seconds: float) -> None:
    """
    Let a run sleep; the moment to wake up is stored, so whoever takes the run over does not start afresh.

    For the workflow itself, between steps: inside a step it would not be durable.
    """
    task = asyncio.current_task()
    _pausing.add(task)
    try:
        await DBOS.sleep_async(seconds)
    finally:
        _pausing.discard(task)


async def _patiently(call: Callable[[], Awaitable[T]], retry: Retry | None) -> T:
    # Our own loop: DBOS would wrap the last error in one of its own and keep a list of the others.
    if retry is None:
        return await call()
    for attempt in range(retry.attempts - 1):
        try:
            return await call()
        except retry.on:
            await asyncio.sleep(min(retry.first_pause * 2**attempt, retry.longest_pause))
    return await call()


class Engine:
    """
    Starts runs, and takes over those of processes that died.

    *url* is `sqlite:///…` or `postgresql://…`; *process_id* must be new for each start of a process.
    A process that has not been heard of for *dead_after* seconds of *clock* is dead; each says so every *beat*.
    """

    def __init__(
        self,
        url: str,
        process_id: str,
        *,
        beat: float = 2.0,
        dead_after: float = 10.0,
        clock: MonotonicClock = monotonic,
    ) -> None:
        self.url = url
        self._process_id = process_id
        self._beat = beat
        self._dead_after = dead_after
        self._clock = clock

    async def start(self, name: str, key: str, **arguments: Any) -> Run:
        """
        A run of the workflow *name* about *key*; the one that is open, if there is one.

        Runs of a key are numbered; the number is part of the id, which is unique in the database. Two
        processes that start at once both choose the next number: one inserts it, the other is refused
        and joins that run. Runs must not be deleted while their key is in use: numbers have no gaps.
        """
        number, latest = await _latest(name, key)
        if latest is not None and latest.status in _OPEN:
            return await _joined(latest.workflow_id)
        while True:
            number += 1
            try:
                with SetWorkflowID(_id(name, key, number), workflow_id_reuse_policy="reject"):
                    return _started(await DBOS.start_workflow_async(_workflows[name], arguments))
            except error.DBOSWorkflowIDInUseError as taken:
                if taken.workflow_status in _OPEN:
                    return await _joined(taken.workflow_id)

    async def find_open(self, name: str, key: str) -> Run | None:
        """The run of the workflow *name* about *key* that has not ended, in whichever process it is."""
        _, latest = await _latest(name, key)
        return await _joined(latest.workflow_id) if latest is not None and latest.status in _OPEN else None

    async def progress(self, name: str, key: str) -> Progress | None:
        """How far the latest run of the workflow *name* about *key* is; None if there never was one."""
        _, latest = await _latest(name, key, load_output=True)
        if latest is None:
            return None
        steps = await DBOS.list_workflow_steps_async(latest.workflow_id)
        return Progress(tuple(map(_taken, steps)), latest.status in _OPEN, latest.error)

    @asynccontextmanager
    async def running(self, context: Any, database: Database) -> AsyncIterator[None]:
        """
        Runs are executed inside the block, with *context*; heartbeats are kept in *database*.

        On the way out runs get a few seconds to end; what is left stays as it is, and the next process
        takes it over without waiting for this one to be declared dead. Raises Problem
        `storage_unavailable` when the engine's own database cannot be opened.
        """
        global _is_running
        if _is_running:
            raise RuntimeError("An engine is already running in this process")
        _is_running = True
        heartbeats = Heartbeats(database, self._process_id, self._dead_after, self._clock)
        try:
            # From the first run to the last there is a sign of life: what has none is taken over.
            await heartbeats.beat()
            async with repeated(self._beat, heartbeats.beat), _launched(self.url, self._process_id, context):
                await _give_the_unknown_a_row(heartbeats)
                async with repeated(self._beat, partial(_take_over_the_dead, heartbeats)):
                    yield
        finally:
            _is_running = False
            await heartbeats.end()


async def _give_the_unknown_a_row(heartbeats: Heartbeats) -> None:
    """
    Note as dead whoever has open runs but no row, as after our database was restored without DBOS's.

    Otherwise nobody would ever go on with these runs, and their keys would stay taken.
    """
    # The runs first: a process has its row before it has runs, so the living cannot be missed.
    owners = {run.executor_id for run in await _pending()}
    await heartbeats.note_the_unknown(owner for owner in owners if owner is not None)


async def _take_over_the_dead(heartbeats: Heartbeats) -> None:
    """
    Resume every open run of each silent process.

    A claim settles which of several survivors does so; should that one die too, another goes on, with the
    runs that are still under the dead one's name. A process that was only slow loses them: DBOS refuses to
    store the steps of a run that has changed hands.
    """
    async for dead in heartbeats.claimed():
        for run in await _pending(dead):
            _log.info("workflows.taken_over", run=run.workflow_id, dead_process=dead)
            await DBOS.resume_workflow_async(run.workflow_id)
        await heartbeats.forget(dead)


def _id(name: str, key: str, number: int) -> str:
    return f"{name}:{key}:{number}"


def _taken(stored: Any) -> Taken:
    """A step as the library stored it; one that raised kept only its error, which knows its call."""
    output, error = stored["output"], stored["error"]
    if isinstance(output, Taken):
        return output
    calls = (error.answer,) if isinstance(error, CloudflareError) else ()
    return Taken(stored["function_name"], output, calls, error)


async def _latest(name: str, key: str, *, load_output: bool = False) -> tuple[int, WorkflowStatus | None]:
    """
    The last run of a key and its number; None and 0 if there was none.

    Found by growing strides over the primary key. A search by prefix reads every run there ever was (20
    ms at 100,000), and `created_at` orders nothing: it is in whole seconds on SQLite, and clocks go back.
    """
    number, latest = 0, None
    while True:
        ahead = {_id(name, key, number + stride): number + stride for stride in _STRIDES}
        found = await DBOS.list_workflows_async(workflow_ids=list(ahead), load_input=False, load_output=load_output)
        if not found:
            return number, latest
        latest = max(found, key=lambda run: ahead[run.workflow_id])
        number = ahead[latest.workflow_id]


async def _joined(run_id: str) -> Run:
    return Run(_started_here.get(run_id) or await DBOS.retrieve_workflow_async(run_id))


def _started(handle: Any) -> Run:
    """The run of *handle*, which is kept for those who join it while it lasts."""
    run = Run(handle)
    _started_here[run.id] = handle
    handle.task.add_done_callback(lambda _: _started_here.pop(run.id, None))
    return run


async def _pending(process_id: str | None = None) -> list[WorkflowStatus]:
    return await DBOS.list_workflows_async(
        status="PENDING", executor_id=process_id, load_input=False, load_output=False
    )


@asynccontextmanager
async def _launched(url: str, process_id: str, context: Any) -> AsyncIterator[None]:
    """Inside the block DBOS runs our workflows, with *context*."""
    global _live_context
    embedded = embedded_engine(url) if make_url(url).get_backend_name() == "sqlite" else None
    _live_context = context
    try:
        _launch(url, process_id, embedded)
        try:
            yield
        finally:
            await _let_runs_finish()
            # DBOS made its own threads our loop's, and shuts them down now: nobody may miss them.
            threads = ThreadPoolExecutor()
            asyncio.get_running_loop().set_default_executor(threads)
            await asyncio.to_thread(DBOS.destroy)
            await _abandon_runs()  # those its queue handed over meanwhile
            asyncio.get_running_loop().set_default_executor(threads)
    finally:
        _live_context = None
        if embedded is not None:
            embedded.dispose()  # one that is handed in is not DBOS's to close


async def _let_runs_finish() -> None:
    """Wait for the runs that are doing something, a little; one that pauses can pause elsewhere."""
    busy = _active - _pausing
    if busy:
        await asyncio.wait(busy, timeout=_FINISH_SECONDS)
    await _abandon_runs()


async def _abandon_runs() -> None:
    left = tuple(_active)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _launch(url: str, process_id: str, embedded: SqlEngine | None) -> None:
    library = logging.getLogger("dbos")
    library.handlers, library.propagate = [OneLine()], False
    config: DBOSConfig = {
        "name": "kaisoumail",
        "system_database_url": url,
        "application_version": _APPLICATION_VERSION,
        "executor_id": process_id,
        "log_level": "WARNING",  # at INFO it advertises
        "notification_listener_polling_interval_sec": 1.0,
        "sys_db_pool_size": 5,  # the 20 it would take are more than a small PostgreSQL has
    }
    if embedded is not None:
        config["system_database_engine"] = embedded
    try:
        DBOS(config=config)
        DBOS.launch()
    except Exception as trouble:
        DBOS.destroy()
        raise cannot_open(url, trouble, "workflow database") from trouble
