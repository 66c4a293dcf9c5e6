"""`/api/audit`: who did what. Admins see every entry, other users those that concern them."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get

from kaisoumail.api.fields import digits, read_query, whole_number
from kaisoumail.api.shapes import NO_STORE, Instant, Shape
from kaisoumail.model.audit import Entry
from kaisoumail.model.clock import iso
from kaisoumail.model.user import Viewer
from kaisoumail.operations import audit
from kaisoumail.operations.context import Context

_MAX_CURSOR = 2**62
_MAX_LIMIT = 200
_Id = Annotated[str, msgspec.Meta(max_length=64)]


class ListEntries(msgspec.Struct, rename="camel"):
    limit: Annotated[str, digits(1, _MAX_LIMIT)] = "50"
    cursor: Annotated[str, digits(0, _MAX_CURSOR)] | None = None
    actor_id: _Id | None = None
    target_id: _Id | None = None
    action: _Id | None = None


class AuditEntryShape(Shape):
    """Who did what to which target, when and from where; *owner* is the owner of the target if not the actor."""

    id: str
    at: Instant
    action: str
    actor: str
    actor_id: str | None
    owner: str | None
    owner_id: str | None
    credential_id: str | None
    target: str | None
    target_id: str | None
    address: str | None
    request_id: str | None
    details: dict[str, Any]


class AuditPageShape(Shape):
    entries: list[AuditEntryShape]
    next_cursor: str | None


@get("/api/audit")
async def list_entries(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[AuditPageShape]:
    query = read_query(request, ListEntries)
    before = None if query.cursor is None else whole_number(query.cursor, "cursor", 0, _MAX_CURSOR)
    entry_filter = audit.AuditFilter(
        whole_number(query.limit, "limit", 1, _MAX_LIMIT), before, query.actor_id, query.target_id, query.action
    )
    page = await audit.list_entries(context, viewer, entry_filter)
    rows = [_shape(entry) for entry in page.entries]
    next_cursor = None if page.next_seq is None else str(page.next_seq)
    return Response(AuditPageShape(entries=rows, next_cursor=next_cursor), headers=NO_STORE)


def _shape(entry: Entry) -> AuditEntryShape:
    return AuditEntryShape(
        id=str(entry.seq),
        at=iso(entry.at),
        action=entry.action,
        actor=entry.actor,
        actor_id=entry.actor_id,
        owner=entry.owner,
        owner_id=entry.owner_id,
        credential_id=entry.credential_id,
        target=entry.target,
        target_id=entry.target_id,
        address=entry.visit.address,
        request_id=entry.visit.request_id,
        details=entry.details,
    )
