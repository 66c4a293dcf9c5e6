"""
`POST /api/inbound`: the signed hand-over from the Email Worker (docs/reference/inbound.md).

A plain ASGI application outside the framework: it is called for every message and needs none of the framework's work
for a route. The caller renders what it raises (`http/problems.py`).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar.exceptions import MethodNotAllowedException

from kaisoumail.auth.signatures import InvalidSignature, SignedHandover, Ticket, checked_ticket, verified_envelope
from kaisoumail.errors import Problem
from kaisoumail.model.message import Envelope
from kaisoumail.model.refusal_log import RefusalLog
from kaisoumail.network.memory_budget import OVERSIZE_FACTOR, MemoryBudget
from kaisoumail.operations.context import Context
from kaisoumail.operations.receive import Handover, Receipt, can_receive, receive

PATH: Final = "/api/inbound"
# Any client can send a body without a ticket, and all such bodies together hold at most this: one message of the
# largest size that Cloudflare accepts (25 MiB) and some small ones, so that an older Worker continues to work.
UNTICKETED_BYTES: Final = 32 * 1024 * 1024
_PREFIX: Final = b"x-kaisoumail-"
_LOGGED: Final = frozenset({"invalid_signature", "too_large", "overloaded"})


@dataclass(frozen=True, slots=True)
class HandoverLimits:
    """
    The limits of bodies: *max_bytes* and *seconds* each, and the memory budgets *ticketed* and *unticketed* for all.

    At most *requests_per_ticket* requests of one ticket are in progress at once, and at most *bodies_per_ticket* of
    them have a body that did not arrive with the head. A Worker can hand over several messages of one sender, recipient
    and length in a second; a client that has seen a ticket can fill neither connections nor memory with it.
    """

    max_bytes: int
    ticketed: MemoryBudget
    unticketed: MemoryBudget
    seconds: float = 120.0
    requests_per_ticket: int = 64
    bodies_per_ticket: int = 4


def limits_for(max_bytes: int) -> HandoverLimits:
    """The limits for messages of up to *max_bytes*: one of that size fits, with or without a ticket."""
    return HandoverLimits(max_bytes, MemoryBudget(), MemoryBudget(max(UNTICKETED_BYTES, max_bytes)))


def handover_endpoint(
    context: Context, secret: str | None, limits: HandoverLimits, refusals: RefusalLog
) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """
    The endpoint at `PATH`, for messages signed with *secret*, within *limits*; without a secret it refuses everything.

    A request without a signature, with a wrong ticket or with one for too many bytes is refused before its body is
    read. It raises Litestar's MethodNotAllowedException; Problem `inbound_closed`, `invalid_request`; Problem
    `invalid_signature`, `too_large` or `overloaded`, which *refusals* logs; and as `can_receive` and `receive`.
    """
    requests, bodies = _TicketsInUse(limits.requests_per_ticket), _TicketsInUse(limits.bodies_per_ticket)

    async def handover(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            raise MethodNotAllowedException(headers={"allow": "POST"})
        if secret is None:
            raise Problem("inbound_closed", "The hand-over is off: INBOUND_SECRET is not set")
        is_authentic = False
        try:
            signed = _handover_in(scope["headers"])
            ticket = checked_ticket(signed, secret, context.clock())
            is_authentic = ticket is not None and ticket.length > limits.max_bytes  # a replay is refused as well
            body = _Body(receive, limits, ticket, bodies)
            with requests.using(ticket), body:
                scope["state"]["is_signed"] = ticket is not None  # the connection then counts as known
                raw = await body.read()
                envelope = verified_envelope(signed, raw, secret, context.clock())
                is_authentic = True
                receipt = await _store(context, envelope, raw)
        except Problem as problem:
            if not is_authentic:
                scope["state"]["is_signed"] = False  # a ticket without its message holds no connection
            if problem.code in _LOGGED:
                fault = problem.fault if isinstance(problem, InvalidSignature) else problem.code
                refusals.note(f"handover.{fault}", scope["state"]["visit"].address)
            raise
        outcome = "stored" if receipt.is_new else "duplicate"
        await _answer(send, msgspec.json.encode({"outcome": outcome, "messageId": receipt.message_id}))

    return handover


async def _store(context: Context, envelope: Envelope, raw: bytes) -> Receipt:
    mailbox = await can_receive(context, "worker", envelope)
    [receipt] = await receive(context, [Handover("worker", envelope, mailbox)], raw)
    if isinstance(receipt, Problem):
        raise receipt
    return receipt


def _handover_in(headers: list[tuple[bytes, bytes]]) -> SignedHandover:
    fields = {
        name.removeprefix(_PREFIX): value.decode("latin-1") for name, value in headers if name.startswith(_PREFIX)
    }
    return SignedHandover(
        envelope_from=fields.get(b"envelope-from", ""),
        envelope_to=fields.get(b"envelope-to", ""),
        timestamp=fields.get(b"timestamp", ""),
        signature=fields.get(b"signature", ""),
        ticket=fields.get(b"ticket"),
    )


class _TicketsInUse:
    """Counts how often each ticket is in use now, at most *limit* times."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._uses: Counter[str] = Counter()

    @contextmanager
    def using(self, ticket: Ticket | None) -> Iterator[None]:
        """Counts *ticket* inside the block. Raises Problem `overloaded` when it is in use *limit* times already."""
        if ticket is None:
            yield
            return
        if self._uses[ticket.value] >= self._limit:
            raise Problem("overloaded", "Too many messages with this ticket are being received")
        self._uses[ticket.value] += 1
        try:
            yield
        finally:
            self._uses[ticket.value] -= 1
            if not self._uses[ticket.value]:
                del self._uses[ticket.value]


