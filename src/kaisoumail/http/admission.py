"""
Admission of requests to the API and the pages: rate limits, and no change requested by another site.

It runs before both, so that neither can omit it, and before anything is read from the database.
"""

from typing import Any, Final

from kaisoumail.auth.cross_site import SAFE_METHODS, is_own_request
from kaisoumail.auth.presented import bearer_key_in, session_tokens_in
from kaisoumail.errors import Problem
from kaisoumail.http.cors import CorsRules
from kaisoumail.operations.rate_limits import RateLimitAdmission, RateLimits

Headers = dict[bytes, bytes]
# Of two such headers one reader uses the first and another the last. Honest clients send each of these once.
_ONCE: Final = (b"authorization", b"host", b"origin", b"sec-fetch-site")
# Called by monitors, and by our Worker, which signs each message.
_UNLIMITED: Final = ("/health", "/readyz", "/api/inbound")
_API_SESSION: Final = "/api/auth/session"
_SIGN_IN: Final = (_API_SESSION, "/login")
_PASSKEY_SIGN_IN: Final = "/api/auth/passkey/"
# These routes allow fewer origins, and existing clients know their refusal: 400 `passkey_origin_not_allowed`.
_WITH_OWN_CHECK: Final = ("/api/auth/passkey/options", "/api/passkeys/registration/options")


class RequestAdmission:
    """Admits requests by the rate *limits*, and changes by the origins that *cors* trusts."""

    def __init__(self, limits: RateLimits, cors: CorsRules) -> None:
        self._limits = limits
        self._cors = cors

    async def admit(self, scope: Any, headers: Headers, address: str | None) -> RateLimitAdmission | None:
        """
        The admission, with its refusal if there is one; None for paths without limits.

        A refusal is the Problem `rate_limited`, `invalid_request`, `cross_site_request` or `two_sessions`.
        """
        if scope["path"] in _UNLIMITED:
            return None
        key = bearer_key_in(headers.get(b"authorization", b"").decode("latin-1")) if _accepts_key(scope) else None
        tokens = session_tokens_in(headers.get(b"cookie", b"").decode("latin-1")) if key is None else []
        presented = key or (tokens[0] if tokens else None)
        credential = None if presented is None else presented.encode("latin-1")
        admission = await self._limits.admit(address, credential, is_sign_in=_is_sign_in(scope))
        if admission.refusal is None:
            admission.refusal = _ambiguous(scope)
        if admission.refusal is None and key is None:
            admission.refusal = self._browser_refusal(scope, headers, tokens)
        return admission

    async def settle(self, admission: RateLimitAdmission | None, scope: Any, status: int, *, signed_in: bool) -> None:
        """Charge the principal of the request, now that it is known and the answer has *status*."""
        if admission is not None:
            await self._limits.settle(admission, scope["state"].get("principal"), status, signed_in=signed_in)

    def _browser_refusal(self, scope: Any, headers: Headers, tokens: list[str]) -> Problem | None:
        """The Problem if another site may have caused a browser's request, or its session is ambiguous; else None."""
        if len(tokens) > 1:
            return Problem("two_sessions", "The browser sent two different session cookies")
        site, origin = (_text(headers.get(name)) for name in (b"sec-fetch-site", b"origin"))
        if scope["method"] in SAFE_METHODS or scope["path"] in _WITH_OWN_CHECK:
            return None
        if is_own_request(site, origin, _origins_of(scope, headers), self._cors.trusts):
            return None
        return Problem("cross_site_request", "The request was made by another site")


def _ambiguous(scope: Any) -> Problem | None:
    names = [name for name, _ in scope["headers"] if name in _ONCE]
    if len(names) == len(set(names)):
        return None
    return Problem("invalid_request", "A header field that is allowed once was sent twice")


def _is_sign_in(scope: Any) -> bool:
    path: str = scope["path"]
    return bool(scope["method"] == "POST") and (path in _SIGN_IN or path.startswith(_PASSKEY_SIGN_IN))


def _accepts_key(scope: Any) -> bool:
    """False where only cookies count, so that a Bearer key there does not skip the check for other sites."""
    path: str = scope["path"]
    if not path.startswith("/api/"):
        return False
    is_session_change = path == _API_SESSION or path.startswith(_PASSKEY_SIGN_IN)
    return scope["method"] in SAFE_METHODS or not is_session_change


def _origins_of(scope: Any, headers: Headers) -> tuple[str, ...]:
    """Our own origin: for http also the https one, as TLS may end at a proxy that is not in TRUSTED_PROXIES."""
    host = _text(headers.get(b"host")) or ""
    return (f"https://{host}",) if scope["scheme"] == "https" else (f"http://{host}", f"https://{host}")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
