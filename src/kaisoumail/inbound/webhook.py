"""`POST /api/inbound`: the signed hand-over from the Email Worker (docs/reference/inbound.md)."""

from typing import Any

from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from kaisoumail.auth.signatures import SignedHandover, envelope_of
from kaisoumail.errors import Problem
from kaisoumail.operations.context import Context
from kaisoumail.operations.receive import Handover, can_receive, receive


def handover_route(max_bytes: int) -> HTTPRouteHandler:
    """The route, for mails of up to *max_bytes*."""
    return post("/api/inbound", status_code=200, request_max_body_size=max_bytes)(_handover)


async def _handover(request: "Request[Any, Any, Any]", context: Context, state: State) -> Response[dict[str, str]]:
    secret: str | None = state["inbound_secret"]
    if secret is None:
        raise Problem("inbound_closed", "Set INBOUND_SECRET to open this door")
    handover = SignedHandover(
        envelope_from=request.headers.get("x-kaisoumail-envelope-from", ""),
        envelope_to=request.headers.get("x-kaisoumail-envelope-to", ""),
        timestamp=request.headers.get("x-kaisoumail-timestamp", ""),
        signature=request.headers.get("x-kaisoumail-signature", ""),
    )
    raw = await request.body()
    envelope = envelope_of(handover, raw, secret, context.clock())
    mailbox = await can_receive(context, "worker", envelope)
    [receipt] = await receive(context, [Handover("worker", envelope, mailbox)], raw)
    if isinstance(receipt, Problem):
        raise receipt
    outcome = "stored" if receipt.is_new else "duplicate"
    return Response({"outcome": outcome, "messageId": receipt.message_id}, media_type="application/json")
