"""
How many addresses a client may try that do not exist: it gets slower, then it is sent away.

Who writes to one wrong address is told at once. Who goes on from one to the next (a directory harvest) waits longer
and longer for each reply, over all its connections, and hears 421 at last. Nothing is remembered of a client
that has been quiet for long enough.
"""

from collections import OrderedDict
from typing import Final

_BURST: Final = 50.0  # wrong addresses that are answered at once: a list with old entries in it
_PER_SECOND: Final = 1.0
_MOST_DELAY: Final = 5.0
_DELAY_PER_GUESS: Final = 0.1
_REFUSED_BELOW: Final = -100.0
_MOST_CLIENTS: Final = 10_000


class RecipientGuesses:
    """A token bucket for each client. Times are those of a clock that only goes forward, in seconds."""

    def __init__(
        self, burst: float = _BURST, most_delay: float = _MOST_DELAY, most_clients: int = _MOST_CLIENTS
    ) -> None:
        self._burst = burst
        self._most_delay = most_delay
        self._most_clients = most_clients
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @property
    def clients(self) -> int:
        """How many clients are remembered just now."""
        return len(self._levels)

    def guess(self, client: str, now: float) -> float:
        """Note one wrong address; how many seconds its reply should be held back."""
        level = self._level(client, now) - 1
        if level <= _REFUSED_BELOW:
            level = 2 * _REFUSED_BELOW  # sent away for a while, not until the next moment
        self._levels[client] = (level, now)
        self._levels.move_to_end(client)
        self._forget_the_oldest(now)
        return min(self._most_delay, max(0.0, -level) * _DELAY_PER_GUESS)

    def is_refused(self, client: str, now: float) -> bool:
        """Whether *client* has guessed so much that it should come back later."""
        return client in self._levels and self._level(client, now) <= _REFUSED_BELOW

    def _level(self, client: str, now: float) -> float:
        level, since = self._levels.get(client, (self._burst, now))
        return min(self._burst, level + (now - since) * _PER_SECOND)

    def _forget_the_oldest(self, now: float) -> None:
        while self._levels:
            client = next(iter(self._levels))
            if len(self._levels) <= self._most_clients and self._level(client, now) < self._burst:
                return
            del self._levels[client]
