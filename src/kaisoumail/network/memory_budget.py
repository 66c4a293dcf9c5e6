"""
How many bytes of messages that are not stored yet are in memory, counted as they arrive.

What a client announces counts for nothing: only what came. The first 64 KiB of each transfer are outside the budget
(the number of connections bounds them), so that an ordinary message is never refused for somebody else's large ones.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

TOTAL_BYTES: Final = 256 * 1024 * 1024
FREE_BYTES: Final = 64 * 1024
OVERSIZE_FACTOR: Final = 4  # who sends so many times what is allowed is not listened to any longer
_CLIENT_SHARE: Final = 7 / 8  # one client may hold; a relay in front of us sends several large ones at once
_STRESSED_FROM: Final = 0.75


class MemoryBudget:
    """*total* bytes over all transfers; one client has at most seven eighths of them."""

    def __init__(self, total: int = TOTAL_BYTES, *, free: int = FREE_BYTES) -> None:
        self.total = total
        self.free = free
        self.used = 0
        self._by_client: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        return self.used >= self.total

    @property
    def is_stressed(self) -> bool:
        """Whether so much is held that nobody who pauses is waited for."""
        return self.used >= _STRESSED_FROM * self.total

    def allocation(self, client: str) -> "Allocation":
        """A new transfer of *client*, which holds nothing yet."""
        return Allocation(self, client)

    def take(self, client: str, size: int) -> bool:
        """Whether *size* more bytes of *client* are counted; if not, nothing is."""
        share = self.total * _CLIENT_SHARE if client else self.total
        if self.used + size > self.total or self._by_client[client] + size > share:
            return False
        self.used += size
        self._by_client[client] += size
        return True

    def give_back(self, client: str, size: int) -> None:
        self.used -= size
        self._by_client[client] -= size
        if not self._by_client[client]:
            del self._by_client[client]


@dataclass(slots=True)
class Allocation:
    """The bytes of one transfer. Whoever opened it must `release` it."""

    budget: MemoryBudget
    client: str
    held: int = 0
    _counted: int = 0

    def hold(self, size: int) -> bool:
        """Hold *size* bytes in all from now on, more or fewer than before; False if they do not fit, as before then."""
        counted = max(0, size - self.budget.free)
        grown = counted - self._counted
        if grown > 0 and not self.budget.take(self.client, grown):
            return False
        if grown < 0:
            self.budget.give_back(self.client, -grown)
        self.held, self._counted = size, counted
        return True

    def release(self) -> None:
        """Hold nothing any more."""
        self.hold(0)
