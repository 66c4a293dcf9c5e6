"""`/messages/{id}`: one message, its HTML body for the frame that shows it, and marking it as read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar import Request, Response, get, post

from kaisoumail.errors import Problem
from kaisoumail.model.message import part_id
from kaisoumail.model.user import Viewer
from kaisoumail.operations import message_parts, messages
from kaisoumail.operations.context import Context
from kaisoumail.operations.message_parts import PICTURES, Attachment
from kaisoumail.operations.messages import OpenedMessage
from kaisoumail.web.languages import HTML_LANG
from kaisoumail.web.problems import ProblemView, problem_view
from kaisoumail.web.render import language_of, page
from kaisoumail.web.session import form_of, go_to, own_path

TABS: Final = ("html", "text", "headers", "raw")
ALLOW: Final = "allow"
_SHOWN_RAW: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class MessageView:
    """
    What the reader shows: a message and the chosen tab, or the *problem* that prevents it.

    *blocked* remote pictures are not loaded, none if *remote* is true; *raw* is the beginning of the raw bytes.
    """

    opened: OpenedMessage | None = None
    tab: str = TABS[0]
    remote: bool = False
    blocked: int = 0
    raw: str = ""
    problem: ProblemView | None = None
    status: int = 200

    @property
    def files(self) -> list[tuple[Attachment, str]]:
        """Each attachment with its download path, without the pictures that the HTML shows in place."""
        if self.opened is None:
            return []
        message_id, html = self.opened.message.id, self.opened.parsed.html or ""
        return [
            (each, f"/api/messages/{message_id}/attachments/{part_id('att', message_id, number)}")
            for number, each in enumerate(self.opened.parsed.attachments)
            if not (each.content_id and each.content_type in PICTURES and f"cid:{each.content_id.strip('<>')}" in html)
        ]


async def read_message_view(context: Context, viewer: Viewer, message_id: str, query: Mapping[str, str]) -> MessageView:
    """The message for the reader pane. A refusal is shown in the pane, so that the page around it still works."""
    try:
        opened = await messages.open_message(context, viewer, message_id)
        requested, has_html = query.get("tab"), bool(opened.parsed.html)
        tab = requested if requested in TABS and (requested != "html" or has_html) else "html" if has_html else "text"
        remote = query.get("remote") == ALLOW
        safe = await message_parts.safe_fragment(context, opened, remote=remote) if tab == "html" else None
        raw = await messages.raw_message(context, viewer, message_id) if tab == "raw" else b""
    except Problem as problem:
        return MessageView(problem=problem_view(problem), status=problem.kind.status)
    raw_text = raw[:_SHOWN_RAW].decode("utf-8", "replace").replace("\0", "\ufffd")
    return MessageView(opened, tab, remote, safe.blocked if safe else 0, raw_text)


@get("/messages/{message_id:str}")
async def show_message(
    message_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[Any]:
    shown = await read_message_view(context, viewer, message_id, request.query_params)
    return page(request, "message/page.html", status=shown.status, reading=shown)


@get("/messages/{message_id:str}/body")
async def show_body(
    message_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[str]:
    """
    The HTML body for the sandboxed frame; with `remote=allow` it loads pictures from other servers.

    Raises Problem as `message_parts.document`.
    """
    document = await message_parts.document(
        context,
        viewer,
        message_id,
        remote=request.query_params.get("remote") == ALLOW,
        language=HTML_LANG[language_of(request)],
    )
    headers = {
        "content-security-policy": document.policy,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return Response(document.html, headers=headers, media_type="text/html")


@post("/messages/{message_id:str}/read", status_code=303)
async def mark_message(
    message_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[Any]:
    """Mark as read or unread, then 303 back to the page of the form; htmx gets only the form in its new state."""
    form = await form_of(request)
    next_path = own_path(form.get("next", ""))
    message = await messages.mark(context, viewer, message_id, is_read=form.get("read") != "false")
    if request.headers.get("hx-request") == "true":
        return page(request, "message/mark.html", message=message, next=next_path)
    return go_to(next_path)
