"""
Limits how many unknown recipients a client may try: its replies are delayed, then it is refused.

A single wrong address is answered immediately. A client that tries one after the other (a directory harvest) waits
longer for each reply, over all its connections, and finally gets 421. Nothing is stored about a client that has been
quiet for long enough.
"""

from collections import OrderedDict
from typing import Final

_BURST: Final = 50.0  # wrong addresses answered without delay: mailing lists have old entries
_PER_SECOND: Final = 1.0
_MOST_DELAY: Final = 5.0
_DELAY_PER_GUESS: Final = 0.1
_REFUSED_BELOW: Final = -100.0
_MOST_CLIENTS: Final = 10_000


class RecipientGuesses:
    """A token bucket for each client. Times are seconds of a monotonic clock."""

    def __init__(
        self, burst: float = _BURST, most_delay: float = _MOST_DELAY, most_clients: int = _MOST_CLIENTS
    ) -> None:
        self._burst = burst
        self._most_delay = most_delay
        self._most_clients = most_clients
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @property
    def clients(self) -> int:
        """The number of clients in memory now."""
        return len(self._levels)

    def guess(self, client: str, now: float) -> float:
        """Count one wrong address; returns by how many seconds its reply should be delayed."""
        level = self._level(client, now) - 1
        if level <= _REFUSED_BELOW:
            level = 2 * _REFUSED_BELOW  # refused for a while, not only until the next moment
        self._levels[client] = (level, now)
        self._levels.move_to_end(client)
        self._forget_idle(now)
        return min(self._most_delay, max(0.0, -level) * _DELAY_PER_GUESS)

    def is_refused(self, client: str, now: float) -> bool:
        """Whether *client* has guessed so often that it is refused for now."""
        return client in self._levels and self._level(client, now) <= _REFUSED_BELOW

    def _level(self, client: str, now: float) -> float:
        level, since = self._levels.get(client, (self._burst, now))
        return min(self._burst, level + (now - since) * _PER_SECOND)

    def _forget_idle(self, now: float) -> None:
        while self._levels:
            client = next(iter(self._levels))
            if len(self._levels) <= self._most_clients and self._level(client, now) < self._burst:
                return
            del self._levels[client]
