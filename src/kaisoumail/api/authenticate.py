"""
Who is asking, from the request's headers.

A Bearer key, if one is sent, is the only thing looked at: a wrong one never falls back to the cookie.
"""

from typing import Any, Final

from litestar import Request
from litestar.datastructures import State

from kaisoumail.auth.sessions import COOKIE_NAME
from kaisoumail.errors import Problem
from kaisoumail.model.user import Viewer, Visit
from kaisoumail.operations import sign_in
from kaisoumail.operations.context import Context

_MAX_COOKIE: Final = 512


def provide_context(state: State) -> Context:
    context: Context = state["context"]
    return context


async def provide_viewer(request: "Request[Any, Any, Any]", context: Context) -> Viewer:
    """The signed-in viewer. Raises Problem `authentication_required`."""
    viewer = await find_viewer(request, context)
    if viewer is None:
        raise Problem("authentication_required", "Authentication required")
    return viewer


async def provide_session_viewer(request: "Request[Any, Any, Any]", context: Context) -> Viewer:
    """The viewer by their session cookie; a key is not looked at. Raises Problem `authentication_required`."""
    viewer = await _find_by_session(request, context)
    if viewer is None:
        raise Problem("authentication_required", "Authentication required")
    return viewer


async def find_viewer(request: "Request[Any, Any, Any]", context: Context) -> Viewer | None:
    """Whoever the request proves to be, or None."""
    key = bearer_key(request)
    if key is not None:
        return await sign_in.viewer_with_key(context, key, visit_of(request))
    return await _find_by_session(request, context)


async def _find_by_session(request: "Request[Any, Any, Any]", context: Context) -> Viewer | None:
    token = session_token(request)
    return None if token is None else await sign_in.viewer_with_session(context, token, visit_of(request))


def visit_of(request: "Request[Any, Any, Any]") -> Visit:
    """Where the request came from, as `edges.py` noted it."""
    visit: Visit = request.scope["state"]["visit"]
    return visit


def bearer_key(request: "Request[Any, Any, Any]") -> str | None:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    key = rest.split(" ", 1)[0]
    return key if scheme.lower() == "bearer" and key else None


def session_token(request: "Request[Any, Any, Any]") -> str | None:
    token = request.cookies.get(COOKIE_NAME, "")
    return token if 0 < len(token) <= _MAX_COOKIE else None
