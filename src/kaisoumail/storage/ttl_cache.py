"""
What was read a moment ago, so that a busy client does not ask the database who it is with every request.

Whatever changes access says so with its commit (`transactions.note_access`): everything is forgotten then, in this
process before the change is answered, in others as fast as a signal travels. Should a signal be lost, nothing is
believed for longer than a few seconds.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, Generic, TypeVar

T = TypeVar("T")

BELIEVED_SECONDS: Final = 5.0
_MOST: Final = 10_000


class TtlCache(Generic[T]):
    """Answers by key. What was not found is not kept: strangers could fill the memory with it."""

    def __init__(
        self, seconds: float = BELIEVED_SECONDS, clock: Callable[[], float] = monotonic, most: int = _MOST
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._most = most
        self._kept: dict[str, tuple[T, float]] = {}
        self._generation = 0

    def __len__(self) -> int:
        return len(self._kept)

    async def answer(self, key: str, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """What *read* returned, now or a moment ago."""
        kept = self._kept.get(key)
        if kept is not None and kept[1] > self._clock():
            return kept[0]
        generation, until = self._generation, self._clock() + self._seconds
        value = await read()
        if value is not None and generation == self._generation:  # else it may be from before the change
            if len(self._kept) >= self._most:
                self._kept.clear()
            self._kept[key] = (value, until)
        return value

    def correct(self, key: str, was: T, value: T) -> None:
        """What is known of *key* is *value* now, if it is still what *was* answered; not for longer than before."""
        kept = self._kept.get(key)
        if kept is not None and kept[0] is was:  # else it was read anew since, after a change perhaps
            self._kept[key] = (value, kept[1])

    def forget(self) -> None:
        """Believe nothing of it any more, nor what is being read just now."""
        self._generation += 1
        self._kept.clear()
