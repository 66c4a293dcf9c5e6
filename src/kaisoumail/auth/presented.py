"""What a request presents to prove itself by, read from its headers and believed by nobody yet."""

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
    The different tokens that a `Cookie` header has under the session's name: none, one, or more.

    We set one for this host alone. A second one is from a page on a host above or beside ours, which can set
    cookies for us too and put somebody into a session that is not theirs.
    """
    pairs = (pair.partition("=") for pair in cookie.split(";"))
    found = (value.strip() for name, _, value in pairs if name.strip() == COOKIE_NAME)
    return list(dict.fromkeys(token for token in found if 0 < len(token) <= _MAX_TOKEN))
