"""One sandbox: its state, its recorded calls, and the call that a route function receives."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cloudflare_sandbox.answers import Refusal
from cloudflare_sandbox.faults import Faults
from cloudflare_sandbox.rate_limit import RateLimit
from cloudflare_sandbox.state import State, StateFile, Token, Zone

_MAX_RECORDED_CALLS: Final = 20_000
_DOCUMENTED_PAGE: Final = 50


@dataclass
class Received:
    """A call to /client/v4, without its token. *status* is None while it runs, and if its answer was cut off."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    time: str
    status: int | None = None


@dataclass
class Sandbox:
    """The sandbox. Everything runs in one event loop, so nothing here needs a lock."""

    file: StateFile
    state: State
    faults: Faults = field(default_factory=Faults)
    limit: RateLimit = field(default_factory=RateLimit)
    received: "deque[Received]" = field(default_factory=lambda: deque(maxlen=_MAX_RECORDED_CALLS))

    def now(self) -> datetime:
        """The time by the clock of the API, which a control can advance."""
        return datetime.now(UTC) + timedelta(seconds=self.state.clock_ahead_seconds)

    def save(self) -> None:
        self.file.save(self.state)

    def reset(self) -> None:
        """Remove everything: zones, tokens, Workers, faults, counts and recorded calls."""
        self.state = State()
        self.faults = Faults()
        self.limit = RateLimit()
        self.received.clear()
        self.save()


@dataclass(frozen=True)
class Call:
    """
    One authenticated call, as a route function receives it.

    *fields* is the JSON object sent, empty if there is none; *body* is for what is not JSON.
    """

    sandbox: Sandbox
    token: Token
    parts: Mapping[str, str]
    query: dict[str, str]
    fields: dict[str, Any]
    found_zone: Zone | None
    content_type: str = ""
    body: bytes = b""

    @property
    def state(self) -> State:
        return self.sandbox.state

    @property
    def zone(self) -> Zone:
        """The zone that the path names. Raises LookupError for a path that names none, a bug."""
        if self.found_zone is None:
            raise LookupError("this path names no zone")
        return self.found_zone

    @property
    def largest_page(self) -> int | None:
        """The most rows in a page of zones or Email Routing; None: as many as requested."""
        return None if self.state.switches.per_page_above_50_is_honoured else _DOCUMENTED_PAGE

    def now(self) -> datetime:
        return self.sandbox.now()


def malformed_body() -> Refusal:
    """Number and text as quoted in undefinedplayer/cloudflare-ddns issue 10; the status is inferred."""
    return Refusal(400, 6007, "Malformed JSON in request body")
