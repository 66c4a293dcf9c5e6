"""`/api/events`: what changed, as Server-Sent Events (WHATWG HTML, 9.2)."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any, Final

import msgspec
from litestar import Request, get
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Receive, Send

from kaisoumail.api.event_shapes import event_shape
from kaisoumail.api.fields import CursorText, cursor, read_query
from kaisoumail.http.authentication import find_viewer, is_head
from kaisoumail.model.user import Viewer
from kaisoumail.operations import events
from kaisoumail.operations.context import Context
from kaisoumail.operations.events import Event

_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would hold events back until its buffer is full
}
_HEARTBEAT: Final = b": still here\n\n"
_RETRY_MILLISECONDS: Final = 1000


class Follow(msgspec.Struct):
    since: CursorText | None = None


class EventStream(ASGIStreamingResponse):
    """
    A stream that always closes its iterator, which listens for signals.

    Otherwise the iterator of a cancelled stream would listen until the garbage collector runs.
    """

    async def send_body(self, send: Send, receive: Receive) -> None:
        assert isinstance(self.iterator, AsyncGenerator)
        async with aclosing(self.iterator):
            await super().send_body(send, receive)


@get("/api/events")
async def follow(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> EventStream:
    """The events after the cursor in `Last-Event-ID`, which browsers send when they reconnect, else after `since`."""
    query = read_query(request, Follow)
    last = request.headers.get("last-event-id") or query.since
    since = None if not last else cursor(last, "since")
    if is_head(request):
        return EventStream(iterator=_no_events(), headers=_HEADERS)
    stream = events.events(context, viewer, since, partial(find_viewer, request, context))
    return EventStream(iterator=_encoded(stream), headers=_HEADERS)


async def _encoded(stream: AsyncGenerator[Event | None, None]) -> AsyncIterator[bytes]:
    async with aclosing(stream):
        yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
        async for event in stream:
            yield _HEARTBEAT if event is None else _encode_event(event)


async def _no_events() -> AsyncGenerator[bytes, None]:
    """The body that answers HEAD, which would otherwise be followed without an end and without a listener."""
    return
    yield


def _encode_event(event: Event) -> bytes:
    kind, shape = event_shape(event)
    return f"id: {event.cursor}\nevent: {kind}\ndata: ".encode() + msgspec.json.encode(shape) + b"\n\n"
