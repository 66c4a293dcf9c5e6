"""
Whether a change was asked for by a page of ours, or by somebody else's in a browser that is signed in here.

Browsers say so in `Sec-Fetch-Site` (over TLS and on localhost) and `Origin`, and pages cannot change either.
A page on another host of the same site is somebody else's too: this product hands out host names.
"""

from collections.abc import Callable, Container
from typing import Final

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))


def is_own_request(site: str | None, origin: str | None, own: Container[str], trusts: Callable[[str], bool]) -> bool:
    """
    True for a request from a page at *own* origins, from one whose *origin* is trusted, and from a program.

    What says neither *site* nor *origin* is no browser that could be tricked: all of them send one of the two
    with a change. (And the cookie is SameSite=Lax for those that are older.)
    """
    if origin is not None and trusts(origin):
        return True
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin in own
