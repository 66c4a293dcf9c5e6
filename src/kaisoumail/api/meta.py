"""`/health`, `/readyz`, `/api/version`, `/api/meta` and `/api/openapi.json`: public information."""

from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State

from kaisoumail.api.shapes import Instant, Shape
from kaisoumail.http.authentication import find_viewer
from kaisoumail.model.address import LOCAL_PART_PATTERN, SUBDOMAIN_PATTERN
from kaisoumail.model.clock import iso
from kaisoumail.model.mailbox import MAX_TTL_MINUTES, MIN_TTL_MINUTES
from kaisoumail.operations.context import Context
from kaisoumail.operations.meta import check_health, read_meta
from kaisoumail.operations.readiness import Readiness

_EXAMPLES: Final = ("ava-lin@desk.hub.", "hello@ops.alpha.")


class HealthShape(Shape):
    ok: bool


class ReadyShape(Shape):
    ready: bool
    reasons: list[str]


class VersionShape(Shape):
    version: str
    commit_sha: str
    branch: str
    built_at: Instant


class CloudflareVerifiedShape(Shape):
    checked_at: Instant
    ok: bool


class AddressRulesShape(Shape):
    format: str
    local_part_pattern: str
    subdomain_pattern: str
    examples: list[str]


class MetaShape(Shape):
    domains: list[str]
    cloudflare_domain_binding_enabled: bool
    cloudflare_domain_lifecycle_enabled: bool
    cloudflare_catch_all_management_enabled: bool
    cloudflare_catch_all_enablement_enabled: bool
    passkey_auth_enabled: bool
    passkey_trusted_origins: list[str]
    supports_unlimited_mailbox_ttl: bool
    default_mailbox_ttl_minutes: int
    min_mailbox_ttl_minutes: int
    max_mailbox_ttl_minutes: int
    address_rules: AddressRulesShape
    # added to the contract
    cloudflare_verified: CloudflareVerifiedShape | None


@get("/health")
async def health(context: Context) -> HealthShape:
    await check_health(context)
    return HealthShape(ok=True)


@get("/readyz")
async def ready(state: State) -> ReadyShape:
    readiness: Readiness = state["readiness"]
    await readiness.check()
    return ReadyShape(ready=True, reasons=[])


@get("/api/version")
async def version(state: State) -> VersionShape:
    return msgspec.convert(state["release"], VersionShape)


@get("/api/openapi.json")
async def openapi(description: bytes) -> Response[bytes]:
    return Response(description, media_type="application/json")


@get("/api/meta")
async def meta(request: "Request[Any, Any, Any]", context: Context) -> MetaShape:
    """Public information; with META_NAMES_DOMAINS=false the domains are only in the answer to who is signed in."""
    known = await read_meta(context)
    shows_domains = context.policy.names_domains or await find_viewer(request, context) is not None
    domains = known.domains if shows_domains else ()
    verified = known.verified
    return MetaShape(
        domains=list(domains),
        cloudflare_domain_binding_enabled=known.can_bind,
        cloudflare_domain_lifecycle_enabled=known.can_manage,
        cloudflare_catch_all_management_enabled=False,  # there is no catch-all yet
        cloudflare_catch_all_enablement_enabled=False,
        passkey_auth_enabled=known.passkeys_enabled,
        passkey_trusted_origins=list(known.trusted_origins),
        supports_unlimited_mailbox_ttl=True,
        default_mailbox_ttl_minutes=known.default_ttl_minutes,
        min_mailbox_ttl_minutes=MIN_TTL_MINUTES,
        max_mailbox_ttl_minutes=MAX_TTL_MINUTES,
        address_rules=AddressRulesShape(
            format="localPart@subdomain.rootDomain",
            local_part_pattern=LOCAL_PART_PATTERN,
            subdomain_pattern=SUBDOMAIN_PATTERN,
            examples=[prefix + domain for prefix, domain in zip(_EXAMPLES, domains, strict=False)],
        ),
        cloudflare_verified=CloudflareVerifiedShape(checked_at=iso(verified.at), ok=verified.ok) if verified else None,
    )
