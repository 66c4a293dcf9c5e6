"""
Refused clients in the log: one line for each kind and client in a minute, however often the client tries.

SMTP, HTTP and the signed hand-over note their refusals here, so that an attack neither fills the disk nor buries the
lines an operator needs, while a misconfiguration (a wrong secret, a wrong clock) still gives a warning.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from kaisoumail.model.client_address import client_key

SECONDS: Final = 60.0
# About 0.5 MB with their timers. All further clients share one line a minute.
MAX_CLIENTS: Final = 1000
OTHERS: Final = "others"
_log = structlog.get_logger("kaisoumail.refusals")

CallLater = Callable[[float, Callable[[tuple[str, str]], None], tuple[str, str]], object]


class RefusalLog:
    """
    Counts refusals per kind and client, and logs them as `client.refused` with `kind`, `client`, `count`, `seconds`.

    The first is logged at once, with `seconds=0`; those of the next 60 s as one line, and so on until a minute has
    none: then the client is forgotten. *call_later* defaults to that of the running event loop.
    """

    def __init__(self, max_clients: int = MAX_CLIENTS, call_later: CallLater | None = None) -> None:
        self._max_clients = max_clients
        self._call_later = call_later
        self._totals: Counter[str] = Counter()
        self._not_logged: dict[tuple[str, str], int] = {}

    def note(self, kind: str, client: str | None) -> None:
        """
        Count a refusal of *kind*, an event name such as `handover.signature`, for the address *client*.

        An IPv6 address counts as its /64. Must be called in the event loop's thread.
        """
        self._totals[kind] += 1
        key = (kind, "unknown" if client is None else client_key(client))
        if key not in self._not_logged and len(self._not_logged) >= self._max_clients:
            key = (kind, OTHERS)
        if key in self._not_logged:
            self._not_logged[key] += 1
        else:
            _log.warning("client.refused", kind=kind, client=key[1], count=1, seconds=0)
            self._not_logged[key] = 0
            self._schedule(key)

    def totals(self) -> dict[str, int]:
        """The number of refusals of each kind since the start, logged or not."""
        return dict(self._totals)

    @property
    def clients(self) -> int:
        """How many pairs of kind and client are tracked now; 0 after a minute without refusals."""
        return len(self._not_logged)

    def _schedule(self, key: tuple[str, str]) -> None:
        call_later: CallLater = self._call_later or asyncio.get_running_loop().call_later
        call_later(SECONDS, self._minute_is_over, key)

    def _minute_is_over(self, key: tuple[str, str]) -> None:
        kind, client = key
        count = self._not_logged.pop(key)
        if count:
            _log.warning("client.refused", kind=kind, client=client, count=count, seconds=int(SECONDS))
            self._not_logged[key] = 0
            self._schedule(key)
