"""
The adapter of the workflow library (DBOS): every call to it is here.

DBOS knows one workflow of ours, `run`, and calls it for each run to execute in this process: when we start one, and
when a run that was left is resumed through its queue. DBOS is global to a process, so one engine runs at a time. It is
launched inside our event loop and therefore runs our coroutines there, those of resumed runs too (without a running
loop it would start one in a thread of its own); what a job works with belongs to our loop.
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
"""What DBOS stores of a run."""

RUN: Final = "run"
OTHER_STEPS: Final = (error.DBOSUnexpectedStepError, error.DBOSStepNondeterminismError)
"""What `step` raises when the steps stored for the run differ from those the job calls now."""
# The same in all releases: which release may continue which runs is decided per job (`registry.py`).
_APPLICATION_VERSION: Final = "runs"
_log: Final = structlog.get_logger("kaisoumail.workflows")
_running: Final[list[Execute]] = []  # of the one engine of this process, while it runs


@DBOS.workflow(name=RUN)
async def _run(run_id: str, attempt: int) -> None:
    for execute in _running:
        await execute(run_id, attempt)


def workflow_id(run_id: str, attempt: int) -> str:
    """The id under which DBOS stores an attempt of a run."""
    return f"{run_id}:{attempt}"


async def start(run_id: str, attempt: int) -> None:
    """Execute the run here unless the attempt was started before. A failure is logged; the engine starts it again."""
    try:
        with SetWorkflowID(workflow_id(run_id, attempt), workflow_id_reuse_policy="reject"):
            handle: Any = await DBOS.start_workflow_async(_run, run_id, attempt)
    except error.DBOSWorkflowIDInUseError:
        return
    except Exception as failure:  # noqa: BLE001 - mostly of its database
        _log.warning("workflows.not_started", run=run_id, reason=f"{type(failure).__name__}: {failure}"[:300])
        return
    handle.task.add_done_callback(lambda task: task.cancelled() or task.exception())


async def step(name: str, function: Callable[[], Awaitable[Any]]) -> Any:
    """What *function* returned, now or in an earlier execution of this attempt of the run."""
    return await DBOS.run_step_async({"name": name}, function)


async def list_workflows(**filters: Any) -> list[StoredWorkflow]:
    """The runs that DBOS has stored; *filters* are those of its `list_workflows`."""
    return await DBOS.list_workflows_async(load_input=False, load_output=False, **filters)


async def steps_of(place: str) -> list[Any]:
    """The stored result of each finished step of a run, as plain JSON."""
    steps = await DBOS.list_workflow_steps_async(place)
    return [step["output"] for step in steps if step["output"] is not None]


async def resume(place: str) -> None:
    """Have a run continue after its last finished step, in any process that takes it from the queue."""
    await DBOS.resume_workflow_async(place)


async def delete(places: Sequence[str]) -> None:
    """Delete runs and their steps; ids that do not exist are ignored."""
    await DBOS.delete_workflows_async(list(places))


@asynccontextmanager
async def running_dbos(
    url: str,
    process_id: str,
    execute: Execute,
    let_runs_finish: Callable[[], Awaitable[None]],
    abandon_runs: Callable[[], Awaitable[None]],
) -> AsyncIterator[None]:
    """
    Inside the block DBOS executes each run by calling *execute* with its id and attempt.

    Raises RuntimeError when an engine is already running in this process, Problem `storage_unavailable` when *url*
    cannot be opened.
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
            # DBOS made its own thread pool our loop's default and shuts it down now: replace it.
            threads = ThreadPoolExecutor()
            asyncio.get_running_loop().set_default_executor(threads)
            await asyncio.to_thread(DBOS.destroy)
            await abandon_runs()  # runs that its queue started meanwhile
            asyncio.get_running_loop().set_default_executor(threads)
    finally:
        _running.clear()
        if embedded is not None:
            embedded.dispose()  # DBOS does not close an engine that was passed in


def _launch(url: str, process_id: str, embedded: Engine | None) -> None:
    library = logging.getLogger("dbos")
    library.handlers, library.propagate = [OneLineHandler()], False
    config: DBOSConfig = {
        "name": "kaisoumail",
        "system_database_url": url,
        "application_version": _APPLICATION_VERSION,
        "executor_id": process_id,
        "log_level": "WARNING",  # at INFO it logs advertisements
        "notification_listener_polling_interval_sec": 1.0,
        "sys_db_pool_size": ENGINE_CONNECTIONS - 1,  # DBOS opens one more for LISTEN; 20 by default
        "serializer": JsonSerializer(),
    }
    DBOSDefaultSerializer.deserialize = refuse_pickles  # type: ignore[method-assign,assignment]
    if embedded is not None:
        config["system_database_engine"] = embedded
    try:
        DBOS(config=config)
        DBOS.launch()
    except Exception as failure:
        DBOS.destroy()
        raise cannot_open(url, failure, "workflow database") from failure
