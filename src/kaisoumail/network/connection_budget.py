"""
The number of connections that a listener holds at once: in all, from one client, and unauthenticated ones.

A client is an IPv4 address or an IPv6 /64 (`model.client_address.client_key`). A proxy that the operator has configured
serves many clients and is not counted as one. When all places for unauthenticated connections are used, the client with
the most of them loses its oldest one to a client with fewer: a few addresses that fill the listener cannot shut out
others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

_STRESSED_FROM: Final = 0.75


class ConnectionVerdict(Enum):
    """What a new connection may do."""

    ORDINARY = auto()
    ON_PROBATION = auto()  # must authenticate at once: the places for unauthenticated connections are used up
    SERVER_FULL = auto()
    CLIENT_FULL = auto()


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """At most *total* connections, *per_client* of one client unless authenticated; some reserved."""

    total: int = 1000
    per_client: int = 100
    reserved_for_authenticated: int = 0


@dataclass(slots=True, eq=False)
class ConnectionAdmission:
    """A connection that was admitted or refused; the caller must `release` the budget once for each admitted one."""

    client: str
    outcome: ConnectionVerdict
    evict: Callable[[], None]
    is_authenticated: bool = False
    is_counted: bool = True


class ConnectionBudget:
    """
    Counts the connections of one listener.

    An authenticated connection (`authenticate`) no longer counts as unauthenticated, neither in all nor for its client.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._unauthenticated: dict[str, dict[ConnectionAdmission, None]] = {}  # for each client the oldest first
        self._unauthenticated_count = 0
        self._authenticated_count = 0

    @property
    def open(self) -> int:
        """How many connections are counted now, authenticated or not; refused ones are not."""
        return self._unauthenticated_count + self._authenticated_count

    @property
    def is_stressed(self) -> bool:
        """
        Whether unauthenticated clients hold three quarters of their connections: then idle and slow ones get less time.

        The idea is from Postfix's STRESS_README.
        """
        return self._unauthenticated_count >= _STRESSED_FROM * self._unauthenticated_limit

    def admit(self, client: str, evict: Callable[[], None]) -> ConnectionAdmission:
        """
        Count a new connection of *client* ("" has no limit of its own); a refused one is not counted.

        *evict* is called to end the connection if its client holds the most when another client needs a place.
        """
        outcome = ConnectionVerdict.ORDINARY
        if client and len(self._unauthenticated.get(client, ())) >= self._limits.per_client:
            outcome = ConnectionVerdict.CLIENT_FULL
        elif self._is_full and not self._make_place(client):
            outcome = (
                ConnectionVerdict.SERVER_FULL if self.open >= self._limits.total else ConnectionVerdict.ON_PROBATION
            )
        admission = ConnectionAdmission(
            client, outcome, evict, is_counted=outcome in (ConnectionVerdict.ORDINARY, ConnectionVerdict.ON_PROBATION)
        )
        if admission.is_counted:
            self._unauthenticated.setdefault(client, {})[admission] = None
            self._unauthenticated_count += 1
        return admission

    def authenticate(self, admission: ConnectionAdmission) -> None:
        """Count the connection as authenticated from now on."""
        if admission.is_counted and not admission.is_authenticated:
            self._remove_unauthenticated(admission)
            admission.is_authenticated = True
            self._authenticated_count += 1

    def release(self, admission: ConnectionAdmission) -> None:
        """Remove the connection, which has ended, from the count."""
        if admission.is_counted and admission.is_authenticated:
            self._authenticated_count -= 1
        elif admission.is_counted:
            self._remove_unauthenticated(admission)
        admission.is_counted = False

    @property
    def _is_full(self) -> bool:
        return self._unauthenticated_count >= self._unauthenticated_limit or self.open >= self._limits.total

    @property
    def _unauthenticated_limit(self) -> int:
        return self._limits.total - self._limits.reserved_for_authenticated

    def _make_place(self, client: str) -> bool:
        """Evict a connection of the client with the most, if *client* has at least two fewer; return whether it did."""
        largest = max(
            (each for each in self._unauthenticated if each),
            key=lambda each: len(self._unauthenticated[each]),
            default="",
        )
        # The connections of a proxy ("") are of many clients.
        own_count = len(self._unauthenticated.get(client, ())) if client else 0
        if not largest or len(self._unauthenticated[largest]) < own_count + 2:
            return False
        oldest = next(iter(self._unauthenticated[largest]))
        self.release(oldest)
        oldest.evict()
        return True

    def _remove_unauthenticated(self, admission: ConnectionAdmission) -> None:
        of_client = self._unauthenticated[admission.client]
        del of_client[admission]
        self._unauthenticated_count -= 1
        if not of_client:
            del self._unauthenticated[admission.client]
