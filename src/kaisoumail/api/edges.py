"""
What holds for every HTTP answer, pages included, whatever made it.

A request id; HEAD answered as GET without a body; a path that ends in a slash is not found; CORS for
`/api`; safe defaults in the headers; one log line without query, body or identity.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from time import monotonic
from typing import Any, Final

import structlog

from kaisoumail.api.cors import CorsRules
from kaisoumail.model.ids import new_id
from kaisoumail.model.user import Visit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_REQUEST_ID: Final = re.compile(rb"[\x21-\x7e]{1,128}\Z")
_MAX_AGENT: Final = 200
_SAFE_DEFAULTS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_log = structlog.get_logger("kaisoumail.http")


class Edges:
    """Wraps the whole application."""

    def __init__(self, app: App, cors: CorsRules) -> None:
        self._app = app
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began = monotonic()
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        scope.setdefault("state", {}).update(request_id=request_id, visit=_visit(scope, headers, request_id))
        answer = _Answer(send, request_id, is_head=scope["method"] == "HEAD", extra=self._cors.headers_for(scope))
        method, path = scope["method"], scope["path"]
        if self._cors.is_preflight(scope):
            await answer.plain(self._cors.preflight_status(scope))
        else:
            asked = {**scope, "method": "GET" if method == "HEAD" else method}
            if not _is_exact(path):
                nowhere = "/api/no-such-path" if path.startswith("/api") else "/no-such-page"
                asked |= {"path": nowhere, "raw_path": nowhere.encode()}
            await self._app(asked, receive, answer.send)
        milliseconds = round((monotonic() - began) * 1000, 1)
        _log.info(
            "http.request", method=method, path=path, status=answer.status, ms=milliseconds, request_id=request_id
        )
        return None


class _Answer:
    """One answer on its way out, with our headers added and a HEAD's body left away."""

    def __init__(self, send: Send, request_id: str, *, is_head: bool, extra: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._is_head = is_head
        self._headers = [(b"x-request-id", request_id.encode("latin-1")), *extra]
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name.lower() for name, _ in message["headers"]}
            defaults = [header for header in _SAFE_DEFAULTS if header[0] not in present]
            message["headers"] = [*message["headers"], *self._headers, *defaults]
        elif message["type"] == "http.response.body" and self._is_head:
            message["body"] = b""
        await self._send(message)

    async def plain(self, status: int) -> None:
        """An answer without a body."""
        start = {"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_exact(path: str) -> bool:
    """
    False for what leads nowhere: `/api/mailboxes/` and `/api//meta`, which the router would take for their tidy
    forms, and a path with NUL, which no id has and PostgreSQL does not take.
    """
    return path == "/" or not (path.endswith("/") or "//" in path or "\0" in path)


def _visit(scope: Scope, headers: dict[bytes, bytes], request_id: str) -> Visit:
    agent = "".join(each for each in headers.get(b"user-agent", b"").decode("latin-1") if each.isprintable())
    return Visit(scope["client"][0] if scope.get("client") else None, agent[:_MAX_AGENT] or None, request_id)


def _request_id(headers: dict[bytes, bytes]) -> str:
    """The caller's `x-request-id` if it is short and printable, else Cloudflare's ray, else our own."""
    for name in (b"x-request-id", b"cf-ray"):
        given = headers.get(name, b"")
        if _REQUEST_ID.match(given):
            return given.decode("ascii")
    return new_id("req")
