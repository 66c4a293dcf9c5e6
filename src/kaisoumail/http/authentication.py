"""
Authentication from the request's headers: one guard for the API, one for the pages.

In the API a Bearer key, if there is one, is the only credential used: a wrong key never falls back to the cookie.
"""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from kaisoumail.auth.presented import bearer_key_in, session_tokens_in
from kaisoumail.errors import Problem
from kaisoumail.model.access import Need
from kaisoumail.model.user import RequestClient, Viewer
from kaisoumail.operations import sign_in
from kaisoumail.operations.context import Context

Connection = ASGIConnection[Any, Any, Any, Any]


def provide_context(state: State) -> Context:
    context: Context = state["context"]
    return context


async def require_viewer(connection: Connection, handler: BaseRouteHandler) -> None:
    """
    The guard of the API: checks the need that the row of the route declares (`api/app.py`).

    Raises Problem `authentication_required`, `admin_required` or `insufficient_scope`, before the body is read.
    """
    need: Need = handler.opt["need"]
    if not need.is_public:
        context = provide_context(connection.app.state)
        _admit(connection, need, await find_viewer(connection, context, by_cookie=need.is_by_cookie))


async def require_session(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard of the pages (`web/app.py`): as `require_viewer`, but only a session authenticates."""
    need: Need = handler.opt["need"]
    if not need.is_public:
        _admit(connection, need, await find_session_viewer(connection, provide_context(connection.app.state)))


def _admit(connection: Connection, need: Need, viewer: Viewer | None) -> None:
    if viewer is None:
        raise Problem("authentication_required", "Authentication required")
    viewer.must_satisfy(need)
    connection.scope["state"]["viewer"] = viewer


def provide_viewer(request: "Request[Any, Any, Any]", context: Context) -> Viewer:
    """
    The viewer that the guard has authenticated.

    *context* is unused but makes this depend on `provide_context`: Litestar provides independent dependencies in a
    task group, which costs a fifth of a small request; these two are provided one after the other.
    """
    viewer: Viewer = request.scope["state"]["viewer"]
    return viewer


async def viewer_now(request: "Request[Any, Any, Any]") -> Viewer:
    """The viewer, authenticated again for a request that has waited for a while. Raises as the guard does."""
    await require_viewer(request, request.route_handler)
    return provide_viewer(request, provide_context(request.app.state))


async def find_viewer(connection: Connection, context: Context, *, by_cookie: bool = False) -> Viewer | None:
    """The viewer of the request, or None. With *by_cookie* an API key is not accepted."""
    key = bearer_key(connection)
    if key is None:
        return await find_session_viewer(connection, context)
    viewer = None if by_cookie else await sign_in.viewer_with_key(context, key, client_of_request(connection))
    connection.scope["state"]["principal"] = viewer  # charged by the rate limits
    return viewer


async def find_session_viewer(connection: Connection, context: Context) -> Viewer | None:
    """The viewer of the session cookie, or None; an API key is ignored."""
    token = session_token(connection)
    viewer = None if token is None else await sign_in.viewer_with_session(context, token, client_of_request(connection))
    connection.scope["state"]["principal"] = viewer  # charged by the rate limits
    return viewer


def client_of_request(connection: Connection) -> RequestClient:
    """The client of the request, as `middleware.py` stored it."""
    visit: RequestClient = connection.scope["state"]["visit"]
    return visit


def is_head(connection: Connection) -> bool:
    """Whether only the headers are asked for; handlers see every HEAD as a GET (`middleware.py`)."""
    return bool(connection.scope["state"]["is_head"])


def bearer_key(connection: Connection) -> str | None:
    return bearer_key_in(connection.headers.get("authorization", ""))


def session_token(connection: Connection) -> str | None:
    """The token of the session cookie, the first if there are several (`admission.py`); None without one."""
    return next(iter(session_tokens_in(connection.headers.get("cookie", ""))), None)
