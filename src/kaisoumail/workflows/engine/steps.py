"""
The steps of a job: what each came to is stored before anything follows, and read when the run is taken over.

The step that was running when its process died runs again, and must look first whether it already happened.
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
_step: Final[ContextVar[str | None]] = ContextVar("step", default=None)  # the run and the name of what is being taken
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
    """The run can go on neither here nor now; DBOS notes no outcome of what is cancelled."""


class RestartRun(BaseException):
    """What is stored of the run belongs to other steps than those of this code."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The run that is being executed, and how its steps are taken."""

    run_id: str
    taken: Callable[[str, Callable[[], Awaitable[Any]], int], Awaitable[StepResult]]


def id_in_step(prefix: str) -> str:
    """
    An id for the one thing of this kind that the current step makes: the same when the step runs twice.

    A fresh one outside of steps.
    """
    current = _step.get()
    if current is None:
        return new_id(prefix)
    return f"{prefix}_{sha256(current.encode()).hexdigest()[:32]}"


async def step(
    name: str, function: Callable[..., Awaitable[T]], *arguments: Any, retry: Retry | None = None, shape: int = 1
) -> T:
    """
    What *function* returned, now or in an earlier life of this run; stored before anything follows.

    A Problem or CloudflareError ends the step for good and is stored as well, unless *retry* asks for patience with
    it. Trouble of our own storage is waited out. *shape* is the version of what *function* returns: where another
    one is stored, or it cannot be read, the step is run again.
    """
    execution, kind = executing.get(), returned_kind(function)

    async def take() -> StepResult:
        _step.set(f"{execution.run_id}/{name}")
        try:
            return await execution.taken(name, lambda: _patiently(lambda: function(*arguments), retry), shape)
        finally:
            _step.set(None)

    async def taken() -> dict[str, Any]:
        return (await take()).as_json()

    result = step_result(await _stored_result(name, taken))
    for answer in result.calls:
        record(answer)
    if result.error is not None:
        raise result.error
    try:
        if result.shape == shape:
            return cast(T, result.value(kind))
    except UnreadableResult as trouble:
        _log.warning("workflows.step_run_again", step=name, reason=str(trouble))
    again = await take()
    if again.error is not None:
        raise again.error
    return cast(T, again.value(kind))


async def _stored_result(name: str, taken: Callable[[], Awaitable[dict[str, Any]]]) -> Any:
    """What the library keeps of the step: `taken` never raises an Exception, so one that comes out is the library's."""
    try:
        return await dbos_adapter.step(name, taken)
    except dbos_adapter.OTHER_STEPS as other:
        raise RestartRun from other
    except UnreadableResult:
        raise
    except Exception as trouble:
        _log.warning("workflows.step_not_kept", step=name, reason=f"{type(trouble).__name__}: {trouble}"[:300])
        raise RunLeftOpen from trouble


async def _patiently(call: Callable[[], Awaitable[T]], retry: Retry | None) -> T:
    # Our own loop: the library would wrap the last error in one of its own and keep a list of the others.
    if retry is None:
        return await call()
    for attempt in range(retry.attempts - 1):
        try:
            return await call()
        except retry.on:
            await asyncio.sleep(min(retry.first_pause * 2**attempt, retry.longest_pause))
    return await call()
