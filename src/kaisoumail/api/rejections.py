"""`/api/rejections`: for admins."""

from typing import Annotated, Any

import msgspec
from litestar import Request, get

from kaisoumail.api.fields import digits, read_query, whole_number
from kaisoumail.api.shapes import Instant, Shape, one_of
from kaisoumail.model.clock import iso
from kaisoumail.model.rejection import Rejection
from kaisoumail.model.user import Viewer
from kaisoumail.operations import rejections
from kaisoumail.operations.context import Context

_MAX_LIMIT = 200


class ListRejections(msgspec.Struct, rename="camel"):
    limit: Annotated[str, digits(1, _MAX_LIMIT)] = "50"
    cursor: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": rejections.CURSOR_PATTERN})] | None = None
    domain: Annotated[str, msgspec.Meta(max_length=253)] | None = None


class RejectionShape(Shape):
    """A message that was rejected permanently."""

    id: str
    at: Instant
    channel: Annotated[str, one_of("smtp", "worker")] = msgspec.field(name="door")
    sender: str
    recipient: str
    code: str


class RejectionListShape(Shape):
    rejections: list[RejectionShape]
    next_cursor: str | None


@get("/api/rejections")
async def list_rejections(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> RejectionListShape:
    query = read_query(request, ListRejections)
    limit = whole_number(query.limit, "limit", 1, _MAX_LIMIT)
    page = await rejections.list_rejections(context, viewer, limit, query.cursor, query.domain)
    return RejectionListShape(rejections=[_shape(each) for each in page.rejections], next_cursor=page.next_cursor)


def _shape(rejection: Rejection) -> RejectionShape:
    return RejectionShape(
        id=rejection.id,
        at=iso(rejection.at),
        channel=rejection.channel,
        sender=rejection.sender,
        recipient=rejection.recipient,
        code=rejection.code,
    )
