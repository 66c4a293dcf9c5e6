"""Group commit: concurrent works share one transaction, on either database."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from kaisoumail.errors import Problem

T = TypeVar("T")
Work = Callable[[Connection], T]
Wake = Callable[[Iterable[str]], None]

MAX_BATCH: Final = 64
_STUCK_SECONDS: Final = 5.0


class _Entry:
    """A work in the queue, and the future of its caller."""

    __slots__ = ("done", "work")

    def __init__(self, work: Work[Any], done: "asyncio.Future[Any]") -> None:
        self.work = work
        self.done = done


class Outcome:
    """The outcome of a work: a value, or the exception it raised."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value = value
        self.error = error

    def resolve(self, waiting: "asyncio.Future[Any]") -> None:
        if waiting.done():  # the caller was cancelled; the work is committed all the same
            return
        if self.error is not None:
            waiting.set_exception(self.error)
        else:
            waiting.set_result(self.value)


class BatchWriter:
    """
    Collects works into batches and has *commit* run each batch.

    While one batch is being committed the next one collects: the busier it is, the larger the batches.
    A work never waits for others to join its batch.
    """

    def __init__(self, commit: Callable[[list[Work[Any]]], Awaitable[list[Outcome]]]) -> None:
        self._commit = commit
        self._waiting: list[_Entry] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._began: float | None = None

    @property
    def is_stuck(self) -> bool:
        """True while one batch takes longer than 5 s."""
        return self._began is not None and monotonic() - self._began > _STUCK_SECONDS

    async def write(self, work: Work[T]) -> T:
        """
        What *work* returned, once its batch is committed; raises what *work* raised.

        Cancelling the caller does not stop the work. Raises Problem `storage_unavailable` after `close`.
        """
        if self._closed:
            raise Problem("storage_unavailable", "The database is being closed")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(work, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                self._began = monotonic()
                outcomes = await self._commit([entry.work for entry in batch])
                for entry, outcome in zip(batch, outcomes, strict=True):
                    outcome.resolve(entry.done)
        finally:
            self._task = self._began = None

    async def close(self) -> None:
        """Refuse further works; return when those already queued are done."""
        self._closed = True
        while self._task is not None:
            await asyncio.wait([self._task])
