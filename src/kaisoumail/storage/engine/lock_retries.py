"""Works that found a row locked, each run alone until the row is free."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.batch_writer import Outcome, T, Work


class LockRetries:
    """
    Runs works in turn, each again for *patience* seconds and at least once.

    One connection serves any number of locked rows: an *attempt* waits for its lock only a moment, then it is the next
    work's turn. While a single one is left it waits in PostgreSQL, not here.
    """

    def __init__(self, attempt: Callable[[Work[Any]], Awaitable[Outcome]], patience: float) -> None:
        self._attempt = attempt
        self._patience = patience
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any], float]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def write(self, work: Work[T]) -> T:
        """What *work* returned. Raises Problem `storage_locked` after *patience* seconds, and what *work* raises."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done, monotonic() + self._patience))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                work, done, deadline = self._waiting.popleft()
                outcome = await self._attempt(work)
                if _is_locked(outcome) and monotonic() < deadline and not done.done():
                    self._waiting.append((work, done, deadline))
                else:
                    outcome.resolve(done)
        finally:
            self._task = None

    async def close(self) -> None:
        """Return when no work waits any more: each is done or has used up its patience."""
        while self._task is not None:
            await asyncio.wait([self._task])


def _is_locked(outcome: Outcome) -> bool:
    return isinstance(outcome.error, Problem) and outcome.error.code == "storage_locked"
