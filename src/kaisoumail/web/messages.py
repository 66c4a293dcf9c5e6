"""`/messages/{id}`: one mail, its HTML body for the frame that shows it, and whether it was read."""

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request, Response, get, post
from markupsafe import escape

from kaisoumail.errors import Problem
from kaisoumail.model.user import Viewer
from kaisoumail.operations import messages
from kaisoumail.operations.context import Context
from kaisoumail.operations.messages import Opened
from kaisoumail.web.languages import HTML_LANG, Words, words_in
from kaisoumail.web.problems import Explained, explained
from kaisoumail.web.render import language_of, page
from kaisoumail.web.session import form_of, go_to, own_path

TABS: Final = ("html", "text", "headers")

# The body's own page: nothing runs and nothing is fetched, whatever the sanitiser might have missed.
BODY_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_BLOCKED: Final = "#remote-image"  # parsing/sanitize puts it into the place of each
_PAGE: Final = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light"><title>{title}</title>
<style>body{{margin:16px;font:15px/1.5 system-ui,sans-serif;color:#1b1f1e;background:#fff;overflow-wrap:anywhere}}
img{{max-width:100%}}img:not([src$="#remote-image"]){{height:auto}}table{{max-width:100%}}pre{{white-space:pre-wrap}}
.blocked-images{{margin:0 0 12px;padding:6px 10px;border-radius:6px;background:#eef3f2;color:#3c4a48;font-size:13px}}
</style></head><body>{note}{body}</body></html>"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader shows: a mail and the chosen tab, or why there is none."""

    opened: Opened | None = None
    tab: str = TABS[0]
    problem: Explained | None = None
    status: int = 200


async def reading(context: Context, viewer: Viewer, message_id: str, tab: str | None) -> Reading:
    """The mail to show in a pane: one that cannot be shown says so there and leaves the page around it alone."""
    try:
        opened = await messages.open_message(context, viewer, message_id)
    except Problem as problem:
        return Reading(problem=explained(problem), status=problem.kind.status)
    default = "html" if opened.parsed.html else "text"
    return Reading(opened, tab if tab in TABS and (tab != "html" or opened.parsed.html) else default)


@get("/messages/{message_id:str}")
async def show_message(
    message_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[Any]:
    shown = await reading(context, viewer, message_id, request.query_params.get("tab"))
    return page(request, "message/page.html", status=shown.status, reading=shown)


@get("/messages/{message_id:str}/body")
async def show_body(
    message_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[str]:
    body = await messages.safe_body(context, viewer, message_id)
    if body is None:
        raise Problem("message_not_found", "This mail has no HTML body")
    language = language_of(request)
    t = words_in(language)
    text = _PAGE.format(lang=HTML_LANG[language], title=escape(t("reader.html")), note=_note(t, body), body=body)
    headers = {
        "content-security-policy": BODY_POLICY,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return Response(text, headers=headers, media_type="text/html")


@post("/messages/{message_id:str}/read", status_code=303)
async def mark_message(
    message_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[Any]:
    """Read or unread, and back to where the form was; the form alone for htmx, as it is now."""
    form = await form_of(request)
    there = own_path(form.get("next", ""))
    message = await messages.mark(context, viewer, message_id, is_read=form.get("read") != "false")
    if request.headers.get("hx-request") == "true":
        return page(request, "message/mark.html", message=message, next=there)
    return go_to(there)


def _note(t: Words, body: str) -> str:
    blocked = body.count(_BLOCKED)
    return f'<p class="blocked-images">{escape(t("reader.images_blocked", n=blocked))}</p>' if blocked else ""
