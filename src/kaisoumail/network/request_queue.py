"""
The order in which requests of unauthenticated clients begin: a few at once, each client in its turn.

Thousands of connections may bring a request in the same moment. Begun together, they would share the processor and the
database with each other, and a request of anybody else would wait for all of them. Here it waits for one of each
client. A client is an IPv4 address or an IPv6 /64 (`model.client_address.client_key`).
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol

AT_ONCE: Final = 16
LONGEST_SECONDS: Final = 0.5  # then the next one begins all the same: while the database is away each may take long
_CHECK_SECONDS: Final = 0.05

CallLater = Callable[[float, Callable[[], None]], object]


class QueuedRequest(Protocol):
    """A request that has arrived."""

    @property
    def is_busy(self) -> bool:
        """Whether the server is at work on it: begun, not answered, not authenticated, not waiting for its body."""
        ...

    def begin(self) -> None:
        """Begin to answer it; does nothing if its client is gone. Called once."""
        ...


class RequestQueue:
    """At most *at_once* requests are busy, not counting those that have been for *longest* seconds."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        longest: float = LONGEST_SECONDS,
        clock: Callable[[], float] = monotonic,
        call_later: CallLater | None = None,
    ) -> None:
        self._at_once = at_once
        self._longest = longest
        self._clock = clock
        self._call_later = call_later
        self._waiting: OrderedDict[str, deque[QueuedRequest]] = OrderedDict()  # the client whose turn it is first
        self._begun: list[tuple[QueuedRequest, float]] = []
        self._is_check_due = False

    def __len__(self) -> int:
        """The number of requests that wait."""
        return sum(map(len, self._waiting.values()))

    def add(self, client: str, request: QueuedRequest) -> None:
        """Begin *request* of *client* now or in its turn. Must be called in the event loop's thread."""
        self._waiting.setdefault(client, deque()).append(request)
        self.advance()

    def advance(self) -> None:
        """Begin the next requests if there is place; to be called when one has ended."""
        now = self._clock()
        self._begun = [(request, until) for request, until in self._begun if now < until and request.is_busy]
        while self._waiting and len(self._begun) < self._at_once:
            request = self._next()
            request.begin()
            self._begun.append((request, now + self._longest))
        if self._waiting and not self._is_check_due:
            self._is_check_due = True
            call_later: CallLater = self._call_later or asyncio.get_running_loop().call_later
            call_later(_CHECK_SECONDS, self._check)

    def _next(self) -> QueuedRequest:
        """Remove and return the first request of the client whose turn it is; its next one waits for all others."""
        client, requests = self._waiting.popitem(last=False)
        request = requests.popleft()
        if requests:
            self._waiting[client] = requests
        return request

    def _check(self) -> None:
        """Notice what nothing reports: a request that was authenticated or waits for its body."""
        self._is_check_due = False
        self.advance()
