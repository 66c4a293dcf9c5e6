"""
Tells requests from our own pages from those that other sites make in a browser that is signed in here (CSRF).

Browsers send `Sec-Fetch-Site` (over TLS and on localhost) and `Origin`, and pages cannot change either.
A page on another host of the same site is not trusted either: this product hands out host names.
"""

from collections.abc import Callable, Container
from typing import Final

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))


def is_own_request(site: str | None, origin: str | None, own: Container[str], trusts: Callable[[str], bool]) -> bool:
    """
    True for a request from a page at *own* origins, from one whose *origin* is trusted, and from a program.

    A request with neither *site* nor *origin* is not from a browser: all of them send one of the two with a change.
    (And the cookie is SameSite=Lax, for older ones.)
    """
    if origin is not None and trusts(origin):
        return True
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin in own
