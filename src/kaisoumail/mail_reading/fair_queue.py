"""
The queue of messages to read: first those of clients whose messages have cost little so far.

Pure: the time is passed in, in seconds of a monotonic clock.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

HALF_LIFE: Final = 60.0
MAX_KEYS: Final = 4096
SLOW: Final = 0.05  # seconds; no ordinary message below 64 KB takes half of this
_MAX_HALF_LIVES: Final = 10  # then a thousandth of the usage is left
# The cost to read a byte of an ordinary message: of two keys without usage, the one with the shorter message is first.
_SECONDS_PER_BYTE: Final = 3e-7


class Usage:
    """
    Reader seconds by key, which halve every *half_life* seconds; at most *most* keys.

    The seconds of messages that took long are also counted separately: a client with many ordinary messages has a high
    usage, but none of its messages delays those of others.
    """

    def __init__(self, half_life: float = HALF_LIFE, most: int = MAX_KEYS) -> None:
        self._half_life = half_life
        self._most = most
        self._used: OrderedDict[str, _ClientUsage] = OrderedDict()  # ordered by the last charge

    def __len__(self) -> int:
        return len(self._used)

    def of(self, key: str, now: float) -> float:
        """The seconds that *key* has used."""
        used = self._used.get(key)
        return 0.0 if used is None else used.seconds * self._share_left(used, now)

    def of_slow(self, key: str, now: float) -> float:
        """The seconds that *key* has used for messages that took at least `SLOW`."""
        used = self._used.get(key)
        return 0.0 if used is None or not used.slow_seconds else used.slow_seconds * self._share_left(used, now)

    def charge(self, key: str, seconds: float, now: float) -> None:
        """Add *seconds* for one message of *key*."""
        slow = self.of_slow(key, now) + (seconds if seconds >= SLOW else 0.0)
        self._used[key] = _ClientUsage(self.of(key, now) + seconds, slow, now)
        self._used.move_to_end(key)
        for oldest in islice(tuple(islice(self._used, 2)), len(self._used) - 1):  # one was added, up to two may go
            if len(self._used) > self._most or now - self._used[oldest].at > _MAX_HALF_LIVES * self._half_life:
                del self._used[oldest]

    def _share_left(self, used: "_ClientUsage", now: float) -> float:
        return float(0.5 ** ((now - used.at) / self._half_life))


class _ClientUsage(NamedTuple):
    seconds: float
    slow_seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait: for one key, and in all. An empty queue accepts one message of any size."""

    messages_of_one: int
    bytes_of_one: int
    messages: int
    bytes: int


class FairQueue(Generic[T]):
    """Items by key: keys with the least usage are first, the items of one key in the order of their arrival."""

    def __init__(self, usage: Usage, weigh: Callable[[T], int], bounds: Bounds | None = None) -> None:
        self._usage = usage
        self._weigh = weigh
        self._bounds = bounds
        self._waiting: dict[str, deque[tuple[int, T]]] = {}
        self._bytes: dict[str, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, key: str, item: T) -> bool:
        """Append *item* to those of *key*. Returns False, and adds nothing, when the bounds are reached."""
        if not self._has_space(key, self._weigh(item)):
            return False
        self._count += 1
        self._waiting.setdefault(key, deque()).append((self._count, item))
        self._bytes[key] = self._bytes.get(key, 0) + self._weigh(item)
        return True

    def put_back(self, key: str, item: T) -> None:
        """Put *item*, which `take` returned, back in front of those of *key*; the bounds do not apply."""
        self._waiting.setdefault(key, deque()).appendleft((0, item))
        self._bytes[key] = self._bytes.get(key, 0) + self._weigh(item)

    def least_used(self, now: float) -> float | None:
        """The least usage of the keys that have items, in seconds; None when the queue is empty."""
        return min((self._usage.of(key, now) for key in self._waiting), default=None)

    def take(self, now: float, most: int, most_bytes: int, cheap: float) -> list[tuple[str, T]]:
        """
        Remove and return the next batch: up to *most* items of *most_bytes* in all, or a single larger item.

        Only keys whose slow messages took less than *cheap* seconds share a batch; an item of another key is returned
        alone.
        """
        order = nsmallest(most, self._waiting, key=lambda key: self._rank(key, now))
        batch: list[tuple[str, T]] = []
        weight = 0
        for key in order:
            is_cheap = self._usage.of_slow(key, now) < cheap
            while key in self._waiting and len(batch) < most:
                weight += self._weigh(self._waiting[key][0][1])
                if batch and (weight > most_bytes or not is_cheap):
                    return batch
                batch.append((key, self._pop(key)))
                if not is_cheap:
                    return batch
        return batch

    def drain(self) -> list[T]:
        """Remove and return all items."""
        items = [item for waiting in self._waiting.values() for _, item in waiting]
        self._waiting.clear()
        self._bytes.clear()
        return items

    def _rank(self, key: str, now: float) -> tuple[float, int]:
        number, item = self._waiting[key][0]
        return self._usage.of(key, now) + self._weigh(item) * _SECONDS_PER_BYTE, number

    def _pop(self, key: str) -> T:
        waiting = self._waiting[key]
        _, item = waiting.popleft()
        self._bytes[key] -= self._weigh(item)
        if not waiting:
            del self._waiting[key], self._bytes[key]
        return item

    def _has_space(self, key: str, weight: int) -> bool:
        if self._bounds is None or not self._waiting:
            return True
        count = len(self._waiting.get(key, ()))
        if count and (count >= self._bounds.messages_of_one or self._bytes[key] + weight > self._bounds.bytes_of_one):
            return False
        return len(self) < self._bounds.messages and sum(self._bytes.values()) + weight <= self._bounds.bytes
