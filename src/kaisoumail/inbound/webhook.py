"""
`POST /api/inbound`: the signed hand-over from the Email Worker (docs/reference/inbound.md).

A plain ASGI application beside the framework: it is asked for every mail, and needs nothing of what that does for a
route. What it raises is said by whoever calls it (`api/problems.py`).
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from litestar.exceptions import MethodNotAllowedException

from kaisoumail.auth.signatures import SignedHandover, envelope_of
from kaisoumail.errors import Problem
from kaisoumail.operations.context import Context
from kaisoumail.operations.receive import Handover, Receipt, can_receive, receive

PATH: Final = "/api/inbound"
_PREFIX: Final = b"x-kaisoumail-"


def handover_door(context: Context, secret: str | None, max_bytes: int) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """
    The door at `PATH`, for mails of up to *max_bytes* signed with *secret*; without one it is shut.

    Raises Problem for what is refused, and Litestar's MethodNotAllowedException.
    """

    async def handover(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            raise MethodNotAllowedException(headers={"allow": "POST"})
        if secret is None:
            raise Problem("inbound_closed", "Set INBOUND_SECRET to open this door")
        raw = await _body(receive, max_bytes)
        receipt = await _received(context, _handover_in(scope["headers"]), secret, raw)
        outcome = "stored" if receipt.is_new else "duplicate"
        await _answer(send, msgspec.json.encode({"outcome": outcome, "messageId": receipt.message_id}))

    return handover


async def _received(context: Context, handover: SignedHandover, secret: str, raw: bytes) -> Receipt:
    envelope = envelope_of(handover, raw, secret, context.clock())
    mailbox = await can_receive(context, "worker", envelope)
    [receipt] = await receive(context, [Handover("worker", envelope, mailbox)], raw)
    if isinstance(receipt, Problem):
        raise receipt
    return receipt


def _handover_in(headers: list[tuple[bytes, bytes]]) -> SignedHandover:
    said = {name.removeprefix(_PREFIX): value.decode("latin-1") for name, value in headers if name.startswith(_PREFIX)}
    return SignedHandover(
        envelope_from=said.get(b"envelope-from", ""),
        envelope_to=said.get(b"envelope-to", ""),
        timestamp=said.get(b"timestamp", ""),
        signature=said.get(b"signature", ""),
    )


async def _body(receive: Any, max_bytes: int) -> bytes:
    """The whole body. Raises Problem `too_large`; what is left then is not read."""
    pieces: list[bytes] = []
    left = max_bytes
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem("invalid_request", "The client hung up", formErrors=["The body broke off"], fieldErrors={})
        pieces.append(message.get("body", b""))
        left -= len(pieces[-1])
        if left < 0:
            raise Problem("too_large", f"A mail may have at most {max_bytes} bytes")
        if not message.get("more_body", False):
            return b"".join(pieces)


async def _answer(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
