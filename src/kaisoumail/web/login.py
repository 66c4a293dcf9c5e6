"""`/login` and `/logout`."""

from typing import Any

from litestar import Request, Response, get, post

from kaisoumail.auth.sessions import cookie_header
from kaisoumail.errors import Problem
from kaisoumail.http.authentication import client_of_request, find_session_viewer, session_token
from kaisoumail.operations import sign_in
from kaisoumail.operations.context import Context
from kaisoumail.web.passkeys import passkey_origins
from kaisoumail.web.render import page
from kaisoumail.web.session import form_of, go_to, own_path


@get("/")
async def start() -> Response[None]:
    return go_to("/workspace")


@get("/login")
async def show_login(request: "Request[Any, Any, Any]", context: Context) -> Response[Any]:
    """The sign-in page; 303 to `next` for who is signed in already."""
    next_path = own_path(request.query_params.get("next", ""))
    if await find_session_viewer(request, context) is not None:
        return go_to(next_path)
    return _page(request, context, next_path)


@post("/login")
async def log_in(request: "Request[Any, Any, Any]", context: Context) -> Response[Any]:
    """303 to `next` with the cookie of a new session; for a refused key the page again, with status 401."""
    form = await form_of(request)
    next_path = own_path(form.get("next", ""))
    try:
        signed_in = await sign_in.sign_in(context, form.get("api_key", ""), client_of_request(request))
    except Problem as problem:
        return _page(request, context, next_path, problem)
    cookie = cookie_header(
        signed_in.token,
        int(context.policy.limits.sessions.lifetime.total_seconds()),
        secure=context.policy.cookies_are_secure,
    )
    return go_to(next_path, cookie=cookie)


@post("/logout")
async def log_out(request: "Request[Any, Any, Any]", context: Context) -> Response[None]:
    token = session_token(request)
    if token is not None:
        await sign_in.sign_out(context, token, client_of_request(request))
    return go_to("/login", cookie=cookie_header("", 0, secure=context.policy.cookies_are_secure))


def _page(
    request: "Request[Any, Any, Any]", context: Context, next_path: str, problem: Problem | None = None
) -> Response[Any]:
    return page(
        request,
        "login/page.html",
        status=problem.kind.status if problem else 200,
        next=next_path,
        problem=problem.code if problem else None,
        origins=passkey_origins(context),
    )
