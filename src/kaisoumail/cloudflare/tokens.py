"""
The permissions of a token.

Cloudflare has no route that lists them, so each is probed by a harmless call: with the permission it is refused for
another reason, or has no effect.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from msgspec import Struct

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.envelope import UNUSED, Row
from kaisoumail.cloudflare.errors import (
    DNS,
    RULES,
    SETTINGS,
    ZONE,
    BadToken,
    CloudflareError,
    MissingPermission,
    RateLimited,
    RequestRejected,
)
from kaisoumail.model.domain import Zone

_NOTHING: Final = "0" * 32  # has the form of an id, but nothing has it

Kind = Literal["user", "account"]


class _Token(Struct):
    status: str


@dataclass(frozen=True, slots=True)
class Probe:
    """One permission, whether the token has it, and for which zone (None for the account)."""

    permission: str
    zone: str | None
    granted: bool
    refusal: str | None = None


async def kind_of(cloudflare: Cloudflare, account_id: str | None) -> Kind:
    """
    Whether a user or the account owns the token. Raises BadToken when it is invalid for both.

    The route for users reports a valid token of an account as "invalid".
    """
    try:
        await cloudflare.call("GET", "/user/tokens/verify", _Token)
    except BadToken:
        if account_id is None:
            raise
        await cloudflare.call("GET", f"/accounts/{account_id}/tokens/verify", _Token)
        return "account"
    return "user"


async def read_account(cloudflare: Cloudflare, account_id: str) -> None:
    """Raises the CloudflareError with the reason why the account cannot be read."""
    await cloudflare.call("GET", f"/accounts/{account_id}", Row)


async def may_create_zones(cloudflare: Cloudflare, account_id: str) -> Probe:
    """An impossible name is refused for the name (1099) if the token has the permission, otherwise with code 0."""
    body = {"name": "invalid", "account": {"id": account_id}, "type": "full"}
    return await _probe(ZONE, None, lambda: cloudflare.call("POST", "/zones", UNUSED, body=body))


async def probes_of(cloudflare: Cloudflare, zone: Zone) -> list[Probe]:
    """The permissions of the token for *zone*, probed by calls that change nothing."""
    routing = f"/zones/{zone.id}/email/routing"
    return [
        # An empty change; `enabled` is documented to have no effect through this route.
        await _probe(SETTINGS, zone, lambda: cloudflare.call("PATCH", routing, UNUSED, body={})),
        await _probe(RULES, zone, lambda: cloudflare.call("DELETE", f"{routing}/rules/{_NOTHING}", UNUSED)),
        await _probe(DNS, zone, lambda: cloudflare.call("DELETE", f"/zones/{zone.id}/dns_records/{_NOTHING}", UNUSED)),
    ]


async def _probe(permission: str, zone: Zone | None, call: Callable[[], Awaitable[object]]) -> Probe:
    name = zone.name if zone else None
    try:
        await call()
    except MissingPermission as error:
        return Probe(permission, name, granted=False, refusal=str(error))
    except RequestRejected:
        return Probe(permission, name, granted=True)
    except (RateLimited, BadToken):
        raise
    except CloudflareError as error:
        return Probe(permission, name, granted=False, refusal=str(error))
    return Probe(permission, name, granted=True)
