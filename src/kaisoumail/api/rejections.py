"""`/api/rejections`: for admins."""

from typing import Annotated, Any

import msgspec
from litestar import Request, get

from kaisoumail.api.fields import read_query, whole_number
from kaisoumail.api.shapes import Shape
from kaisoumail.model.clock import iso
from kaisoumail.model.rejection import Rejection
from kaisoumail.model.user import Viewer
from kaisoumail.operations import rejections
from kaisoumail.operations.context import Context


class ListRejections(msgspec.Struct, rename="camel"):
    limit: str = "50"
    cursor: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    domain: Annotated[str, msgspec.Meta(max_length=253)] | None = None


class RejectionShape(Shape):
    """Mail that was refused for good."""

    id: str
    at: str
    door: str
    sender: str
    recipient: str
    code: str


@get("/api/rejections")
async def list_rejections(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> dict[str, Any]:
    query = read_query(request, ListRejections)
    limit = whole_number(query.limit, "limit", 1, 200)
    page = await rejections.list_rejections(context, viewer, limit, query.cursor, query.domain)
    rows: list[RejectionShape] = [_shape(rejection) for rejection in page.rejections]
    return {"rejections": rows, "nextCursor": page.next_cursor}


def _shape(rejection: Rejection) -> RejectionShape:
    return RejectionShape(
        id=rejection.id,
        at=iso(rejection.at),
        door=rejection.door,
        sender=rejection.sender,
        recipient=rejection.recipient,
        code=rejection.code,
    )
