"""The registry of jobs: durable work for a key, by the name under which its runs are stored."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from kaisoumail.storage.tables.runs import RunRow

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True)
class Job:
    """
    An async function `f(context, **arguments)` whose runs are durable.

    *version* is that of its steps. *continues* is the oldest version whose open runs this code can continue; older
    runs begin again from their first step. With *is_shown* a page shows the progress long after a run has ended.
    """

    name: str
    function: Callable[..., Awaitable[Any]]
    version: int
    continues: int
    is_shown: bool


JOBS: Final[dict[str, Job]] = {}


def job(name: str, *, version: int = 1, continues: int | None = None, is_shown: bool = False) -> Callable[[F], F]:
    """
    Register a function as the job *name*. Stored runs are found by that name, so it must never change.

    Arguments are stored and must be plain JSON; the context is that of the process that executes the run. Raise
    *version* when the order or the names of the steps change. Each step may run twice, so it checks before it acts.
    """

    def register(function: F) -> F:
        if name in JOBS:
            raise ValueError(f"There is a job named {name!r} already")
        JOBS[name] = Job(name, function, version, version if continues is None else continues, is_shown)
        return function

    return register


def job_of(run: RunRow) -> Job | None:
    """The job of *run*; None when it, or this version of it, belongs to another release."""
    known = JOBS.get(run.job)
    return known if known is not None and run.version <= known.version else None
