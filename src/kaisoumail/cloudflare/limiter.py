"""
Who is asking Cloudflare, how urgently, and the limiter every request passes.

Cloudflare allows 1,200 requests in five minutes for everything one user does, and blocks all of them
for the rest of the window when that is exceeded (Cloudflare docs, API limits, April 2026). So all
processes share one limiter, which is handed to the client; what a person waits for goes before what
nobody does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Protocol

from kaisoumail.cloudflare.errors import RateLimited

# What the product was asked to do → how existing clients know it.
ROUTES: Final[dict[str, str]] = {
    "domains.catalog": "GET /api/domains/catalog",
    "domains.create": "POST /api/domains",
    "domains.bind": "POST /api/domains/bind",
    "domains.retry": "POST /api/domains/:id/retry",
    "domains.delete": "POST /api/domains/:id/delete",
    "domains.token_check": "GET /api/domains/token-check",
    "domains.watch": "activation watch",
    "mailboxes.create": "POST /api/mailboxes",
    "mailboxes.ensure": "POST /api/mailboxes/ensure",
    "mailboxes.destroy": "DELETE /api/mailboxes/:id",
    "mailboxes.sweep": "mailbox sweep",
    "cloudflare.internal": "internal Cloudflare client",
}
_BACKGROUND: Final = frozenset({"domains.watch", "mailboxes.sweep"})


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a request is made. An operation that `ROUTES` does not name is a bug, and told at once."""

    operation: str

    def __post_init__(self) -> None:
        if self.operation not in ROUTES:
            raise ValueError(f"{self.operation} is no operation of ROUTES")

    @property
    def route(self) -> str:
        return ROUTES[self.operation]

    @property
    def is_urgent(self) -> bool:
        """True when a person waits for the answer."""
        return self.operation not in _BACKGROUND


NOBODY: Final = Caller("cloudflare.internal")
_caller: ContextVar[Caller | None] = ContextVar("asker", default=None)


@contextmanager
def calling_for(operation: str) -> Iterator[None]:
    """Requests inside the block are made for *operation*, one of `ROUTES`."""
    token = _caller.set(Caller(operation))
    try:
        yield
    finally:
        _caller.reset(token)


def current_caller() -> Caller:
    return _caller.get() or NOBODY


class Limiter(Protocol):
    """What all processes share in front of Cloudflare."""

    async def admit(self, caller: Caller, method: str, path: str) -> None:
        """Returns when the request may go out. Raises RateLimited while Cloudflare told us to stay away."""
        ...

    async def close_for(self, error: RateLimited, caller: Caller) -> RateLimited:
        """Let nobody pass until *error*'s time is over; returns it with what clients are told of the cause."""
        ...


class Unlimited:
    """No limiter at all: for a client that is alone, as in `doctor` and tests."""

    async def admit(self, caller: Caller, method: str, path: str) -> None:
        return None

    async def close_for(self, error: RateLimited, caller: Caller) -> RateLimited:
        return error
