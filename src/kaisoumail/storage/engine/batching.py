"""Batching: one query answers all callers of the same moment."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from kaisoumail.errors import Problem

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

MOST_TOGETHER: Final = 128


class Batcher(Generic[I, R]):
    """
    One call of *ask* for all the items of the moment.

    While one batch is under way the next one collects; an item never waits for others to join. *ask* returns
    one answer for each item, in order; a Problem among the answers is raised to the caller of that item. When
    *ask* itself fails, it is called again for each item alone, so that one bad item does not fail the others;
    but a failure that may pass is raised to all callers at once. A batch has at most *most* items and weighs
    at most *most_weight*, or is one item that weighs more.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[I]], Awaitable[Sequence[R | Problem]]],
        weigh: Callable[[I], int] = lambda _: 0,
        most_weight: int = 0,
        most: int = MOST_TOGETHER,
    ) -> None:
        self._ask = ask
        self._weigh = weigh
        self._most_weight = most_weight
        self._most = most
        self._waiting: list[tuple[I, asyncio.Future[R]]] = []
        self._task: asyncio.Task[None] | None = None

    async def answer(self, item: I) -> R:
        """The answer for *item*. Raises it if it is a Problem, and what *ask* raised."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = self._next_count()
                batch, self._waiting = self._waiting[:count], self._waiting[count:]
                outcomes = await self._outcomes([item for item, _ in batch])
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    if future.done():  # the caller was cancelled; what *ask* did is not undone
                        continue
                    if isinstance(outcome, BaseException):
                        future.set_exception(outcome)
                    else:
                        future.set_result(outcome)
        finally:
            self._task = None

    def _next_count(self) -> int:
        """How many waiting items make up the next batch."""
        weight = 0
        for number, (item, _) in enumerate(self._waiting[: self._most]):
            weight += self._weigh(item)
            if weight > self._most_weight and number:
                return number
        return self._most

    async def _outcomes(self, items: Sequence[I]) -> Sequence[R | Exception]:
        try:
            return await self._ask(items)
        except Exception as error:  # noqa: BLE001 - raised to the callers of these items
            if len(items) == 1 or (isinstance(error, Problem) and error.kind.retry):
                return [error] * len(items)
        return [outcome for item in items for outcome in await self._outcomes([item])]


class KeyedBatcher(Generic[I, R]):
    """As `Batcher`, with batches of its own for each key: a slow key delays no other."""

    def __init__(self, ask: Callable[[Sequence[I]], Awaitable[Sequence[R | Problem]]]) -> None:
        self._ask = ask
        self._batchers: dict[str, Batcher[I, R]] = {}
        self._waiting: Counter[str] = Counter()

    def __contains__(self, key: str) -> bool:
        """True while a caller waits for an answer by *key*."""
        return key in self._batchers

    async def answer(self, key: str, item: I) -> R:
        """The answer for *item*. Raises it if it is a Problem, and what *ask* raised."""
        batcher = self._batchers.setdefault(key, Batcher(self._ask))
        self._waiting[key] += 1
        try:
            return await batcher.answer(item)
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._batchers[key], self._waiting[key]
