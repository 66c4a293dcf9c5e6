"""`/health`, `/api/version` and `/api/meta`: what anybody may know."""

from typing import Any, Final

from litestar import Request, get
from litestar.datastructures import State

from kaisoumail.api.authenticate import find_viewer
from kaisoumail.model.address import LOCAL_PART_PATTERN, SUBDOMAIN_PATTERN
from kaisoumail.model.clock import iso
from kaisoumail.model.mailbox import MAX_TTL_MINUTES, MIN_TTL_MINUTES
from kaisoumail.operations.context import Context
from kaisoumail.operations.meta import check_health, read_meta

_EXAMPLES: Final = ("ava-lin@desk.hub.", "hello@ops.alpha.")


@get("/health")
async def health(context: Context) -> dict[str, Any]:
    await check_health(context)
    return {"ok": True}


@get("/api/version")
async def version(state: State) -> dict[str, str]:
    release: dict[str, str] = state["release"]
    return release


@get("/api/meta")
async def meta(request: "Request[Any, Any, Any]", context: Context) -> dict[str, Any]:
    known = await read_meta(context)
    may_know = context.names_domains or await find_viewer(request, context) is not None
    domains = known.domains if may_know else ()
    return {
        "domains": domains,
        "cloudflareDomainBindingEnabled": known.can_bind,
        "cloudflareDomainLifecycleEnabled": known.can_manage,
        "cloudflareCatchAllManagementEnabled": known.can_manage,
        "cloudflareCatchAllEnablementEnabled": known.can_enable_catch_all,
        "passkeyAuthEnabled": known.passkeys_enabled,
        "passkeyTrustedOrigins": known.trusted_origins,
        "supportsUnlimitedMailboxTtl": True,
        "defaultMailboxTtlMinutes": known.default_ttl_minutes,
        "minMailboxTtlMinutes": MIN_TTL_MINUTES,
        "maxMailboxTtlMinutes": MAX_TTL_MINUTES,
        "cloudflareVerified": known.verified and {"checkedAt": iso(known.verified.at), "ok": known.verified.ok},
        "addressRules": {
            "format": "localPart@subdomain.rootDomain",
            "localPartPattern": LOCAL_PART_PATTERN,
            "subdomainPattern": SUBDOMAIN_PATTERN,
            "examples": [prefix + domain for prefix, domain in zip(_EXAMPLES, domains, strict=False)],
        },
    }
