"""
Durable runs: the only file that knows the workflow library (DBOS).

A workflow is an async function written as a list of steps. What a step returned is stored, so a run
that another process takes over goes on after the last finished step; the step that was running when
its process died runs again and must look first whether it already happened.

DBOS is one per process, so one Engine runs at a time. It is launched from within our event loop,
which is what makes it run our coroutines there, taken-over ones too; `Context` holds objects that
belong to that loop.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowStatus
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import create_engine, event, make_url

from kaisoumail.errors import Problem
from kaisoumail.model.clock import utc_now
from kaisoumail.storage import processes
from kaisoumail.storage.database import Database, sqlite_driver

T = TypeVar("T")

# Runs are taken over only between processes that say the same here. Raise it when a change to a
# workflow's steps would make an open run of the version before go wrong.
_APPLICATION_VERSION: Final = "1"
_OPEN: Final = ["PENDING", "ENQUEUED"]
_FINISH_SECONDS: Final = 5.0
_CLAIM: Final = timedelta(seconds=30)
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

        Raises TimeoutError after *within* seconds; the run goes on.
        """
        async with asyncio.timeout(within):
            return await self._handle.get_result(polling_interval_sec=0.25)


_workflows: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {}
_active: set["asyncio.Task[Any]"] = set()
_live_context: Any = None


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

    async def call() -> T:
        return await _patiently(lambda: function(*arguments), retry)

    return await DBOS.run_step_async({"name": name}, call)


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
    A process that has not been heard of for *dead_after* seconds is dead; each says so every *beat*.
    """

    def __init__(self, url: str, process_id: str, *, beat: float = 2.0, dead_after: float = 10.0) -> None:
        self._url = url
        self._process_id = process_id
        self._beat = beat
        self._dead_after = timedelta(seconds=dead_after)

    async def start(self, name: str, key: str, **arguments: Any) -> Run:
        """
        A run of the workflow *name* about *key*; the one that is open, if there is one.

        Runs of a key are numbered; the number is part of the id, which is unique in the database. Two
        processes that start at once both choose the next number: one inserts it, the other finds it
        there and waits for the same run.
        """
        prefix = f"{name}:{key}:"
        latest = await _latest(prefix)
        if latest is not None and latest.status in _OPEN:
            return Run(await DBOS.retrieve_workflow_async(latest.workflow_id))
        number = 0 if latest is None else int(latest.workflow_id.removeprefix(prefix))
        with SetWorkflowID(f"{prefix}{number + 1}"):
            return Run(await DBOS.start_workflow_async(_workflows[name], arguments))

    @asynccontextmanager
    async def running(self, context: Any, database: Database) -> AsyncIterator[None]:
        """
        Runs are executed inside the block, with *context*; heartbeats are kept in *database*.

        On the way out runs get a few seconds to end; what is left stays as it is, and the next process
        takes it over without waiting for this one to be declared dead. Raises Problem
        `storage_unavailable` when the engine's own database cannot be opened.
        """
        global _live_context
        _launch(self._url, self._process_id)
        _live_context = context
        beats = _Beats(database, self._process_id, self._dead_after)
        await beats.beat()
        keeper = asyncio.create_task(beats.keep(self._beat))
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            await _let_runs_finish()
            await asyncio.to_thread(DBOS.destroy)
            # DBOS made its own threads our loop's and has just shut them down.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
            await beats.end()
            _live_context = None


class _Beats:
    """One process's sign of life, and its eye on the others'."""

    def __init__(self, database: Database, process_id: str, dead_after: timedelta) -> None:
        self._database = database
        self._process_id = process_id
        self._dead_after = dead_after

    async def beat(self) -> None:
        await self._database.write(partial(processes.beat, process_id=self._process_id, now=utc_now()))

    async def end(self) -> None:
        await self._database.write(partial(processes.end, process_id=self._process_id))

    async def keep(self, pause: float) -> None:
        while True:
            try:
                await self.beat()
                await self._take_over_the_dead()
            except Problem as problem:
                _log.warning("workflows.heartbeat.failed", reason=problem.message)
            await asyncio.sleep(pause)

    async def _take_over_the_dead(self) -> None:
        """
        Resume every open run of each silent process.

        A claim that expires settles which of several survivors does so; should that one die too, its
        claim runs out and another goes on, with the runs that are still under the dead one's name.
        """
        now = utc_now()
        limit = now - self._dead_after
        for dead in await self._database.read(partial(processes.silent, since=limit)):
            claimed = await self._database.write(
                partial(processes.claim, process_id=dead, since=limit, now=now, until=now + _CLAIM)
            )
            if claimed:
                for run in await DBOS.list_workflows_async(status="PENDING", executor_id=dead, load_input=False):
                    _log.info("workflows.taken_over", run=run.workflow_id, dead_process=dead)
                    await DBOS.resume_workflow_async(run.workflow_id)
                await self._database.write(partial(processes.forget, process_id=dead))


async def _latest(prefix: str) -> WorkflowStatus | None:
    found = await DBOS.list_workflows_async(
        workflow_id_prefix=prefix, sort_desc=True, limit=1, load_input=False, load_output=False
    )
    return found[0] if found else None


async def _let_runs_finish() -> None:
    if _active:
        await asyncio.wait(_active, timeout=_FINISH_SECONDS)
    left = tuple(_active)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _launch(url: str, process_id: str) -> None:
    logging.getLogger("dbos").setLevel(logging.WARNING)
    config: DBOSConfig = {
        "name": "kaisoumail",
        "system_database_url": url,
        "application_version": _APPLICATION_VERSION,
        "executor_id": process_id,
        "log_level": "WARNING",  # at INFO it advertises
        "notification_listener_polling_interval_sec": 1.0,
    }
    if make_url(url).get_backend_name() == "sqlite":
        config["system_database_engine"] = _embedded(url)
    try:
        DBOS(config=config)
        DBOS.launch()
    except Exception as error:
        DBOS.destroy()
        raise Problem("storage_unavailable", f"The workflow engine cannot start: {error}") from error


def _embedded(url: str) -> SqlEngine:
    """DBOS's SQLite, on the driver and with the durability of our own (its default is neither)."""
    engine = create_engine(url, module=sqlite_driver(), pool_size=5, max_overflow=5)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
