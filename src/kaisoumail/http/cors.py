"""Which web origins may call `/api` with their user's cookie."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Scope = Mapping[str, Any]
_LOOPBACK: Final = re.compile(r"https?://(localhost|127\.0\.0\.1)(:[0-9]+)?", re.ASCII)
# The response headers that clients use; a page of another origin can read only those named here.
_EXPOSED: Final = (
    b"content-disposition, etag, ratelimit, ratelimit-policy, retry-after, x-blocked-pictures, x-kaisoumail-cursor, "
    b"x-request-id"
)
_VARY: Final = (b"vary", b"Origin")


@dataclass(frozen=True, slots=True)
class CorsRules:
    """The trusted *origins* of the operator; *allow_loopback* adds those on the developer's own machine."""

    origins: tuple[str, ...]
    allow_loopback: bool

    def headers_for(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """The headers that let a trusted origin read this answer; for others at most Vary."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"")
        if not scope["path"].startswith("/api/"):
            return []
        if not self.trusts(origin.decode("latin-1")):
            return [_VARY]  # caches must know that a trusted origin gets another answer
        requested = headers.get(b"access-control-request-headers", b"Content-Type, Authorization")
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-allow-methods", b"GET,HEAD,POST,DELETE,OPTIONS"),
            (b"access-control-allow-headers", requested),
            (b"access-control-expose-headers", _EXPOSED),
            _VARY,
        ]

    def is_preflight(self, scope: Scope) -> bool:
        """True for every OPTIONS request to `/api/`, also one without `Access-Control-Request-Method`."""
        return bool(scope["method"] == "OPTIONS") and scope["path"].startswith("/api/")

    def preflight_status(self, scope: Scope) -> int:
        """204 for an origin that is trusted, 403 for any other and without one."""
        origin = dict(scope["headers"]).get(b"origin", b"").decode("latin-1")
        return 204 if self.trusts(origin) else 403

    def trusts(self, origin: str) -> bool:
        """True for an origin whose pages may act for their user here."""
        return origin in self.origins or (self.allow_loopback and _LOOPBACK.fullmatch(origin) is not None)
