"""
The workflow library (DBOS): the only file that knows how it is called.

It knows one workflow of ours, `run`, and calls back for each run that is to be executed here: when we start it, and
when one that was left is resumed through its queue. It is one per process, so one engine runs at a time. It is
launched from within our event loop, which is what makes it run our coroutines there, taken-over ones too (without a
running loop it would start one in a thread of its own); what a job works with belongs to that loop.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowStatus, error
from dbos._serialization import DBOSDefaultSerializer
from sqlalchemy import Engine, make_url

from kaisoumail.storage.engine.open_errors import ENGINE_CONNECTIONS, cannot_open
from kaisoumail.workflows.engine.dbos_setup import JsonSerializer, OneLineHandler, embedded_engine, refuse_pickles

Execute = Callable[[str, int], Awaitable[None]]
StoredWorkflow = WorkflowStatus
"""What the library keeps of a run."""

RUN: Final = "run"
OTHER_STEPS: Final = (error.DBOSUnexpectedStepError, error.DBOSStepNondeterminismError)
"""What `step` raises when other steps are stored of the run than are taken now."""
# Of all releases: which of them goes on with whose runs is for the jobs to say (`registry.py`).
_APPLICATION_VERSION: Final = "runs"
_log: Final = structlog.get_logger("kaisoumail.workflows")
_running: Final[list[Execute]] = []  # that of the one engine of this process, while it runs


@DBOS.workflow(name=RUN)
async def _run(run_id: str, attempt: int) -> None:
    for execute in _running:
        await execute(run_id, attempt)


def place(run_id: str, attempt: int) -> str:
    """Under which id the library keeps an attempt at a run."""
    return f"{run_id}:{attempt}"


async def start(run_id: str, attempt: int) -> None:
    """Execute the run here, unless the attempt was begun before. Trouble is one line: whoever looks tries again."""
    try:
        with SetWorkflowID(place(run_id, attempt), workflow_id_reuse_policy="reject"):
            handle: Any = await DBOS.start_workflow_async(_run, run_id, attempt)
    except error.DBOSWorkflowIDInUseError:
        return
    except Exception as trouble:  # noqa: BLE001 - of its database, mostly
        _log.warning("workflows.not_started", run=run_id, reason=f"{type(trouble).__name__}: {trouble}"[:300])
        return
    handle.task.add_done_callback(lambda task: task.cancelled() or task.exception())


async def step(name: str, taken: Callable[[], Awaitable[Any]]) -> Any:
    """What *taken* returned, now or in an earlier life of the run that is being executed."""
    return await DBOS.run_step_async({"name": name}, taken)


async def listed(**chosen: Any) -> list[StoredWorkflow]:
    """The runs that the library knows, as DBOS's `list_workflows` chooses them."""
    return await DBOS.list_workflows_async(load_input=False, load_output=False, **chosen)


async def steps_of(place: str) -> list[Any]:
    """What each step of a run came to, as far as it was taken."""
    steps = await DBOS.list_workflow_steps_async(place)
    return [taken["output"] for taken in steps if taken["output"] is not None]


async def resume(place: str) -> None:
    """Have a run go on after its last finished step, in whichever process takes it from the queue."""
    await DBOS.resume_workflow_async(place)


async def delete(places: Sequence[str]) -> None:
    """Forget runs and their steps; those that are not there are fine."""
    await DBOS.delete_workflows_async(list(places))


@asynccontextmanager
async def launched(
    url: str,
    process_id: str,
    execute: Execute,
    let_runs_finish: Callable[[], Awaitable[None]],
    abandon_runs: Callable[[], Awaitable[None]],
) -> AsyncIterator[None]:
    """
    Inside the block every run that DBOS executes is *execute* of its id and attempt.

    Raises RuntimeError when it does so for another one, Problem `storage_unavailable` when *url* cannot be opened.
    """
    if _running:
        raise RuntimeError("An engine is already running in this process")
    _running.append(execute)
    embedded = embedded_engine(url) if make_url(url).get_backend_name() == "sqlite" else None
    try:
        _launch(url, process_id, embedded)
        try:
            yield
        finally:
            await let_runs_finish()
            # DBOS made its own threads our loop's, and shuts them down now: nobody may miss them.
            threads = ThreadPoolExecutor()
            asyncio.get_running_loop().set_default_executor(threads)
            await asyncio.to_thread(DBOS.destroy)
            await abandon_runs()  # those its queue handed over meanwhile
            asyncio.get_running_loop().set_default_executor(threads)
    finally:
        _running.clear()
        if embedded is not None:
            embedded.dispose()  # one that is handed in is not DBOS's to close


def _launch(url: str, process_id: str, embedded: Engine | None) -> None:
    library = logging.getLogger("dbos")
    library.handlers, library.propagate = [OneLineHandler()], False
    config: DBOSConfig = {
        "name": "kaisoumail",
        "system_database_url": url,
        "application_version": _APPLICATION_VERSION,
        "executor_id": process_id,
        "log_level": "WARNING",  # at INFO it advertises
        "notification_listener_polling_interval_sec": 1.0,
        "sys_db_pool_size": ENGINE_CONNECTIONS - 1,  # it takes one more to listen; 20 by default
        "serializer": JsonSerializer(),
    }
    DBOSDefaultSerializer.deserialize = refuse_pickles  # type: ignore[method-assign,assignment]
    if embedded is not None:
        config["system_database_engine"] = embedded
    try:
        DBOS(config=config)
        DBOS.launch()
    except Exception as trouble:
        DBOS.destroy()
        raise cannot_open(url, trouble, "workflow database") from trouble
