"""The credentials in a request's headers, not verified yet."""

from typing import Final

from kaisoumail.auth.sessions import COOKIE_NAME

_MAX_TOKEN: Final = 512


def bearer_key_in(authorization: str) -> str | None:
    """The API key of an `Authorization: Bearer …`; None for every other scheme, and when there is no key."""
    scheme, _, rest = authorization.partition(" ")
    key = rest.split(" ", 1)[0]
    return key if scheme.lower() == "bearer" and key else None


def session_tokens_in(cookie: str) -> list[str]:
    """
    The distinct session tokens in a `Cookie` header: none, one, or more.

    Our own cookie is for this host only. A second one is from a parent or sibling host, which can set cookies for this
    host too, and so put a user into another user's session.
    """
    pairs = (pair.partition("=") for pair in cookie.split(";"))
    found = (value.strip() for name, _, value in pairs if name.strip() == COOKIE_NAME)
    return list(dict.fromkeys(token for token in found if 0 < len(token) <= _MAX_TOKEN))
