"""`/api/messages/wait` and `/api/mailboxes/{id}/wait`: the answer comes when the mail does."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from litestar import Request, Response, get

from kaisoumail.api.fields import CursorOrInstantText, cursor_or_instant, digits, read_query, whole_number
from kaisoumail.api.shapes import AwaitedMessageShape, message_detail_shape
from kaisoumail.http.authentication import viewer_now
from kaisoumail.model.feed import BEGINNING
from kaisoumail.model.message import Matcher
from kaisoumail.model.user import Viewer
from kaisoumail.operations import wait
from kaisoumail.operations.context import Context
from kaisoumail.operations.wait import WaitOutcome, WaitRequest

T = TypeVar("T")

_USUAL_SECONDS: Final = 25  # below the 30 s after which many proxies give up
_MOST_SECONDS: Final = 60
CURSOR_HEADER: Final = "x-kaisoumail-cursor"
_Text = Annotated[str, msgspec.Meta(max_length=998)]  # a header line has no more (RFC 5322, 2.1.1)


class WaitInMailbox(msgspec.Struct, rename="camel"):
    sender: _Text = msgspec.field(default="", name="from")
    subject: _Text = ""
    has_code: Literal["true", "false"] = "false"
    since: CursorOrInstantText | None = None
    timeout: Annotated[str, digits(0, _MOST_SECONDS)] = str(_USUAL_SECONDS)

    @property
    def matcher(self) -> Matcher:
        return Matcher(self.sender, self.subject, self.has_code == "true")

    @property
    def seconds(self) -> int:
        return whole_number(self.timeout, "timeout", 0, _MOST_SECONDS)


class WaitAnywhere(WaitInMailbox):
    mailbox: Annotated[list[str], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)


@get("/api/mailboxes/{mailbox_id:str}/wait")
async def wait_in_mailbox(
    mailbox_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[AwaitedMessageShape | None]:
    query = read_query(request, WaitInMailbox)
    since = BEGINNING if query.since is None else cursor_or_instant(query.since, "since")
    seconds = query.seconds
    ids = await wait.mailbox_ids_named(context, viewer, [mailbox_id])
    awaited = WaitRequest(ids, query.matcher, since)
    waiting = wait.wait(context, viewer, awaited, seconds, partial(viewer_now, request))
    return _answer(await _unless_gone(request, waiting))


@get("/api/messages/wait")
async def wait_anywhere(
    request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[AwaitedMessageShape | None]:
    query = read_query(request, WaitAnywhere)
    since = None if query.since is None else cursor_or_instant(query.since, "since")
    seconds = query.seconds
    ids = await wait.mailbox_ids_named(context, viewer, query.mailbox)
    awaited = WaitRequest(ids, query.matcher, since)
    waiting = wait.wait(context, viewer, awaited, seconds, partial(viewer_now, request))
    return _answer(await _unless_gone(request, waiting))


def _answer(waited: WaitOutcome | None) -> Response[AwaitedMessageShape | None]:
    """The message and the cursor; without a message 204, and the cursor in a header, since 204 has no body."""
    headers = {"cache-control": "no-store"}
    if waited is None:
        return Response(None, status_code=204, headers=headers)
    headers[CURSOR_HEADER] = str(waited.cursor)
    if waited.opened is None:
        return Response(None, status_code=204, headers=headers)
    shape = AwaitedMessageShape(message=message_detail_shape(waited.opened), cursor=str(waited.cursor))
    return Response(shape, headers=headers)


async def _unless_gone(request: "Request[Any, Any, Any]", work: Awaitable[T]) -> T | None:
    """What *work* comes to, or None, and *work* given up, when the client hangs up first."""
    working, hung_up = asyncio.ensure_future(work), asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait((working, hung_up), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        hung_up.cancel()
        await asyncio.gather(working, hung_up, return_exceptions=True)


async def _hang_up(request: "Request[Any, Any, Any]") -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
