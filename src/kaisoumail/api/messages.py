"""`/api/messages`."""

from typing import Any, Literal

import msgspec
from litestar import Request, Response, delete, get, post

from kaisoumail.api.fields import InstantText, instant, read_body, read_query
from kaisoumail.api.paging import Paging, next_cursor
from kaisoumail.api.shapes import (
    MarkedMessageShape,
    MessageListShape,
    OpenedMessageShape,
    ShownStatus,
    message_detail_shape,
    message_shape,
)
from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.model.user import Viewer
from kaisoumail.operations import messages
from kaisoumail.operations.context import Context
from kaisoumail.operations.messages import MessageQuery


class ListMessages(Paging, rename="camel"):
    mailbox: list[str] = msgspec.field(default_factory=list)
    mailbox_id: list[str] = msgspec.field(default_factory=list)
    mailbox_status: list[ShownStatus] = msgspec.field(default_factory=list)
    after: InstantText | None = None
    since: InstantText | None = None
    scope: Literal["default", "workspace"] = "default"
    unread: Literal["true", "false"] = "false"


class MarkMessage(msgspec.Struct):
    read: bool


@get("/api/messages")
async def list_messages(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> MessageListShape:
    """The messages, by page if requested. Of `after` and `since`, which mean the same, the later one counts."""
    query = read_query(request, ListMessages)
    instants = [
        instant(text, field) for field, text in (("after", query.after), ("since", query.since)) if text is not None
    ]
    message_query = MessageQuery(
        mailbox_ids=query.mailbox_id,
        addresses=query.mailbox,
        statuses=[MailboxStatus(status) for status in query.mailbox_status],
        workspace=query.scope == "workspace",
        after=max(instants, default=None),
        unread=query.unread == "true",
        end=query.end,
        limit=query.max_rows,
    )
    page = await messages.page_of_messages(context, viewer, message_query)
    rows = [message_shape(message) for message in page.items]
    return MessageListShape(messages=rows, next_cursor=next_cursor(page.end))


@get("/api/messages/{message_id:str}")
async def read_message(message_id: str, viewer: Viewer, context: Context) -> OpenedMessageShape:
    return OpenedMessageShape(message=message_detail_shape(await messages.open_message(context, viewer, message_id)))


@get("/api/messages/{message_id:str}/raw", media_type="message/rfc822")
async def read_raw_message(message_id: str, viewer: Viewer, context: Context) -> Response[bytes]:
    raw = await messages.raw_message(context, viewer, message_id)
    headers = {"content-disposition": f'attachment; filename="{message_id}.eml"', "cache-control": "no-store"}
    return Response(raw, media_type="message/rfc822", headers=headers)


@post("/api/messages/{message_id:str}/read", status_code=200)
async def mark_message(
    message_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> MarkedMessageShape:
    form = await read_body(request, MarkMessage)
    return MarkedMessageShape(
        message=message_shape(await messages.mark(context, viewer, message_id, is_read=form.read))
    )


@delete("/api/messages/{message_id:str}")
async def delete_message(message_id: str, viewer: Viewer, context: Context) -> None:
    await messages.delete_message(context, viewer, message_id)
