"""`/api/messages/wait` and `/api/mailboxes/{id}/wait`: long polling for a message."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from litestar import Request, Response, get

from kaisoumail.api.fields import CursorOrInstantText, cursor_or_instant, digits, read_query, whole_number
from kaisoumail.api.shapes import AwaitedMessageShape, message_detail_shape
from kaisoumail.http.authentication import is_head, viewer_now
from kaisoumail.model.feed import BEGINNING
from kaisoumail.model.message import Matcher
from kaisoumail.model.user import Viewer
from kaisoumail.operations import wait
from kaisoumail.operations.context import Context
from kaisoumail.operations.wait import WaitOutcome, WaitRequest

T = TypeVar("T")

_DEFAULT_SECONDS: Final = 25  # below the 30 s after which many proxies give up
_MAX_SECONDS: Final = 60
CURSOR_HEADER: Final = "x-kaisoumail-cursor"
_Text = Annotated[str, msgspec.Meta(max_length=998)]  # the longest header line (RFC 5322, 2.1.1)


class WaitInMailbox(msgspec.Struct, rename="camel"):
    sender: _Text = msgspec.field(default="", name="from")
    subject: _Text = ""
    has_code: Literal["true", "false"] = "false"
    since: CursorOrInstantText | None = None
    timeout: Annotated[str, digits(0, _MAX_SECONDS)] = str(_DEFAULT_SECONDS)

    @property
    def matcher(self) -> Matcher:
        return Matcher(self.sender, self.subject, self.has_code == "true")

    @property
    def seconds(self) -> int:
        """The timeout, 0 to 60 seconds. Raises Problem `invalid_request` naming it."""
        return whole_number(self.timeout, "timeout", 0, _MAX_SECONDS)


class WaitAnywhere(WaitInMailbox):
    mailbox: Annotated[list[str], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)


@get("/api/mailboxes/{mailbox_id:str}/wait")
async def wait_in_mailbox(
    mailbox_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[AwaitedMessageShape | None]:
    """The message, or 204. Without `since` one that is stored already counts, unlike in `wait_anywhere`."""
    query = read_query(request, WaitInMailbox)
    since = BEGINNING if query.since is None else cursor_or_instant(query.since, "since")
    seconds = 0 if is_head(request) else query.seconds
    ids = await wait.mailbox_ids_named(context, viewer, [mailbox_id])
    wait_request = WaitRequest(ids, query.matcher, since)
    waiting = wait.wait(context, viewer, wait_request, seconds, partial(viewer_now, request))
    return _answer(await _result_while_connected(request, waiting))


@get("/api/messages/wait")
async def wait_anywhere(
    request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[AwaitedMessageShape | None]:
    """The message, or 204. Without `since` only one that comes from now on counts, unlike in `wait_in_mailbox`."""
    query = read_query(request, WaitAnywhere)
    since = None if query.since is None else cursor_or_instant(query.since, "since")
    seconds = 0 if is_head(request) else query.seconds
    ids = await wait.mailbox_ids_named(context, viewer, query.mailbox)
    wait_request = WaitRequest(ids, query.matcher, since)
    waiting = wait.wait(context, viewer, wait_request, seconds, partial(viewer_now, request))
    return _answer(await _result_while_connected(request, waiting))


def _answer(outcome: WaitOutcome | None) -> Response[AwaitedMessageShape | None]:
    """200 with the message and the cursor; without a message 204, with the cursor in a header as it has no body."""
    headers = {"cache-control": "no-store"}
    if outcome is None:
        return Response(None, status_code=204, headers=headers)
    headers[CURSOR_HEADER] = str(outcome.cursor)
    if outcome.opened is None:
        return Response(None, status_code=204, headers=headers)
    shape = AwaitedMessageShape(message=message_detail_shape(outcome.opened), cursor=str(outcome.cursor))
    return Response(shape, headers=headers)


async def _result_while_connected(request: "Request[Any, Any, Any]", work: Awaitable[T]) -> T | None:
    """The result of *work*; None if the client disconnects first, which cancels *work*."""
    task, disconnect = asyncio.ensure_future(work), asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait((task, disconnect), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        disconnect.cancel()
        await asyncio.gather(task, disconnect, return_exceptions=True)


async def _wait_for_disconnect(request: "Request[Any, Any, Any]") -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
