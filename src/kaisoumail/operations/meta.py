"""The public description of this installation, and the health of its database."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import text

from kaisoumail.auth.relying_party import find_relying_party
from kaisoumail.storage.tables import domains, key_values
from kaisoumail.workflows.context import Context

VERIFIED: Final = "cloudflare_verified"


@dataclass(frozen=True, slots=True)
class TokenVerification:
    """When the token was last checked at Cloudflare, and whether it had every permission it needs."""

    at: datetime
    ok: bool


@dataclass(frozen=True, slots=True)
class Meta:
    """The flags show what is configured, *verified* the last check of the token, None if there was none."""

    domains: tuple[str, ...]
    can_manage: bool
    can_bind: bool
    default_ttl_minutes: int
    trusted_origins: tuple[str, ...]
    passkeys_enabled: bool
    verified: TokenVerification | None


async def read_meta(context: Context) -> Meta:
    """The active domains and what is configured."""
    active = await context.database.read(domains.active)
    known = await context.database.read(partial(key_values.find, key=VERIFIED))
    routing = context.cloudflare
    return Meta(
        domains=tuple(domain.root_domain for domain in active),
        can_manage=routing.can_manage,
        can_bind=routing.can_bind,
        default_ttl_minutes=context.policy.limits.default_ttl_minutes,
        trusted_origins=context.policy.trusted_origins,
        passkeys_enabled=find_relying_party(context.policy.trusted_origins) is not None,
        verified=TokenVerification(known[1], bool(known[0]["ok"])) if known else None,
    )


async def check_health(context: Context) -> None:
    """Raises Problem `storage_unavailable` when the database does not answer."""
    await context.database.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
