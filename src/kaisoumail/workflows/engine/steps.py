"""
The steps of a job: the result of each is stored before the next begins, and read when the run is taken over.

The step that was running when its process died runs again, so it must check first whether its work was done already.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

import structlog

from kaisoumail.cloudflare.calls import record
from kaisoumail.model.ids import new_id
from kaisoumail.workflows.engine import dbos_adapter
from kaisoumail.workflows.engine.results import StepResult, UnreadableResult, returned_kind, step_result

T = TypeVar("T")

executing: Final[ContextVar["Execution"]] = ContextVar("executing")
_step: Final[ContextVar[str | None]] = ContextVar("step", default=None)  # "run/step" of the running step
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


class RunLeftOpen(asyncio.CancelledError):
    """The run cannot continue now; a CancelledError because DBOS stores no outcome for those."""


class RestartRun(BaseException):
    """The stored steps of the run are not those of this code."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The run that is being executed, and the function that runs its steps."""

    run_id: str
    run_step: Callable[[str, Callable[[], Awaitable[Any]], int], Awaitable[StepResult]]


def id_in_step(prefix: str) -> str:
    """
    The id of the one object of this kind that the current step creates: the same when the step runs twice.

    Outside of steps a new id.
    """
    current = _step.get()
    if current is None:
        return new_id(prefix)
    return f"{prefix}_{sha256(current.encode()).hexdigest()[:32]}"


async def step(
    name: str, function: Callable[..., Awaitable[T]], *arguments: Any, retry: Retry | None = None, shape: int = 1
) -> T:
    """
    What *function* returned, now or in an earlier execution of this run; stored before `step` returns.

    A Problem or CloudflareError ends the step and is stored as well, unless *retry* covers it. While our own storage
    is unavailable the step is retried. *shape* is the version of what *function* returns: if the stored value has
    another one, or cannot be read, the step runs again.
    """
    execution, kind = executing.get(), returned_kind(function)

    async def run() -> StepResult:
        _step.set(f"{execution.run_id}/{name}")
        try:
            return await execution.run_step(name, lambda: _with_retries(lambda: function(*arguments), retry), shape)
        finally:
            _step.set(None)

    async def run_as_json() -> dict[str, Any]:
        return (await run()).as_json()

    result = step_result(await _stored_result(name, run_as_json))
    for answer in result.calls:
        record(answer)
    if result.error is not None:
        raise result.error
    try:
        if result.shape == shape:
            return cast(T, result.value(kind))
    except UnreadableResult as error:
        _log.warning("workflows.step_run_again", step=name, reason=str(error))
    again = await run()
    if again.error is not None:
        raise again.error
    return cast(T, again.value(kind))


async def _stored_result(name: str, run: Callable[[], Awaitable[dict[str, Any]]]) -> Any:
    """The result that DBOS stores for the step. *run* raises no Exception itself, so any Exception is DBOS's own."""
    try:
        return await dbos_adapter.step(name, run)
    except dbos_adapter.OTHER_STEPS as other:
        raise RestartRun from other
    except UnreadableResult:
        raise
    except Exception as error:
        _log.warning("workflows.step_not_stored", step=name, reason=f"{type(error).__name__}: {error}"[:300])
        raise RunLeftOpen from error


async def _with_retries(call: Callable[[], Awaitable[T]], retry: Retry | None) -> T:
    # Our own loop: DBOS would wrap the last error in one of its own and hold a list of the others.
    if retry is None:
        return await call()
    for attempt in range(retry.attempts - 1):
        try:
            return await call()
        except retry.on:
            await asyncio.sleep(min(retry.first_pause * 2**attempt, retry.longest_pause))
    return await call()
