"""Asking together: what many want at the same moment is asked of the database once."""

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
    One question for all the items of the moment.

    While one batch is under way the next one collects; nothing waits for company. *ask* answers item by
    item, in order; a Problem among the answers is raised to whoever asked for that item. When *ask*
    itself fails, each item is asked alone, so that one bad item costs the others nothing; but trouble that
    may pass is everybody's, at once. A batch has at most *most* items and weighs at most
    *most_weight*, or is one item that weighs more.
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
        """The answer for *item*. Raises the Problem that it is, or whatever asking raised."""
        answered: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answered))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await answered

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = self._together()
                batch, self._waiting = self._waiting[:count], self._waiting[count:]
                outcomes = await self._outcomes([item for item, _ in batch])
                for (_, answered), outcome in zip(batch, outcomes, strict=True):
                    if answered.done():  # nobody waits any longer; what was done stays done
                        continue
                    if isinstance(outcome, BaseException):
                        answered.set_exception(outcome)
                    else:
                        answered.set_result(outcome)
        finally:
            self._task = None

    def _together(self) -> int:
        """How many of those that wait go next."""
        weight = 0
        for number, (item, _) in enumerate(self._waiting[: self._most]):
            weight += self._weigh(item)
            if weight > self._most_weight and number:
                return number
        return self._most

    async def _outcomes(self, items: Sequence[I]) -> Sequence[R | Exception]:
        try:
            return await self._ask(items)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            if len(items) == 1 or (isinstance(error, Problem) and error.kind.retry):
                return [error] * len(items)
        return [outcome for item in items for outcome in await self._outcomes([item])]


class KeyedBatcher(Generic[I, R]):
    """As `Batcher`, with a batch of its own for each key: what holds up one key holds up no other."""

    def __init__(self, ask: Callable[[Sequence[I]], Awaitable[Sequence[R | Problem]]]) -> None:
        self._ask = ask
        self._of: dict[str, Batcher[I, R]] = {}
        self._waiting: Counter[str] = Counter()

    def __contains__(self, key: str) -> bool:
        """True while somebody waits for an answer by *key*."""
        return key in self._of

    async def answer(self, key: str, item: I) -> R:
        """The answer for *item*. Raises the Problem that it is, or whatever asking raised."""
        gathered = self._of.setdefault(key, Batcher(self._ask))
        self._waiting[key] += 1
        try:
            return await gathered.answer(item)
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._of[key], self._waiting[key]
