"""Limits of one HTTP connection in size and time, and the limits that all connections of the listener share."""

from dataclasses import dataclass, field, replace

from kaisoumail.model.client_address import Networks
from kaisoumail.model.refusal_log import RefusalLog
from kaisoumail.network.connection_budget import ConnectionBudget, ConnectionLimits
from kaisoumail.network.request_queue import RequestQueue


@dataclass(frozen=True, slots=True)
class RequestBounds:
    """Sizes in bytes, times in seconds; *stressed* while unauthenticated clients have most of the connections."""

    head_bytes: int = 64 * 1024  # request line and header fields
    fields: int = 100
    pipelined: int = 16  # requests that wait for the answer to an earlier one
    framing_bytes: int = 64 * 1024  # chunk sizes, extensions and trailers, in addition to the size of the body
    head: float = 20.0
    silence: float = 20.0  # between two parts of a body
    body: float = 150.0
    answer_bytes_per_second: float = 1024.0  # the slowest client
    answer_stall: float = 30.0  # the time over which that is measured
    linger: float = 5.0  # silence of a client that was answered before it sent everything; under stress, in all
    linger_total: float = 30.0  # for everything that it still sends: 25 MiB at 7 Mbit/s
    probation: float = 2.0  # for the head, where only clients that authenticate are admitted
    stressed: float = 5.0
    stressed_body: float = 30.0
    check: float = 0.5  # between two checks of all connections


@dataclass(slots=True)
class HttpLimits:
    """The limits that all connections share. A peer in *proxies* serves many clients and is not counted as one."""

    budget: ConnectionBudget = field(default_factory=lambda: ConnectionBudget(ConnectionLimits()))
    refusals: RefusalLog = field(default_factory=RefusalLog)
    proxies: Networks = ()
    bounds: RequestBounds = field(default_factory=RequestBounds)
    queue: RequestQueue = field(default_factory=RequestQueue)
    refused: int = 0  # connections over the limit that still get an answer

    @property
    def bounds_at_end(self) -> RequestBounds:
        """For requests in progress when the server stops: it waits for clients that continue to send or read."""
        return replace(self.bounds, head=1.0, silence=2.0, linger=1.0, linger_total=1.0, answer_stall=2.0)

    @property
    def strangers_bounds_at_end(self) -> RequestBounds:
        """The same for unauthenticated clients, which have three seconds."""
        return replace(self.bounds_at_end, body=3.0, answer_bytes_per_second=256 * 1024.0)