class _Body:
    """
    The body of one request, counted in the memory budget of its kind from its first byte to the end of the block.

    The constructor raises Problem `too_large` when the ticket's length is too large.
    """

    def __init__(self, receive: Any, limits: HandoverLimits, ticket: Ticket | None, bodies: _TicketsInUse) -> None:
        self._receive = receive
        self._limits = limits
        self._ticket = ticket
        self._bodies = bodies
        # No limit per client: the Workers of all domains connect from the few addresses of Cloudflare.
        self._memory = (limits.unticketed if ticket is None else limits.ticketed).allocation("")
        self._received = 0
        self._pieces: list[bytes] = []
        self._refuse_if_larger_than_allowed(0 if ticket is None else ticket.length)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._memory.release()

    async def read(self) -> bytes:
        """
        The whole body.

        Raises Problem `too_large` after the whole body was received, or four times as much as is allowed, because a
        client that is still sending may not read an answer; InvalidSignature when its length is not the ticket's;
        Problem `overloaded` when too much is in memory or it arrives too slowly, and `invalid_request` when it ends
        early.
        """
        # Most bodies arrive with their headers, and a timer would cost more than they do. No body holds no memory.
        if self._hold(await self._receive()):
            try:
                with self._bodies.using(self._ticket):
                    async with asyncio.timeout(self._limits.seconds):
                        while self._hold(await self._receive()):
                            pass
            except TimeoutError:
                raise Problem("overloaded", "The body arrived too slowly") from None
        self._refuse_if_larger_than_allowed(self._received)
        if self._ticket is not None and self._received != self._ticket.length:
            raise InvalidSignature("length")
        return b"".join(self._pieces)

    def _refuse_if_larger_than_allowed(self, size: int) -> None:
        if size > self._limits.max_bytes:
            raise Problem("too_large", f"A message may have at most {self._limits.max_bytes} bytes")

    def _hold(self, message: Any) -> bool:
        """Hold the body part in *message*; returns whether more is to be read."""
        if message["type"] == "http.disconnect":
            raise Problem("invalid_request", "The client hung up", formErrors=["The body broke off"], fieldErrors={})
        piece = message.get("body", b"")
        self._received += len(piece)
        if self._ticket is not None and self._received > self._ticket.length:
            raise InvalidSignature("length")
        if self._received <= self._limits.max_bytes:
            if not self._memory.hold(self._received):
                raise Problem("overloaded", "Too many messages are being received")
            self._pieces.append(piece)
        elif self._pieces:
            self._pieces.clear()
            self._memory.release()
        return bool(message.get("more_body", False)) and self._received <= OVERSIZE_FACTOR * self._limits.max_bytes


async def _answer(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
