"""A request on a connection that is not authenticated, as the request queue sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uvicorn._types import ASGI3Application, ASGIReceiveEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from kaisoumail.model.client_address import Networks, client_key, client_of


@dataclass(slots=True, eq=False)
class UnauthenticatedRequest:
    """The request of *cycle*, for *app*; *start* makes it a task of the server."""

    cycle: RequestResponseCycle
    app: ASGI3Application
    start: Callable[[ASGI3Application], None]
    _is_receiving: bool = False

    def client(self, proxies: Networks) -> str:
        """The client whose turn the request takes; behind one of *proxies* the one for which it forwards."""
        scope = self.cycle.scope
        peer = scope["client"][0] if scope["client"] else None
        forwarded_for = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
        return client_key(client_of(peer, False, forwarded_for, "", proxies).address or "")

    @property
    def is_busy(self) -> bool:
        cycle = self.cycle
        has_ended = cycle.response_complete or cycle.disconnected
        return not (has_ended or self._is_receiving or is_authenticated(cycle))

    def begin(self) -> None:
        if not self.cycle.disconnected:
            self.start(self._answer)

    async def _answer(self, scope: Any, _receive: Any, send: Any) -> None:
        await self.app(scope, self._receive, send)

    async def _receive(self) -> ASGIReceiveEvent:
        self._is_receiving = True
        try:
            return await self.cycle.receive()
        finally:
            self._is_receiving = False


def is_authenticated(cycle: RequestResponseCycle) -> bool:
    """Whether the request was authenticated: a credential that is right, or a hand-over with a valid ticket."""
    state = cycle.scope.get("state", {})
    return state.get("principal") is not None or bool(state.get("is_signed", False))
