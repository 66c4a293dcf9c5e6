"""`/api/audit`: who did what, for admins."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get

from kaisoumail.api.fields import read_query, whole_number
from kaisoumail.api.shapes import NO_STORE, Shape
from kaisoumail.model.audit import Entry
from kaisoumail.model.clock import iso
from kaisoumail.model.user import Viewer
from kaisoumail.operations import audit
from kaisoumail.operations.context import Context

_FARTHEST = 2**62
_Id = Annotated[str, msgspec.Meta(max_length=64)]


class ListEntries(msgspec.Struct, rename="camel"):
    limit: str = "50"
    cursor: str | None = None
    actor_id: _Id | None = None
    target_id: _Id | None = None
    action: _Id | None = None


class EntryShape(Shape):
    """Who did what to what, when, and from where."""

    id: str
    at: str
    action: str
    actor: str
    actor_id: str | None
    credential_id: str | None
    target: str | None
    target_id: str | None
    address: str | None
    request_id: str | None
    details: dict[str, Any]


@get("/api/audit")
async def list_entries(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[dict[str, Any]]:
    query = read_query(request, ListEntries)
    before = None if query.cursor is None else whole_number(query.cursor, "cursor", 0, _FARTHEST)
    wanted = audit.Wanted(
        whole_number(query.limit, "limit", 1, 200), before, query.actor_id, query.target_id, query.action
    )
    page = await audit.list_entries(context, viewer, wanted)
    rows = [_shape(entry) for entry in page.entries]
    following = None if page.next_seq is None else str(page.next_seq)
    return Response({"entries": rows, "nextCursor": following}, headers=NO_STORE)


def _shape(entry: Entry) -> EntryShape:
    return EntryShape(
        id=str(entry.seq),
        at=iso(entry.at),
        action=entry.action,
        actor=entry.actor,
        actor_id=entry.actor_id,
        credential_id=entry.credential_id,
        target=entry.target,
        target_id=entry.target_id,
        address=entry.visit.address,
        request_id=entry.visit.request_id,
        details=entry.details,
    )
