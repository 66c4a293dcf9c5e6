"""
Who is asking, from the request's headers.

A Bearer key, if one is sent, is the only thing looked at: a wrong one never falls back to the cookie.
"""

from typing import Any

from litestar import Request
from litestar.datastructures import State

from kaisoumail.auth.presented import bearer_key_in, session_tokens_in
from kaisoumail.errors import Problem
from kaisoumail.model.user import Viewer, Visit
from kaisoumail.operations import sign_in
from kaisoumail.operations.context import Context


def provide_context(state: State) -> Context:
    context: Context = state["context"]
    return context


async def provide_viewer(request: "Request[Any, Any, Any]", context: Context) -> Viewer:
    """The signed-in viewer. Raises Problem `authentication_required`."""
    viewer = await find_viewer(request, context)
    if viewer is None:
        raise Problem("authentication_required", "Authentication required")
    return viewer


async def find_viewer(request: "Request[Any, Any, Any]", context: Context) -> Viewer | None:
    """Whoever the request proves to be, or None."""
    viewer = await _find_viewer(request, context)
    request.scope["state"]["viewer"] = viewer  # whom the limits charge
    return viewer


async def _find_viewer(request: "Request[Any, Any, Any]", context: Context) -> Viewer | None:
    key = bearer_key(request)
    if key is not None:
        return await sign_in.viewer_with_key(context, key, visit_of(request))
    token = session_token(request)
    return None if token is None else await sign_in.viewer_with_session(context, token, visit_of(request))


def visit_of(request: "Request[Any, Any, Any]") -> Visit:
    """Where the request came from, as `edges.py` noted it."""
    visit: Visit = request.scope["state"]["visit"]
    return visit


def bearer_key(request: "Request[Any, Any, Any]") -> str | None:
    return bearer_key_in(request.headers.get("authorization", ""))


def session_token(request: "Request[Any, Any, Any]") -> str | None:
    return next(iter(session_tokens_in(request.headers.get("cookie", ""))), None)
