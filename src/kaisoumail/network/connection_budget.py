"""
How many connections a listener holds at once: in all, from one client, and of those nobody has proved anything on.

A client is an IPv4 address or an IPv6 /64 (`model.client_address.counted_as`). A proxy that the operator named speaks
for many and is not counted as one.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

_STRESSED_FROM: Final = 0.75


class Admitted(Enum):
    """What a newcomer may do."""

    ORDINARY = auto()
    ON_PROBATION = auto()  # only for somebody who proves at once who it is: strangers hold all that is theirs
    SERVER_FULL = auto()
    CLIENT_FULL = auto()


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """*total* connections, of them *per_client* from one client; strangers leave *kept_for_known* of them free."""

    total: int = 1000
    per_client: int = 100
    kept_for_known: int = 0


class ConnectionBudget:
    """
    Counts the connections of one listener. Whoever is admitted must `leave`.

    Who has proved who it is (`prove`) no longer counts among the strangers, neither in all nor of its client.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._strangers: Counter[str] = Counter()
        self._known = 0
        self._stranger_count = 0

    @property
    def open(self) -> int:
        return self._stranger_count + self._known

    @property
    def is_stressed(self) -> bool:
        """Whether strangers hold so much that nobody idle is waited for: the idea is Postfix's STRESS_README."""
        return self._stranger_count >= _STRESSED_FROM * (self._limits.total - self._limits.kept_for_known)

    def admit(self, client: str) -> Admitted:
        """Count a new connection of *client* ("" is not counted as one); the two refusals count nothing."""
        if self.open >= self._limits.total:
            return Admitted.SERVER_FULL
        if client and self._strangers[client] >= self._limits.per_client:
            return Admitted.CLIENT_FULL
        is_late = self._stranger_count >= self._limits.total - self._limits.kept_for_known
        self._stranger_count += 1
        if client:
            self._strangers[client] += 1
        return Admitted.ON_PROBATION if is_late else Admitted.ORDINARY

    def prove(self, client: str) -> None:
        """A connection that was admitted for *client* is no stranger's any more."""
        self._forget_stranger(client)
        self._known += 1

    def leave(self, client: str, *, is_known: bool = False) -> None:
        """A connection that was admitted is over."""
        if is_known:
            self._known -= 1
        else:
            self._forget_stranger(client)

    def _forget_stranger(self, client: str) -> None:
        self._stranger_count -= 1
        if client:
            self._strangers[client] -= 1
            if not self._strangers[client]:
                del self._strangers[client]
