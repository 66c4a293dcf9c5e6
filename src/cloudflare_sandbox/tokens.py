"""
API tokens: minting them, recognising them, and every refusal for one.

Numbers and texts: measured by hampel/cloudflare-api (September 2026) and cloudflare-axi, quoted alike by
several projects. Token shapes: Cloudflare's "Token formats" page of 2026.
"""

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Sequence
from typing import Final

from cloudflare_sandbox import permission_groups
from cloudflare_sandbox.answers import Answer, Refusal
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import ACCOUNT_ID, ACCOUNT_NAME, State, Token, new_id
from cloudflare_sandbox.switches import Switches

KINDS: Final = {"user": "cfut_", "account": "cfat_", "oauth": "cfoat_"}
_SWITCHING: Final = ("/email/routing/enable", "/email/routing/disable", "/email/routing/unlock")
_WELL_FORMED: Final = re.compile(r"Bearer [A-Za-z0-9_-]{40,}")
_LETTERS: Final = string.ascii_letters + string.digits


def mint(state: State, kind: str, permissions: Sequence[str], zones: str | Sequence[str]) -> str:
    """
    The secret of a new token. *zones* is "all" (of the account) or zone names.

    Raises ValueError for an unknown kind or permission.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    known = permission_groups.NAMES
    unknown = [name for name in permissions if name not in known]
    if unknown:
        raise ValueError(f"no such permission: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if isinstance(zones, str) and zones != "all":
        raise ValueError('zones is "all" or a list of zone names')
    body = "".join(secrets.choice(_LETTERS) for _ in range(40))
    secret = f"{KINDS[kind]}{body}{zlib.crc32(body.encode()):08x}"
    zone_names = None if isinstance(zones, str) else [name.lower() for name in zones]
    token = Token(new_id(), _digest(secret), kind, list(permissions), zone_names)
    token.blips_left = state.switches.fresh_token_blips
    state.tokens.append(token)
    return secret


def recognise(state: State, headers: dict[str, str]) -> Token | None:
    """The token of a call, None for an unknown one. Raises Refusal for missing or malformed headers."""
    authorization = headers.get("authorization")
    if authorization is None:
        if "x-auth-key" in headers or "x-auth-email" in headers:
            raise Refusal(403, 9103, "Unknown X-Auth-Key or X-Auth-Email", edge=True)
        raise Refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers", edge=True)
    if not _WELL_FORMED.fullmatch(authorization):
        chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
        raise Refusal(400, 6003, "Invalid request headers", chain=chain, edge=True)
    return find(state, authorization.removeprefix("Bearer "))


def find(state: State, secret: str) -> Token | None:
    digest = _digest(secret)
    return next((token for token in state.tokens if token.digest == digest and token.status == "active"), None)


def refuse_while_fresh(token: Token) -> None:
    """Refuse a token too new to be known everywhere at Cloudflare (alchemy's tests wait for seconds)."""
    if token.blips_left > 0:
        token.blips_left -= 1
        raise authentication_error()


def refuse_kind(token: Token, method: str, pattern: str, switches: Switches) -> None:
    """
    Refuse what the kind of a token cannot do, whatever its permissions.

    Account-owned ones: Email Routing (open-connector PR 165 and mailflare, 2026). Wrangler's OAuth ones: DNS
    records and switching Email Routing off by DELETE (mailda, measured 2026); formerly also switching it on.
    """
    is_routing = "/email/routing" in pattern
    if token.kind == "account" and is_routing and not switches.account_tokens_may_route_email:
        raise authentication_error()
    if token.kind != "oauth":
        return
    if "/dns_records" in pattern or (method == "DELETE" and pattern.endswith("/email/routing/dns")):
        raise authentication_error()
    if pattern.endswith(_SWITCHING) and not switches.oauth_tokens_may_enable:
        raise not_allowed(method, token)


def not_allowed(method: str, token: Token | None) -> Refusal:
    """405, recorded for an OAuth token (alchemy PR 314, June 2025); for the other kinds by analogy."""
    scheme = "oauth_token" if token is not None and token.kind == "oauth" else "api_token"
    return Refusal(405, 10000, f"{method} method not allowed for the {scheme} authentication scheme", edge=True)


def authentication_error() -> Refusal:
    """The one answer for an unknown token, a missing permission, and a zone outside the token's resources."""
    return Refusal(403, 10000, "Authentication error", edge=True)


def unknown_token(pattern: str) -> Refusal:
    """The refusal of an unknown token, which only the verification of tokens calls invalid."""
    return invalid_token() if pattern.endswith("/tokens/verify") else authentication_error()


def invalid_token() -> Refusal:
    return Refusal(401, 1000, "Invalid API Token", edge=True)


def verify_user_token(call: Call) -> Answer:
    """
    An account-owned token is "invalid" here although it is not (mailflare and kafuno notes, 2026).

    So is an OAuth one; that is inferred.
    """
    return _verified(call.token, "user")


def verify_account_token(call: Call) -> Answer:
    """A user's token is refused here likewise; that direction is inferred, not measured."""
    return _verified(call.token, "account")


def account(call: Call) -> Answer:
    """The account. Any valid token may read it: which permission it needs was not measured."""
    return Answer({"id": call.parts["account_id"], "name": ACCOUNT_NAME, "type": "standard", "settings": {}})


def refuse_foreign_account(account_id: str | None) -> None:
    """Refuse (403, 9109) any account but the one of the sandbox; None is a path without an account."""
    if account_id not in (None, ACCOUNT_ID):
        raise Refusal(403, 9109, "Unauthorized to access requested resource", edge=True)


def _verified(token: Token, kind: str) -> Answer:
    if token.kind != kind:
        raise invalid_token()
    message = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    return Answer({"id": token.id, "status": token.status}, messages=[message])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
