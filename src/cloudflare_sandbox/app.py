"""
The ASGI application: authenticates a call, finds its route, checks its permission and wraps the result in an envelope.

Without a framework, because the sandbox decides the order of keys and headers. The routes are in
`routes.py`, the sandbox's own controls in `controls.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from cloudflare_sandbox import controls, tokens
from cloudflare_sandbox.answers import HttpAnswer, Product, Refusal, every_answer_has, failure, success
from cloudflare_sandbox.faults import PREFIX, Fault
from cloudflare_sandbox.routes import Route, route_for
from cloudflare_sandbox.sandbox import Call, Received, Sandbox, malformed_body
from cloudflare_sandbox.state import Token, Zone, timestamp
from cloudflare_sandbox.worker_scripts import FORM

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_CUT_OFF: Final = b'{"result":'


@dataclass(frozen=True)
class Request:
    """One HTTP request, read to its end."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Application:
    """The ASGI application over one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _read(scope, receive)
        if request.path.startswith(controls.PREFIX):
            await _send(send, controls.answer(self._sandbox, request.method, request.path, request.body))
        elif request.path.startswith(f"{PREFIX}/"):
            await self._serve(request, receive, send)
        else:
            await _send(send, HttpAnswer(404, b"404 page not found\n", "text/plain"))

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        """Record one call of the API, apply its fault if there is one, and answer."""
        sandbox, path = self._sandbox, request.path.removeprefix(PREFIX)
        seen = Received(request.method, path, request.query, _recorded_body(request), timestamp(sandbox.now()))
        sandbox.received.append(seen)
        fault = sandbox.faults.take(request.method, path) or Fault()
        if not fault.takes_effect:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.drop == "before":
            await _cut_off(send)
            return
        instead = fault.answer(request.headers.get("authorization", ""))
        done = answer(sandbox, request, path) if instead is None or fault.takes_effect else instead
        wire = instead or done
        if fault.takes_effect:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.drop == "after":
            await _cut_off(send)
            return
        seen.status = wire.status
        if fault.trickle_ms or fault.fill_bytes:
            await _send_slowly(receive, send, wire, every_answer_has(sandbox.now()), fault)
        else:
            await _send(send, wire, every_answer_has(sandbox.now()))


def answer(sandbox: Sandbox, request: Request, path: str) -> HttpAnswer:
    """The answer to one call; its effect, if any, is on disk before this returns."""
    product = Product.EDGE
    try:
        token = tokens.recognise(sandbox.state, request.headers)
        switches = sandbox.state.switches
        sandbox.limit.count(sandbox.now(), switches.requests_per_window, switches.rate_limit_code)
        if token is not None and token.kind == "account" and _is_about_user(path):
            raise Refusal(403, 9109, "Valid user-level authentication not found", edge=True)
        route, parts = route_for(request.method, path, switches, token)
        product = route.product
        if token is None:
            raise tokens.unknown_token(route.pattern)
        tokens.refuse_while_fresh(token)
        tokens.refuse_foreign_account(parts.get("account_id"))
        zone = _permitted_zone(sandbox, token, route, parts)
        fields = {} if route.is_form else _json_object(request)
        content_type = request.headers.get("content-type", "")
        result = route.function(Call(sandbox, token, parts, request.query, fields, zone, content_type, request.body))
        wire = result if isinstance(result, HttpAnswer) else success(result, product)
    except Refusal as refusal:
        return failure(refusal, product)
    if request.method != "GET":
        sandbox.save()
    return wire


def _permitted_zone(sandbox: Sandbox, token: Token, route: Route, parts: dict[str, str]) -> Zone | None:
    """
    The zone that the path names. Raises Refusal if the token may not do this to it.

    A zone that does not exist is 9109 under `/zones/:id` itself (hampel and cloudflare-axi, measured); below
    it, like a zone outside the token's resources, it is the plain authentication error.
    """
    tokens.refuse_kind(token, route.method, route.pattern, sandbox.state.switches)
    if route.permission is not None and not token.may(route.permission):
        raise tokens.authentication_error()
    if "zone_id" not in parts:
        return None
    zone = sandbox.state.find_zone(parts["zone_id"])
    if zone is None and route.product is Product.ZONES:
        raise Refusal(403, 9109, "Invalid zone identifier", edge=True)
    if zone is None or not token.sees(zone.name):
        raise tokens.authentication_error()
    return zone


def _is_about_user(path: str) -> bool:
    """Whether *path* is about a user, which an account-owned token does not have."""
    return (path == "/user" or path.startswith("/user/")) and path != "/user/tokens/verify"


def _json_object(request: Request) -> dict[str, Any]:
    """The JSON object sent; an empty body counts as an empty object, as `POST …/enable` accepts."""
    if not request.body or request.method == "GET":
        return {}
    try:
        return msgspec.json.decode(request.body, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed_body() from error


def _recorded_body(request: Request) -> Any:
    """The body for the list of requests; of a form only its size, because a script is uploaded with its secrets."""
    body = request.body
    if request.headers.get("content-type", "").startswith(FORM):
        return f"{FORM}, {len(body)} bytes"
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return body.decode("utf-8", "replace")


async def _read(scope: Scope, receive: Receive) -> Request:
    body = bytearray()
    is_more = True
    while is_more:
        message = await receive()
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return Request(scope["method"], scope["path"], query, headers, bytes(body))


async def _send(send: Send, wire: HttpAnswer, more: list[tuple[str, str]] | None = None) -> None:
    headers = [("content-type", wire.content_type), ("content-length", str(len(wire.body)))]
    await _start(send, wire.status, headers + wire.headers + (more or []))
    await send({"type": "http.response.body", "body": wire.body})


async def _send_slowly(
    receive: Receive, send: Send, wire: HttpAnswer, more: list[tuple[str, str]], fault: Fault
) -> None:
    """Send the answer in the pieces of *fault*, until it is complete or the client disconnects."""
    await _start(send, wire.status, [("content-type", wire.content_type), *wire.headers, *more])
    disconnect = asyncio.ensure_future(receive())
    for piece in fault.pieces(wire.body):
        if (await asyncio.wait([disconnect], timeout=fault.trickle_ms / 1000))[0]:
            return
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    disconnect.cancel()
    await send({"type": "http.response.body", "body": b""})


async def _cut_off(send: Send) -> None:
    """Send less than `content-length` and return: the server closes the connection in the middle of the answer."""
    await _start(send, 200, [("content-type", "application/json"), ("content-length", "1000")])
    await send({"type": "http.response.body", "body": _CUT_OFF, "more_body": True})


async def _start(send: Send, status: int, headers: list[tuple[str, str]]) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
