"""`/workspace`: mailboxes, messages and the reader side by side; what is open is in the URL."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post

from kaisoumail.errors import Problem
from kaisoumail.http.form_errors import details_of
from kaisoumail.model.address import is_local_part, is_subdomain
from kaisoumail.model.user import Viewer
from kaisoumail.operations import mailboxes
from kaisoumail.operations.context import Context
from kaisoumail.operations.mailboxes import Default, MailboxExists, MailboxRequest, Minutes
from kaisoumail.operations.meta import read_meta
from kaisoumail.web.inbox_view import SHOWN_AT_FIRST, read_inbox
from kaisoumail.web.messages import read_message_view
from kaisoumail.web.problems import ProblemView, problem_view
from kaisoumail.web.render import page, url
from kaisoumail.web.session import form_of, go_to

LIFETIMES: Final[dict[str, Minutes]] = {
    "": Default.TTL,
    "60": 60,
    "1440": 1440,
    "10080": 10_080,
    "43200": 43_200,
    "forever": None,
}
_EMPTY_FORM: Final = {"local_part": "", "subdomain": "", "root_domain": "", "lifetime": ""}
NOTICES: Final = ("created", "mailbox_exists")
_MOST_SHOWN: Final = 5000


@get("/workspace")
async def show_workspace(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    return await _workspace(request, viewer, context)


@get("/workspace/lists")
async def show_lists(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """Both lists now, or 204 when nothing changed since `seen`."""
    query = request.query_params
    inbox = await read_inbox(context, viewer, query.get("mailbox"), query.get("message"), _shown_count(query))
    if inbox.fingerprint(context.clock()) == query.get("seen"):
        return Response(None, status_code=204, headers={"cache-control": "no-store"})
    return page(request, "workspace/lists.html", inbox=inbox)


@post("/workspace", status_code=303)
async def create_mailbox(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """
    303 to the new mailbox, or to the one that has the address; for any other refusal the workspace with the reason.

    Raises Problem instead where the credential may not read messages, which the workspace shows.
    """
    form = await form_of(request)
    try:
        mailbox = await mailboxes.create(context, viewer, await mailbox_request_from(context, form))
    except MailboxExists as conflict:
        return go_to(url("/workspace", mailbox=conflict.mailbox.id, notice="mailbox_exists"))
    except Problem as problem:
        if not viewer.grant.allows("messages:read"):  # the page around the form shows messages
            raise
        return await _workspace(request, viewer, context, form, problem)
    return go_to(url("/workspace", mailbox=mailbox.id, notice="created"))


async def mailbox_request_from(context: Context, form: Mapping[str, str]) -> MailboxRequest:
    """
    The mailbox that the create form requests: by parts, or a whole address pasted into the first field.

    Raises Problem `invalid_request` naming the bad fields, or `invalid_mailbox_address`.
    """
    minutes = LIFETIMES.get(form.get("lifetime", ""), Default.TTL)
    local_part, subdomain = form.get("local_part", "").lower(), form.get("subdomain", "").lower()
    if "@" in local_part:
        return await mailboxes.request_for(context, local_part, minutes)
    bad_fields = [
        name
        for name, text, fits in (("local_part", local_part, is_local_part), ("subdomain", subdomain, is_subdomain))
        if text and not fits(text)
    ]
    if bad_fields:
        raise Problem("invalid_request", "Invalid request", fieldErrors={name: [""] for name in bad_fields})
    return MailboxRequest(local_part or None, subdomain or None, form.get("root_domain") or None, minutes)


async def _workspace(
    request: "Request[Any, Any, Any]",
    viewer: Viewer,
    context: Context,
    form: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response[Any]:
    query = request.query_params
    message_id = query.get("message")
    inbox = await read_inbox(context, viewer, query.get("mailbox"), message_id, _shown_count(query))
    shown = await read_message_view(context, viewer, message_id, query) if message_id else None
    refusal: ProblemView | None = problem_view(problem) if problem else None
    return page(
        request,
        "workspace/page.html",
        status=problem.kind.status if problem else shown.status if shown else 200,
        inbox=inbox,
        reading=shown,
        meta=await read_meta(context),
        form={**_EMPTY_FORM, **(form or {})},
        wrong=details_of(problem).get("fieldErrors", {}) if problem else {},
        problem=refusal,
        notice=query.get("notice") if query.get("notice") in NOTICES else None,
        lifetimes=tuple(LIFETIMES),
    )


def _shown_count(query: Mapping[str, str]) -> int:
    text = query.get("shown", "")
    return min(int(text), _MOST_SHOWN) if text.isascii() and text.isdigit() and len(text) < 6 else SHOWN_AT_FIRST
