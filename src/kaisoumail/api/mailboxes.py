"""`/api/mailboxes`."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, delete, get, post
from msgspec import UNSET, UnsetType

from kaisoumail.api.domains import one_domain
from kaisoumail.api.fields import EmailAddress, anchored, read_json, read_object, read_query
from kaisoumail.api.paging import Paging, next_cursor
from kaisoumail.api.shapes import (
    MailboxListShape,
    MailboxNowShape,
    MailboxShape,
    ShownStatus,
    mailbox_now_shape,
    mailbox_shape,
)
from kaisoumail.model.address import LOCAL_PART_PATTERN, SUBDOMAIN_PATTERN
from kaisoumail.model.mailbox import MAX_TTL_MINUTES, MIN_TTL_MINUTES, Mailbox, MailboxStatus
from kaisoumail.model.user import Viewer
from kaisoumail.operations import mailboxes
from kaisoumail.operations.context import Context
from kaisoumail.operations.mailboxes import Default, MailboxQuery, MailboxRequest
from kaisoumail.operations.wait import newest_cursor

LocalPart = Annotated[str, msgspec.Meta(pattern=anchored(LOCAL_PART_PATTERN), max_length=32)]
Subdomain = Annotated[str, msgspec.Meta(pattern=anchored(SUBDOMAIN_PATTERN), max_length=190)]
Minutes = Annotated[int, msgspec.Meta(ge=MIN_TTL_MINUTES, le=MAX_TTL_MINUTES)] | None


class CreateMailbox(msgspec.Struct, rename="camel"):
    local_part: LocalPart | UnsetType = UNSET
    subdomain: Subdomain | UnsetType = UNSET
    mail_domain: str | UnsetType = UNSET
    root_domain: str | UnsetType = UNSET
    expires_in_minutes: Minutes | UnsetType = UNSET


class EnsureByParts(msgspec.Struct, rename="camel"):
    local_part: LocalPart
    subdomain: Subdomain
    mail_domain: str | UnsetType = UNSET
    root_domain: str | UnsetType = UNSET
    expires_in_minutes: Minutes | UnsetType = UNSET


class EnsureByAddress(msgspec.Struct, rename="camel"):
    address: EmailAddress
    expires_in_minutes: Minutes | UnsetType = UNSET


class ListMailboxes(Paging, rename="camel"):
    scope: Literal["default", "workspace"] = "default"
    status: list[ShownStatus] = msgspec.field(default_factory=list)


class ResolveMailbox(msgspec.Struct, rename="camel"):
    address: EmailAddress


@get("/api/mailboxes")
async def list_mailboxes(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> MailboxListShape:
    query = read_query(request, ListMailboxes)
    mailbox_query = MailboxQuery(
        statuses=[MailboxStatus(status) for status in query.status],
        workspace=query.scope == "workspace",
        end=query.end,
        limit=query.max_rows,
    )
    page = await mailboxes.page_of_mailboxes(context, viewer, mailbox_query)
    now = context.clock()
    rows = [mailbox_shape(each, now) for each in page.items]
    return MailboxListShape(mailboxes=rows, next_cursor=next_cursor(page.end))


@post("/api/mailboxes")
async def create_mailbox(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> MailboxNowShape:
    form = read_object(await read_json(request), CreateMailbox)
    mailbox_request = MailboxRequest(
        local_part=_or_none(form.local_part),
        subdomain=_or_none(form.subdomain),
        root_domain=one_domain(form.mail_domain, form.root_domain),
        minutes=_minutes(form.expires_in_minutes),
    )
    return await _with_cursor(context, await mailboxes.create(context, viewer, mailbox_request))


@post("/api/mailboxes/ensure")
async def ensure_mailbox(
    request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[MailboxNowShape]:
    """The mailbox, with 201 if it is new, else 200. Unknown fields are refused, unlike in `create_mailbox`."""
    document = await read_json(request)
    if "address" in document:
        by_address = read_object(document, EnsureByAddress, only_known=True)
        mailbox_request = await mailboxes.request_for(
            context, by_address.address, _minutes(by_address.expires_in_minutes)
        )
    else:
        form = read_object(document, EnsureByParts, only_known=True)
        root_domain = one_domain(form.mail_domain, form.root_domain)
        mailbox_request = MailboxRequest(
            form.local_part, form.subdomain, root_domain, _minutes(form.expires_in_minutes)
        )
    ensured = await mailboxes.ensure(context, viewer, mailbox_request)
    return Response(await _with_cursor(context, ensured.mailbox), status_code=201 if ensured.is_new else 200)


@get("/api/mailboxes/resolve")
async def resolve_mailbox(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> MailboxNowShape:
    query = read_query(request, ResolveMailbox)
    return await _with_cursor(context, await mailboxes.resolve(context, viewer, query.address))


@get("/api/mailboxes/{mailbox_id:str}")
async def read_mailbox(mailbox_id: str, viewer: Viewer, context: Context) -> MailboxNowShape:
    return await _with_cursor(context, await mailboxes.find_mailbox(context, viewer, mailbox_id))


@delete("/api/mailboxes/{mailbox_id:str}", status_code=200)
async def destroy_mailbox(mailbox_id: str, viewer: Viewer, context: Context) -> MailboxShape:
    return mailbox_shape(await mailboxes.destroy(context, viewer, mailbox_id), context.clock())


async def _with_cursor(context: Context, mailbox: Mailbox) -> MailboxNowShape:
    return mailbox_now_shape(mailbox, context.clock(), await newest_cursor(context))


def _or_none(text: str | UnsetType) -> str | None:
    return text if isinstance(text, str) else None


def _minutes(minutes: int | UnsetType | None) -> int | Default | None:
    return Default.TTL if isinstance(minutes, UnsetType) else minutes
