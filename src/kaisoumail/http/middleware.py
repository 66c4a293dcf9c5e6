"""
The outermost middleware, around every HTTP request of API and pages.

It adds a request id; finds the client, behind proxies too; admits or refuses (`admission.py`); answers HEAD as GET
without a body, and a path with a trailing slash as not found; adds CORS for `/api` and safe default headers; and writes
one log line without query, body or identity.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import monotonic
from typing import Any, Final

import structlog

from kaisoumail.auth.sessions import COOKIE_NAME
from kaisoumail.errors import Problem
from kaisoumail.http.admission import Headers, RequestAdmission
from kaisoumail.http.cors import CorsRules
from kaisoumail.http.rate_limit_fields import rate_limit_fields
from kaisoumail.http.requests_in_progress import RequestsInProgress
from kaisoumail.model.client_address import Networks, client_key, client_of
from kaisoumail.model.ids import new_id
from kaisoumail.model.user import RequestClient

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_REQUEST_ID: Final = re.compile(rb"[\x21-\x7e]{1,128}\Z")
_MAX_AGENT: Final = 200
_LISTS: Final = {b"cookie": b"; ", b"x-forwarded-for": b", ", b"x-forwarded-proto": b", "}
# Defaults for an answer without its own: not cached, no scripts, not shown by other sites.
_SAFE_DEFAULTS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_OVER_TLS: Final = (b"strict-transport-security", b"max-age=31536000")
_SIGNED_IN: Final = re.compile(rb"%s=[^;]" % COOKIE_NAME.encode())
_log = structlog.get_logger("kaisoumail.http")


class RequestMiddleware:
    """Wraps the whole application. *trusted* are the proxies whose forwarded headers are trusted."""

    def __init__(
        self,
        app: App,
        cors: CorsRules,
        request_admission: RequestAdmission,
        trusted: Networks = (),
        in_progress: RequestsInProgress | None = None,
    ) -> None:
        self._app = app
        self._cors = cors
        self._request_admission = request_admission
        self._trusted = trusted
        self._in_progress = in_progress or RequestsInProgress(200)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began = monotonic()
        headers = _header_map(scope["headers"])
        request_id = _request_id(headers)
        visit = self._request_client(scope, headers, request_id)
        scope.setdefault("state", {}).update(request_id=request_id, visit=visit, is_head=scope["method"] == "HEAD")
        answer = _Answer(send, scope, request_id, self._cors.headers_for(scope))
        if self._cors.is_preflight(scope):
            await answer.plain(self._cors.preflight_status(scope))
        else:
            await self._respond(scope, headers, receive, answer)
        milliseconds = round((monotonic() - began) * 1000, 1)
        _log.info(
            "http.request",
            method=scope["method"],
            path=scope["path"],
            status=answer.status,
            ms=milliseconds,
            request_id=request_id,
        )
        return None

    async def _respond(self, scope: Scope, headers: Headers, receive: Receive, answer: "_Answer") -> None:
        state, client = scope["state"], client_key(scope["state"]["visit"].address or "")
        admission = await self._request_admission.admit(scope, headers, state["visit"].address)

        async def settle(status: int, signed_in: bool) -> list[tuple[bytes, bytes]]:
            await self._request_admission.settle(admission, scope, status, signed_in=signed_in)
            return [] if admission is None else rate_limit_fields(admission.statuses)

        answer.settle = settle
        state["refusal"] = None if admission is None else admission.refusal
        is_counted = admission is not None and state["refusal"] is None
        if is_counted and not self._in_progress.enter(client, state):
            is_counted = False
            state["refusal"] = Problem(
                "rate_limited", "Too many requests at once from your address", retryAfterSeconds=1
            )
        try:
            await self._forward(scope, receive, answer)
        finally:
            if is_counted:
                self._in_progress.leave(client, state)

    async def _forward(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        path = scope["path"]
        forwarded = {**scope, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
        if scope["state"]["refusal"] is not None or not _is_exact(path):
            # A path that does not exist: the handler of unknown paths answers in the form of the API or of the pages.
            nowhere = "/api/no-such-path" if path.startswith("/api") else "/no-such-page"
            forwarded |= {"path": nowhere, "raw_path": nowhere.encode()}
        await self._app(forwarded, receive, answer.send)

    def _request_client(self, scope: Scope, headers: Headers, request_id: str) -> RequestClient:
        """The client of the request; sets the scope's scheme to the one that the client used."""
        peer = scope["client"][0] if scope.get("client") else None
        forwarded_for = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        forwarded_proto = headers.get(b"x-forwarded-proto", b"").decode("latin-1")
        client = client_of(peer, scope["scheme"] == "https", forwarded_for, forwarded_proto, self._trusted)
        scope["scheme"] = "https" if client.is_tls else "http"
        agent = "".join(each for each in headers.get(b"user-agent", b"").decode("latin-1") if each.isprintable())
        return RequestClient(client.address, agent[:_MAX_AGENT] or None, request_id)


class _Answer:
    """
    One answer, sent with our headers added and without the body for HEAD.

    *settle*, once set, is called with the status and whether the answer signs a user in; it returns limit headers.
    """

    def __init__(self, send: Send, scope: Scope, request_id: str, extra: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._is_head = scope["method"] == "HEAD"
        self._is_tls = scope["scheme"] == "https"
        self._headers = [(b"x-request-id", request_id.encode("latin-1")), *extra]
        self.settle: Callable[[int, bool], Awaitable[list[tuple[bytes, bytes]]]] | None = None
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = await self._completed(message["headers"])
        elif message["type"] == "http.response.body" and self._is_head:
            message["body"] = b""
        await self._send(message)

    async def _completed(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        fields = [(name.lower(), value) for name, value in headers]
        present = {name for name, _ in fields}
        added = [*self._headers, *(header for header in _SAFE_DEFAULTS if header[0] not in present)]
        if self._is_tls:
            added.append(_OVER_TLS)
            fields = [(name, _secure(value) if name == b"set-cookie" else value) for name, value in fields]
        if self.settle is not None:
            signed_in = self.status < 400 and any(n == b"set-cookie" and _SIGNED_IN.match(v) for n, v in fields)
            added += await self.settle(self.status, signed_in)
        return fields + added

    async def plain(self, status: int) -> None:
        """An answer without a body."""
        start = {"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})


def _secure(cookie: bytes) -> bytes:
    """The `Set-Cookie` value for a client that uses TLS: with Secure, so that it is never sent without."""
    return cookie if b"; secure" in cookie.lower() else cookie + b"; Secure"


def _header_map(pairs: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Each header once: the items of repeated list headers joined in order, otherwise the last value."""
    headers: Headers = {}
    for name, value in pairs:
        glue = _LISTS.get(name)
        headers[name] = value if glue is None or name not in headers else headers[name] + glue + value
    return headers


def _is_exact(path: str) -> bool:
    """
    False for `/api/mailboxes/` and `/api//meta`, which the router would treat as their normalized forms, and for
    a path with a NUL, which is in no id and which PostgreSQL does not accept in text.
    """
    return path == "/" or not (path.endswith("/") or "//" in path or "\0" in path)


def _request_id(headers: Headers) -> str:
    """The client's `x-request-id` if it is short and printable, else Cloudflare's ray id, else a new id."""
    for name in (b"x-request-id", b"cf-ray"):
        value = headers.get(name, b"")
        if _REQUEST_ID.match(value):
            return value.decode("ascii")
    return new_id("req")
