"""
The bytes in memory of messages that are not stored yet, counted as they arrive.

Only bytes that have arrived count, not the size that a client announces. The first 64 KiB of each transfer are outside
the budget (the number of connections bounds them), so that an ordinary message is never refused because of the large
ones of others. When the budget is used up, the largest stalled transfer is evicted: a client that sends a lot and then
stalls cannot block others.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

TOTAL_BYTES: Final = 256 * 1024 * 1024
FREE_BYTES: Final = 64 * 1024
OVERSIZE_FACTOR: Final = 4  # a transfer of this many times the allowed size is cut off
_CLIENT_SHARE: Final = 7 / 8  # for one client: a relay in front of us sends several large messages at once
_SLOW_SECONDS: Final = 5.0
_SLOW_RATE: Final = 16 * 1024  # bytes a second, over `_SLOW_SECONDS`


class MemoryBudget:
    """A budget of *total* bytes for all transfers; one client has at most seven eighths of it."""

    def __init__(self, total: int = TOTAL_BYTES, *, free: int = FREE_BYTES, slow_after: float = _SLOW_SECONDS) -> None:
        self.total = total
        self.free = free
        self.used = 0
        self.slow_after = slow_after
        self._by_client: Counter[str] = Counter()
        self._counted: dict[Allocation, None] = {}

    def allocation(self, client: str, evict: Callable[[], None] | None = None) -> "Allocation":
        """An empty allocation for a transfer of *client*; *evict* ends it if it stalls when others need memory."""
        return Allocation(self, client, evict)

    def take(self, allocation: "Allocation", size: int) -> bool:
        """Count *size* more bytes of *allocation*, if needed by evicting stalled ones; False if they do not fit."""
        client = allocation.client
        share = self.total * _CLIENT_SHARE if client else self.total
        needed = allocation.counted + size
        while self._by_client[client] + size > share:
            if not self._evict_stalled(needed, client):
                return False
        while self.used + size > self.total:
            if not self._evict_stalled(needed):
                return False
        self.used += size
        self._by_client[client] += size
        self._counted[allocation] = None
        return True

    def give_back(self, allocation: "Allocation", size: int) -> None:
        """Count *size* bytes of *allocation* no longer."""
        client = allocation.client
        self.used -= size
        self._by_client[client] -= size
        if not self._by_client[client]:
            del self._by_client[client]
        if size == allocation.counted:
            del self._counted[allocation]

    def _evict_stalled(self, needed: int, client: str | None = None) -> bool:
        """Evict the largest stalled transfer above *needed* bytes, if given of *client*; returns whether it did."""
        now = monotonic()
        larger = (each for each in self._counted if each.counted > needed and client in (None, each.client))
        stalled = (each for each in larger if each.evict is not None and each.is_stalled(now))
        largest = max(stalled, key=lambda each: each.counted, default=None)
        if largest is None or largest.evict is None:
            return False
        largest.release()
        largest.evict()
        return True


@dataclass(slots=True, eq=False)
class Allocation:
    """The bytes of one transfer. The caller that created it must `release` it. Without *evict* it is never evicted."""

    budget: MemoryBudget
    client: str
    evict: Callable[[], None] | None = None
    held: int = 0
    counted: int = 0
    _seen: tuple[float, int] = field(default_factory=lambda: (monotonic(), 0))
    _rate: float = float("inf")

    def hold(self, size: int) -> bool:
        """Set the held bytes to *size*, more or fewer than before; False, without a change, if they do not fit."""
        counted = max(0, size - self.budget.free)
        grown = counted - self.counted
        if grown > 0 and not self.budget.take(self, grown):
            return False
        if grown < 0:
            self.budget.give_back(self, -grown)
        self.held, self.counted = size, counted
        self._note_rate(monotonic())
        return True

    def release(self) -> None:
        """Set the held bytes to zero."""
        self.hold(0)

    def is_stalled(self, now: float) -> bool:
        """Whether the transfer recently grew by less than 16 KiB a second."""
        self._note_rate(now)
        return self._rate < _SLOW_RATE

    def _note_rate(self, now: float) -> None:
        since, held = self._seen
        if now - since >= self.budget.slow_after:
            self._rate = max(0, self.held - held) / (now - since)
            self._seen = (now, self.held)
