"""
The caller of Cloudflare, its urgency, and the interface of the limiter that every request passes.

Cloudflare allows 1,200 requests in five minutes for everything one user does, and blocks all requests
for the rest of the window when that is exceeded (Cloudflare docs, API limits, April 2026). So all
processes share one limiter, which is passed to the client; requests that a person waits for go first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Protocol

from kaisoumail.cloudflare.errors import RateLimited

# Operation → the route by which existing clients know it.
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
    "subdomains.cleanup": "subdomain cleanup",
    "cloudflare.internal": "internal Cloudflare client",
}
_BACKGROUND: Final = frozenset({"domains.watch", "mailboxes.sweep", "subdomains.cleanup"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The operation on whose behalf a request is made. Raises ValueError for one that is not in `ROUTES`, a bug."""

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


INTERNAL_CALLER: Final = Caller("cloudflare.internal")
_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


@contextmanager
def calling_for(operation: str) -> Iterator[None]:
    """Requests inside the block are made for *operation*, one of `ROUTES`."""
    token = _caller.set(Caller(operation))
    try:
        yield
    finally:
        _caller.reset(token)


def current_caller() -> Caller:
    """The caller that the innermost `calling_for` names; `cloudflare.internal` outside of any."""
    return _caller.get() or INTERNAL_CALLER


class Limiter(Protocol):
    """Paces the requests of all processes to Cloudflare."""

    async def admit(self, caller: Caller, method: str, path: str) -> None:
        """Returns when the request may be sent. Raises RateLimited during a cooldown, and Problem of its storage."""
        ...

    async def begin_cooldown(self, error: RateLimited, caller: Caller) -> RateLimited:
        """Begin a cooldown of *error*'s `retry_after` seconds; returns *error* with the cause for clients."""
        ...


class Unlimited:
    """No limiter: for a client without other processes, as in `doctor` and tests."""

    async def admit(self, caller: Caller, method: str, path: str) -> None:
        return None

    async def begin_cooldown(self, error: RateLimited, caller: Caller) -> RateLimited:
        return error
