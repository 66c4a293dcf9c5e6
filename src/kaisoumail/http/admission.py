"""
Who is let in to the API and the pages: not too much from one, and no change that another site asked for.

It stands before both, so that neither can forget it, and before anything is looked up.
"""

from typing import Any, Final

from kaisoumail.auth.cross_site import SAFE_METHODS, is_own_request
from kaisoumail.auth.presented import bearer_key_in, session_tokens_in
from kaisoumail.errors import Problem
from kaisoumail.http.cors import CorsRules
from kaisoumail.operations.rate_limits import Admission, RateLimits

Headers = dict[bytes, bytes]
# Who reads the first of two and who reads the last would see two requests: nobody honest sends one of these twice.
_ONCE: Final = (b"authorization", b"host", b"origin", b"sec-fetch-site")
_UNLIMITED: Final = ("/health", "/readyz", "/api/inbound")  # asked by monitors; by our Worker, who signs each mail
_SIGN_IN: Final = ("/api/auth/session", "/login")
_PASSKEY_SIGN_IN: Final = "/api/auth/passkey/"
# These know fewer origins than we do, and existing clients know their refusal: 400 `passkey_origin_not_allowed`.
_ASK_THEMSELVES: Final = ("/api/auth/passkey/options", "/api/passkeys/registration/options")


class RequestAdmission:
    """*limits* count requests; *cors* says which other origins may ask for changes."""

    def __init__(self, limits: RateLimits, cors: CorsRules) -> None:
        self._limits = limits
        self._cors = cors

    async def admit(self, scope: Any, headers: Headers, address: str | None) -> Admission | None:
        """
        The request let in or refused; None for what nobody counts.

        Refusals are Problem `rate_limited`, `invalid_request`, `cross_site_request` and `two_sessions`.
        """
        if scope["path"] in _UNLIMITED:
            return None
        key = bearer_key_in(headers.get(b"authorization", b"").decode("latin-1"))
        tokens = session_tokens_in(headers.get(b"cookie", b"").decode("latin-1")) if key is None else []
        presented = key or (tokens[0] if tokens else None)
        credential = None if presented is None else presented.encode("latin-1")
        admission = await self._limits.admit(address, credential, is_sign_in=_is_sign_in(scope))
        if admission.refusal is None:
            admission.refusal = _ambiguous(scope)
        if admission.refusal is None and key is None:
            admission.refusal = self._disguised(scope, headers, tokens)
        return admission

    async def settle(self, admission: Admission | None, scope: Any, status: int, *, signed_in: bool) -> None:
        """The answer has *status*: whoever it turned out to be is charged."""
        if admission is not None:
            await self._limits.settle(admission, scope["state"].get("principal"), status, signed_in=signed_in)

    def _disguised(self, scope: Any, headers: Headers, tokens: list[str]) -> Problem | None:
        """Why a browser's request may not be what its reader meant; None if nothing speaks for that."""
        if len(tokens) > 1:
            return Problem("two_sessions", "The browser sent two different session cookies")
        site, origin = (_text(headers.get(name)) for name in (b"sec-fetch-site", b"origin"))
        if scope["method"] in SAFE_METHODS or scope["path"] in _ASK_THEMSELVES:
            return None
        if is_own_request(site, origin, _origins_of(scope, headers), self._cors.trusts):
            return None
        return Problem("cross_site_request", "This change was asked for by another site")


def _ambiguous(scope: Any) -> Problem | None:
    names = [name for name, _ in scope["headers"] if name in _ONCE]
    if len(names) == len(set(names)):
        return None
    return Problem("invalid_request", "A header that may be sent once was sent twice")


def _is_sign_in(scope: Any) -> bool:
    path: str = scope["path"]
    return bool(scope["method"] == "POST") and (path in _SIGN_IN or path.startswith(_PASSKEY_SIGN_IN))


def _origins_of(scope: Any, headers: Headers) -> tuple[str, ...]:
    """Our own origin; both of them while TLS may end at a proxy we were not told of."""
    host = _text(headers.get(b"host")) or ""
    return (f"https://{host}",) if scope["scheme"] == "https" else (f"http://{host}", f"https://{host}")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
