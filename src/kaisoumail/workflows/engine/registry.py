"""The jobs there are: durable work about a key, by the name under which its runs are stored."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from kaisoumail.storage.tables.runs import RunRow

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True)
class Job:
    """
    An async function `f(context, **arguments)` whose runs are durable.

    *version* is that of its steps, and *continues* the oldest one whose open runs this code can go on with; what is
    older begins again from its first step. The progress of one that *is_shown* is on a page long after its end.
    """

    name: str
    function: Callable[..., Awaitable[Any]]
    version: int
    continues: int
    is_shown: bool


JOBS: Final[dict[str, Job]] = {}


def job(name: str, *, version: int = 1, continues: int | None = None, is_shown: bool = False) -> Callable[[F], F]:
    """
    Make a function startable as *name*, which its stored runs are found by: it must never change.

    Arguments are stored and must be plain JSON; the context is the live one of whatever process runs it. Raise
    *version* when the order or the names of its steps change; each step may run twice and looks before it acts.
    """

    def register(function: F) -> F:
        if name in JOBS:
            raise ValueError(f"There is a job named {name!r} already")
        JOBS[name] = Job(name, function, version, version if continues is None else continues, is_shown)
        return function

    return register


def job_of(run: RunRow) -> Job | None:
    """The job of *run*; None for one that this release does not know, or not in that version: another release's run."""
    known = JOBS.get(run.job)
    return known if known is not None and run.version <= known.version else None
