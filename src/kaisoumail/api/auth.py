"""`/api/auth`: sign in with an API key or a passkey, see who is signed in, sign out."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post

from kaisoumail.api.fields import read_body
from kaisoumail.api.passkeys import CredentialForm, credential_in
from kaisoumail.api.shapes import Instant, Shape, one_of
from kaisoumail.auth.sessions import cookie_header
from kaisoumail.http.authentication import client_of_request, session_token
from kaisoumail.http.cookies import CookieResponse, challenge_cookie, challenge_token, clearing_challenge
from kaisoumail.model.clock import iso
from kaisoumail.model.user import Role, User, Viewer
from kaisoumail.operations import passkeys, sign_in
from kaisoumail.operations.context import Context


class SignIn(msgspec.Struct, rename="camel"):
    api_key: Annotated[str, msgspec.Meta(min_length=16, max_length=512)]


class SessionUserShape(Shape):
    id: str
    email: str
    name: str
    role: Annotated[str, one_of(*Role)]


class SessionShape(Shape):
    user: SessionUserShape
    authenticated_at: Instant


@get("/api/auth/session")
async def read_session(viewer: Viewer, context: Context) -> SessionShape:
    """The user of this session or key; `authenticatedAt` is now, when that was verified, not when the session began."""
    return _shape(viewer.user, context.clock())


@post("/api/auth/session", status_code=200)
async def create_session(request: "Request[Any, Any, Any]", context: Context) -> Response[SessionShape]:
    form = await read_body(request, SignIn)
    signed_in = await sign_in.sign_in(context, form.api_key, client_of_request(request))
    return CookieResponse(_shape(signed_in.viewer.user, context.clock()), _session_cookie(context, signed_in.token))


@delete("/api/auth/session", status_code=204)
async def end_session(request: "Request[Any, Any, Any]", context: Context) -> Response[None]:
    """204, and the cookie is removed, also when there is no session or it has ended."""
    token = session_token(request)
    if token is not None:
        await sign_in.sign_out(context, token, client_of_request(request))
    return Response(
        None, status_code=204, headers={"set-cookie": cookie_header("", 0, secure=context.policy.cookies_are_secure)}
    )


@post("/api/auth/passkey/options", status_code=200)
async def start_passkey_sign_in(request: "Request[Any, Any, Any]", context: Context) -> Response[dict[str, Any]]:
    ceremony = await passkeys.start_sign_in(context, request.headers.get("origin"))
    return CookieResponse(ceremony.options, challenge_cookie(context, "authentication", ceremony.token))


@post("/api/auth/passkey/verify", status_code=200)
async def finish_passkey_sign_in(request: "Request[Any, Any, Any]", context: Context) -> Response[SessionShape]:
    response = credential_in(await read_body(request, CredentialForm))

    async def answer() -> Response[SessionShape]:
        token = challenge_token(request, "authentication")
        signed_in = await passkeys.finish_sign_in(context, token, response, client_of_request(request))
        shape = _shape(signed_in.viewer.user, context.clock())
        ended_challenge = challenge_cookie(context, "authentication", "")
        return CookieResponse(shape, ended_challenge, _session_cookie(context, signed_in.token))

    return await clearing_challenge(context, "authentication", answer())


def _session_cookie(context: Context, token: str) -> str:
    return cookie_header(
        token, int(context.policy.limits.sessions.lifetime.total_seconds()), secure=context.policy.cookies_are_secure
    )


def _shape(user: User, now: datetime) -> SessionShape:
    shape = SessionUserShape(id=user.id, email=user.email, name=user.name, role=user.role.value)
    return SessionShape(user=shape, authenticated_at=iso(now))
