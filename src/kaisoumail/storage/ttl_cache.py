"""
A cache with a short lifetime, so that a busy client does not cost a database query with every request.

A write that changes access signals it with its commit (`transactions.note_access`): every entry is dropped then, in
this process before the write returns, in others as soon as the signal arrives. Should a signal be lost, no entry is
used for longer than a few seconds.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, Generic, TypeVar

T = TypeVar("T")

BELIEVED_SECONDS: Final = 5.0
_MOST: Final = 10_000


class TtlCache(Generic[T]):
    """Values by key. A key without a value is not stored: unauthenticated clients could fill the memory with those."""

    def __init__(
        self, seconds: float = BELIEVED_SECONDS, clock: Callable[[], float] = monotonic, most: int = _MOST
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._most = most
        self._entries: dict[str, tuple[T, float]] = {}
        self._generation = 0

    def __len__(self) -> int:
        return len(self._entries)

    async def answer(self, key: str, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """What *read* returns, or returned for *key* less than the lifetime ago."""
        entry = self._entries.get(key)
        if entry is not None and entry[1] > self._clock():
            return entry[0]
        generation, until = self._generation, self._clock() + self._seconds
        value = await read()
        if value is not None and generation == self._generation:  # else it may have been read before a change
            if len(self._entries) >= self._most:
                self._entries.clear()
            self._entries[key] = (value, until)
        return value

    def correct(self, key: str, was: T, value: T) -> None:
        """Replace the entry of *key* by *value* if it is still *was*; its lifetime stays."""
        entry = self._entries.get(key)
        if entry is not None and entry[0] is was:  # else it was read again since, perhaps after a change
            self._entries[key] = (value, entry[1])

    def forget(self) -> None:
        """Drop every entry, and do not store what is being read just now."""
        self._generation += 1
        self._entries.clear()
