"""
`POST /api/inbound`: the signed hand-over from the Email Worker (docs/reference/inbound.md).

A plain ASGI application beside the framework: it is asked for every mail, and needs nothing of what that does for a
route. What it raises is said by whoever calls it (`api/problems.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from litestar.exceptions import MethodNotAllowedException

from kaisoumail.auth.signatures import SignedHandover, envelope_of, must_be_plausible
from kaisoumail.errors import Problem
from kaisoumail.inbound.room import FLOOD, Room
from kaisoumail.operations.context import Context
from kaisoumail.operations.receive import Handover, Receipt, can_receive, receive

PATH: Final = "/api/inbound"
_WHOLE_BODY_SECONDS: Final = 120.0
_PREFIX: Final = b"x-kaisoumail-"


def handover_door(
    context: Context, secret: str | None, max_bytes: int, room: Room, patience: float = _WHOLE_BODY_SECONDS
) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """
    The door at `PATH`, for mails of up to *max_bytes* signed with *secret*; without one it is shut.

    Who finds no *room* in memory, or takes more than *patience* seconds to send, is asked to come back. Raises
    Problem for what is refused, and Litestar's MethodNotAllowedException.
    """

    async def handover(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            raise MethodNotAllowedException(headers={"allow": "POST"})
        if secret is None:
            raise Problem("inbound_closed", "Set INBOUND_SECRET to open this door")
        signed = _handover_in(scope["headers"])
        must_be_plausible(signed, context.clock())
        body = _Body(receive, max_bytes, room, patience)
        try:
            receipt = await _received(context, signed, secret, await body.read())
        finally:
            body.forget()
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


class _Body:
    """The body of one request, counted in *room* from its first byte until it is forgotten."""

    def __init__(self, receive: Any, max_bytes: int, room: Room, patience: float) -> None:
        self._patience = patience
        self._receive = receive
        self._max_bytes = max_bytes
        self._room = room
        self._held = 0
        self._heard = 0
        self._pieces: list[bytes] = []

    async def read(self) -> bytes:
        """
        The whole body.

        Raises Problem `too_large`, once all of it was heard: who is still sending would not hear an answer;
        `overloaded` when too much is in memory or it came too slowly; `invalid_request` when it broke off.
        """
        # Most bodies come with their headers, and a timer would cost more than they do. Who sends none holds nothing.
        if self._take(await self._receive()):
            try:
                async with asyncio.timeout(self._patience):
                    while self._take(await self._receive()):
                        pass
            except TimeoutError:
                raise Problem("overloaded", "The body came too slowly") from None
        if self._heard > self._max_bytes:
            raise Problem("too_large", f"A mail may have at most {self._max_bytes} bytes")
        return b"".join(self._pieces)

    def forget(self) -> None:
        self._held -= self._room.give_back(self._held)

    def _take(self, message: Any) -> bool:
        """Hold what *message* brings; whether more is to be heard."""
        if message["type"] == "http.disconnect":
            raise Problem("invalid_request", "The client hung up", formErrors=["The body broke off"], fieldErrors={})
        piece = message.get("body", b"")
        self._heard += len(piece)
        if self._heard <= self._max_bytes:
            if self._room.is_full:
                raise Problem("overloaded", "Too many mails are on their way in")
            self._held += self._room.take(len(piece))
            self._pieces.append(piece)
        elif self._pieces:
            self._pieces.clear()
            self.forget()
        return bool(message.get("more_body", False)) and self._heard <= FLOOD * self._max_bytes


async def _answer(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
