"""
How many connections a listener holds at once: in all, from one client, and of those nobody has proved anything on.

A client is an IPv4 address or an IPv6 /64 (`model.client_address.counted_as`). A proxy that the operator named speaks
for many and is not counted as one. When strangers hold all that is theirs, the client with the most connections loses
its oldest one to whoever has fewer: a few addresses that fill the listener keep nobody else out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

_STRESSED_FROM: Final = 0.75


class ConnectionVerdict(Enum):
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


@dataclass(slots=True, eq=False)
class Admission:
    """A connection that was admitted or refused; whoever was admitted must `leave` the budget once."""

    client: str
    outcome: ConnectionVerdict
    evict: Callable[[], None]
    is_known: bool = False
    is_counted: bool = True


class ConnectionBudget:
    """
    Counts the connections of one listener.

    Who has proved who it is (`prove`) no longer counts among the strangers, neither in all nor of its client.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._strangers: dict[str, dict[Admission, None]] = {}  # of each client the oldest first
        self._stranger_count = 0
        self._known = 0

    @property
    def open(self) -> int:
        return self._stranger_count + self._known

    @property
    def is_stressed(self) -> bool:
        """Whether strangers hold so much that nobody idle is waited for: the idea is Postfix's STRESS_README."""
        return self._stranger_count >= _STRESSED_FROM * self._for_strangers

    def admit(self, client: str, evict: Callable[[], None]) -> Admission:
        """
        Count a new connection of *client* ("" is not counted as one); the two refusals count nothing.

        *evict* ends it, should its client hold the most when somebody else needs a place.
        """
        outcome = ConnectionVerdict.ORDINARY
        if client and len(self._strangers.get(client, ())) >= self._limits.per_client:
            outcome = ConnectionVerdict.CLIENT_FULL
        elif self._is_full_for_strangers and not self._make_place(client):
            outcome = (
                ConnectionVerdict.SERVER_FULL if self.open >= self._limits.total else ConnectionVerdict.ON_PROBATION
            )
        admission = Admission(
            client, outcome, evict, is_counted=outcome in (ConnectionVerdict.ORDINARY, ConnectionVerdict.ON_PROBATION)
        )
        if admission.is_counted:
            self._strangers.setdefault(client, {})[admission] = None
            self._stranger_count += 1
        return admission

    def prove(self, admission: Admission) -> None:
        """The connection is no stranger's any more."""
        if admission.is_counted and not admission.is_known:
            self._forget_stranger(admission)
            admission.is_known = True
            self._known += 1

    def leave(self, admission: Admission) -> None:
        """The connection is over."""
        if admission.is_counted and admission.is_known:
            self._known -= 1
        elif admission.is_counted:
            self._forget_stranger(admission)
        admission.is_counted = False

    @property
    def _is_full_for_strangers(self) -> bool:
        return self._stranger_count >= self._for_strangers or self.open >= self._limits.total

    @property
    def _for_strangers(self) -> int:
        return self._limits.total - self._limits.kept_for_known

    def _make_place(self, client: str) -> bool:
        """Whether the client with the most connections lost one to *client*, which has at least two fewer."""
        most = max((one for one in self._strangers if one), key=lambda one: len(self._strangers[one]), default="")
        mine = len(self._strangers.get(client, ())) if client else 0  # a proxy's are those of many
        if not most or len(self._strangers[most]) < mine + 2:
            return False
        oldest = next(iter(self._strangers[most]))
        self.leave(oldest)
        oldest.evict()
        return True

    def _forget_stranger(self, admission: Admission) -> None:
        mine = self._strangers[admission.client]
        del mine[admission]
        self._stranger_count -= 1
        if not mine:
            del self._strangers[admission.client]
