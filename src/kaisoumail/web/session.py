"""Who is looking, what a form says, and where to go next."""

from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from kaisoumail.auth.presented import session_tokens_in
from kaisoumail.errors import Problem
from kaisoumail.model.access import Need
from kaisoumail.model.user import Viewer, Visit
from kaisoumail.operations import sign_in
from kaisoumail.operations.context import Context

Connection = ASGIConnection[Any, Any, Any, Any]
_MAX_FIELDS: Final = 30
START: Final = "/workspace"


def provide_context(state: State) -> Context:
    context: Context = state["context"]
    return context


async def must_satisfy(connection: Connection, handler: BaseRouteHandler) -> None:
    """
    Guards every page by the need its row of the page table declares (`app.py`).

    Raises Problem `authentication_required`, `admin_required` or `insufficient_scope`.
    """
    need: Need = handler.opt["need"]
    if need.is_public:
        return
    viewer = await find_viewer(connection, provide_context(connection.app.state))
    if viewer is None:
        raise Problem("authentication_required", "Authentication required")
    viewer.must_satisfy(need)
    connection.scope["state"]["viewer"] = viewer


def provide_viewer(request: "Request[Any, Any, Any]", context: Context) -> Viewer:
    """
    Whom the guard let in.

    *context* is not needed but asked for: two dependencies that know nothing of each other are provided in a task
    group, which costs a fifth of a small request; these are provided one after the other.
    """
    viewer: Viewer = request.scope["state"]["viewer"]
    return viewer


async def find_viewer(connection: Connection, context: Context) -> Viewer | None:
    token = session_token(connection)
    viewer = None if token is None else await sign_in.viewer_with_session(context, token, visit_of(connection))
    connection.scope["state"]["asker"] = viewer  # whom the limits charge
    return viewer


def visit_of(connection: Connection) -> Visit:
    """Where the request came from, as `api/edges.py` noted it for all doors."""
    visit: Visit = connection.scope["state"]["visit"]
    return visit


def session_token(connection: Connection) -> str | None:
    return next(iter(session_tokens_in(connection.headers.get("cookie", ""))), None)


async def form_of(request: "Request[Any, Any, Any]") -> dict[str, str]:
    """The fields of a posted form, trimmed; of a repeated one the last. Raises Problem `invalid_request`."""
    try:
        fields = parse_qsl((await request.body()).decode(), max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Problem("invalid_request", "The form could not be read") from None
    return {name: value.strip() for name, value in fields}


def target_of(request: "Request[Any, Any, Any]") -> str:
    """
    The path and query that were asked for.

    Not from `request.url`, which is put together with the Host header: what a stranger writes there need not parse.
    """
    query = request.scope["query_string"].decode("latin-1")
    return request.scope["path"] + (f"?{query}" if query else "")


def own_path(text: str) -> str:
    """*text* if it is a path on this site, else the start page; never a way to another site."""
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if is_path and all("!" <= letter <= "~" for letter in text) else START


def go_to(path: str, *, cookie: str | None = None) -> Response[None]:
    """303 to *path*, with *cookie* on the way."""
    headers = {"location": path, "cache-control": "no-store"}
    return Response(None, status_code=303, headers=headers if cookie is None else {**headers, "set-cookie": cookie})


def to_login(request: "Request[Any, Any, Any]") -> Response[None]:
    """
    To the sign-in page, which leads back here.

    A fragment asked for by htmx cannot be redirected itself: the page around it is sent instead.
    """
    if request.headers.get("hx-request") != "true":
        return go_to(_login(target_of(request) if request.method == "GET" else START))
    there = _login(_path_of(request.headers.get("hx-current-url", "")))
    return Response(None, status_code=200, headers={"hx-redirect": there, "cache-control": "no-store"})


def _path_of(shown: str) -> str:
    """The path and query of the URL *shown*, as a browser says; nothing for what is no URL."""
    try:
        parts = urlsplit(shown)
    except ValueError:  # a bracket in the wrong place
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _login(there: str) -> str:
    return f"/login?next={quote(own_path(there), safe='/')}"
