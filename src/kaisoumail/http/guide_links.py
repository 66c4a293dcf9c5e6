"""The section of the guide for each problem code: one table for the pages and the API."""

from typing import Final

from kaisoumail.errors import Problem
from kaisoumail.http.form_errors import details_of

_BIND: Final = "project-domain-binding"
_CATALOG: Final = "domain-catalog-enablement"

# code → (page, anchor). Anchors are the same in every language; a test checks each.
PLACES: Final[dict[str, tuple[str, str]]] = {
    # the name
    "not_a_domain": (_BIND, "bind-apex-only"),
    "not_an_apex": (_BIND, "bind-apex-only"),
    "subdomain_direct_bind_not_supported": (_BIND, "bind-apex-only"),
    # our configuration
    "management_disabled": (_BIND, "feature-enablement"),
    "account_id_missing": (_BIND, "missing-cloudflare-account-id"),
    "token_missing": (_BIND, "email-routing-runtime-config-missing"),
    "worker_name_missing": (_BIND, "email-routing-runtime-config-missing"),
    # the token
    "zone_create_permission_missing": (_BIND, "missing-zone-create-permission"),
    "zone_permission_missing": (_BIND, "missing-zone-binding-permission"),
    "dns_permission_missing": (_BIND, "missing-zone-binding-permission"),
    "worker_permission_missing": ("cloudflare-token-permissions", "permissions"),
    "account_not_reachable": (_BIND, "missing-zone-binding-permission"),
    "cloudflare_token_invalid": (_BIND, "missing-zone-binding-permission"),
    "email_routing_permission_missing": (_BIND, "email-routing-auth-or-permission-failure"),
    # the zone
    "cloudflare_zone_not_active": (_BIND, "zone-pending-or-nameserver-not-delegated"),
    "cloudflare_zone_exists": (_CATALOG, "bind-domain-in-cloudflare"),
    "cloudflare_foreign_mx": (_BIND, "foreign-mail-servers"),
    "cloudflare_foreign_rule": (_BIND, "foreign-routing-rule"),
    "cloudflare_quota_reached": (_BIND, "limit-reached"),
    "domain_full": (_BIND, "domain-full"),
    "zone_gone": (_BIND, "zone-gone"),
    "zone_moved": (_BIND, "zone-moved"),
    "zone_not_in_cloudflare": (_CATALOG, "catalog-zone-not-visible"),
    "zone_id_missing": (_CATALOG, "provisioning-error-after-enable"),
    # Cloudflare itself
    "cloudflare_rate_limited": (_BIND, "slow-down"),
    "cloudflare_unreachable": (_BIND, "generic-bind-failure"),
    "cloudflare_unreadable": (_BIND, "generic-bind-failure"),
    "cloudflare_rejected": (_BIND, "generic-bind-failure"),
    "still_working": (_BIND, "bind-domain-from-project"),
    # the domain here
    "domain_exists": (_CATALOG, "zone-already-exists-in-project"),
    "domain_disabled": (_CATALOG, "enable-zone-in-project"),
    "domain_not_found": ("domain-onboarding", "states"),
    "domain_in_use": ("faq", "cannot-delete"),
    "domain_not_ours_to_delete": ("faq", "cannot-delete"),
    "name_not_typed": ("faq", "cannot-delete"),
}


def kind_of(problem: Problem) -> str:
    """The key of *problem* in `PLACES`: its code, but `not_a_domain` for an invalid domain name in a request."""
    fields = details_of(problem).get("fieldErrors")
    is_about_name = problem.code == "invalid_request" and isinstance(fields, dict) and "mailDomain" in fields
    return "not_a_domain" if is_about_name else problem.code


def guide_path(problem: Problem) -> str | None:
    """The path of the guide section on *problem*, such as `/docs/faq#cannot-delete`; None where there is none."""
    place = PLACES.get(kind_of(problem))
    return None if place is None else "/docs/{}#{}".format(*place)
