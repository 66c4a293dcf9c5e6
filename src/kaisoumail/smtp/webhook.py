"""
`POST /api/inbound`: the signed hand-over from the Email Worker (docs/reference/inbound.md).

A plain ASGI application beside the framework: it is asked for every mail, and needs nothing of what that does for a
route. What it raises is said by whoever calls it (`http/problems.py`).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar.exceptions import MethodNotAllowedException

from kaisoumail.auth.signatures import InvalidSignature, SignedHandover, Ticket, checked_ticket, envelope_of
from kaisoumail.errors import Problem
from kaisoumail.model.message import Envelope
from kaisoumail.model.refusal_log import RefusalLog
from kaisoumail.network.memory_budget import OVERSIZE_FACTOR, MemoryBudget
from kaisoumail.operations.context import Context
from kaisoumail.operations.receive import Handover, Receipt, can_receive, receive

PATH: Final = "/api/inbound"
# Anybody can send a body without a ticket, and all of them together hold no more than this: one message of the largest
# size that Cloudflare takes (25 MiB) and some small ones, so that an older Worker goes on working.
UNTICKETED_BYTES: Final = 32 * 1024 * 1024
_PREFIX: Final = b"x-kaisoumail-"
_LOGGED: Final = frozenset({"invalid_signature", "too_large", "overloaded"})


@dataclass(frozen=True, slots=True)
class HandoverLimits:
    """
    What bodies may cost: *max_bytes* and *seconds* each, and in memory at once what *ticketed* and *unticketed* have.

    Of one ticket no more than *requests_per_ticket* are under way at once, of them *bodies_per_ticket* that did not
    come with their head. A Worker may well hand over several messages of one sender, recipient and length in a second;
    somebody who saw a ticket fills neither connections nor memory with it.
    """

    max_bytes: int
    ticketed: MemoryBudget
    unticketed: MemoryBudget
    seconds: float = 120.0
    requests_per_ticket: int = 64
    bodies_per_ticket: int = 4


def limits_for(max_bytes: int) -> HandoverLimits:
    """The limits of a service that takes messages of up to *max_bytes*: one such fits, whoever sends it."""
    return HandoverLimits(max_bytes, MemoryBudget(), MemoryBudget(max(UNTICKETED_BYTES, max_bytes)))


def handover_endpoint(
    context: Context, secret: str | None, limits: HandoverLimits, refusals: RefusalLog
) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """
    The endpoint at `PATH`, for messages signed with *secret*, within *limits*; without a secret it is shut.

    Who has no signature to show, a wrong ticket or one for too many bytes is refused before the body is read. Raises
    Problem for what is refused, which *refusals* logs, and Litestar's MethodNotAllowedException.
    """
    requests, bodies = _TicketsInUse(limits.requests_per_ticket), _TicketsInUse(limits.bodies_per_ticket)

    async def handover(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            raise MethodNotAllowedException(headers={"allow": "POST"})
        if secret is None:
            raise Problem("inbound_closed", "Set INBOUND_SECRET to open this door")
        is_authentic = False
        try:
            signed = _handover_in(scope["headers"])
            ticket = checked_ticket(signed, secret, context.clock())
            is_authentic = ticket is not None and ticket.length > limits.max_bytes  # nobody replays what is refused
            body = _Body(receive, limits, ticket, bodies)
            with requests.one_more(ticket), body:
                scope["state"]["is_signed"] = ticket is not None  # then the client is authenticated
                raw = await body.read()
                envelope = envelope_of(signed, raw, secret, context.clock())
                is_authentic = True
                receipt = await _stored(context, envelope, raw)
        except Problem as problem:
            if not is_authentic:
                scope["state"]["is_signed"] = False  # a client that only saw the ticket keeps no connection with it
            if problem.code in _LOGGED:
                fault = problem.fault if isinstance(problem, InvalidSignature) else problem.code
                refusals.note(f"handover.{fault}", scope["state"]["visit"].address)
            raise
        outcome = "stored" if receipt.is_new else "duplicate"
        await _answer(send, msgspec.json.encode({"outcome": outcome, "messageId": receipt.message_id}))

    return handover


async def _stored(context: Context, envelope: Envelope, raw: bytes) -> Receipt:
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
        ticket=said.get(b"ticket"),
    )


class _TicketsInUse:
    """How often each ticket is in use just now, at most *limit* times."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._uses: Counter[str] = Counter()

    @contextmanager
    def one_more(self, ticket: Ticket | None) -> Iterator[None]:
        """Counts *ticket* once more inside the block. Raises Problem `overloaded` when there are enough of it."""
        if ticket is None:
            yield
            return
        if self._uses[ticket.value] >= self._limit:
            raise Problem("overloaded", "Too many messages with this ticket are on their way in")
        self._uses[ticket.value] += 1
        try:
            yield
        finally:
            self._uses[ticket.value] -= 1
            if not self._uses[ticket.value]:
                del self._uses[ticket.value]


class _Body:
    """
    The body of one request, counted in the memory its ticket gives it from its first byte to the end of the block.

    Making it raises Problem `too_large` when the ticket says that it is.
    """

    def __init__(self, receive: Any, limits: HandoverLimits, ticket: Ticket | None, others: _TicketsInUse) -> None:
        self._receive = receive
        self._limits = limits
        self._ticket = ticket
        self._others = others
        # Of no client: the Workers of all domains come from Cloudflare's few addresses.
        self._memory = (limits.unticketed if ticket is None else limits.ticketed).allocation("")
        self._heard = 0
        self._pieces: list[bytes] = []
        self._refuse_if_larger_than_allowed(0 if ticket is None else ticket.length)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._memory.release()

    async def read(self) -> bytes:
        """
        The whole body.

        Raises Problem `too_large` when all of it was heard, because who is still sending might not hear an answer;
        InvalidSignature when it is not as long as the ticket says, `overloaded` when
        too much is in memory or it came too slowly, `invalid_request` when it broke off.
        """
        # Most bodies come with their headers, and a timer would cost more than they do. Who sends none holds nothing.
        if self._take(await self._receive()):
            try:
                with self._others.one_more(self._ticket):
                    async with asyncio.timeout(self._limits.seconds):
                        while self._take(await self._receive()):
                            pass
            except TimeoutError:
                raise Problem("overloaded", "The body came too slowly") from None
        self._refuse_if_larger_than_allowed(self._heard)
        if self._ticket is not None and self._heard != self._ticket.length:
            raise InvalidSignature("length")
        return b"".join(self._pieces)

    def _refuse_if_larger_than_allowed(self, size: int) -> None:
        if size > self._limits.max_bytes:
            raise Problem("too_large", f"A mail may have at most {self._limits.max_bytes} bytes")

    def _take(self, message: Any) -> bool:
        """Hold what *message* brings; whether more is to be heard."""
        if message["type"] == "http.disconnect":
            raise Problem("invalid_request", "The client hung up", formErrors=["The body broke off"], fieldErrors={})
        piece = message.get("body", b"")
        self._heard += len(piece)
        if self._ticket is not None and self._heard > self._ticket.length:
            raise InvalidSignature("length")
        if self._heard <= self._limits.max_bytes:
            if not self._memory.hold(self._heard):
                raise Problem("overloaded", "Too many messages are on their way in")
            self._pieces.append(piece)
        elif self._pieces:
            self._pieces.clear()
            self._memory.release()
        return bool(message.get("more_body", False)) and self._heard <= OVERSIZE_FACTOR * self._limits.max_bytes


async def _answer(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
