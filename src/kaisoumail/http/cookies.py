"""Answers with several cookies, and the cookie with a passkey challenge between its two steps."""

from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from litestar import Request, Response
from litestar.response.base import ASGIResponse

from kaisoumail.auth.passkeys import COOKIES
from kaisoumail.auth.sessions import cookie_header
from kaisoumail.errors import Problem
from kaisoumail.http.problems import render
from kaisoumail.model.passkey import CHALLENGE_LIFETIME, Ceremony
from kaisoumail.operations.context import Context

T = TypeVar("T")

_MAX_TOKEN: Final = 512


class CookieResponse(Response[T]):
    """An answer with several `Set-Cookie` headers in order, which a mapping cannot hold; never cached."""

    def __init__(self, content: T, *set_cookies: str, status_code: int = 200) -> None:
        super().__init__(content, status_code=status_code, headers={"cache-control": "no-store"})
        self._set_cookies = set_cookies

    def to_asgi_response(self, *args: Any, **named: Any) -> ASGIResponse:
        answer = super().to_asgi_response(*args, **named)
        for cookie in self._set_cookies:
            answer.headers.add("set-cookie", cookie)
        return answer


def challenge_token(request: "Request[Any, Any, Any]", ceremony: Ceremony) -> str | None:
    """The token of the cookie for *ceremony*; None when it is missing, empty or longer than any of ours."""
    token = request.cookies.get(COOKIES[ceremony], "")
    return token if 0 < len(token) <= _MAX_TOKEN else None


def challenge_cookie(context: Context, ceremony: Ceremony, token: str) -> str:
    """The `Set-Cookie` value with the token of a challenge for its lifetime; an empty token removes the cookie."""
    seconds = int(CHALLENGE_LIFETIME.total_seconds()) if token else 0
    return cookie_header(token, seconds, secure=context.policy.cookies_are_secure, name=COOKIES[ceremony])


async def clearing_challenge(
    context: Context, ceremony: Ceremony, answering: Awaitable[Response[Any]]
) -> Response[Any]:
    """The answer to the second step. A refusal removes the cookie too: its challenge is used up in any case."""
    try:
        return await answering
    except Problem as problem:
        return render(problem, {"set-cookie": challenge_cookie(context, ceremony, "")})
