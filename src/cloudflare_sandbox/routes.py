"""Every path the pretend Cloudflare answers: method, pattern, permission needed, function."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from cloudflare_sandbox import (
    account_routing,
    ai,
    destinations,
    dns,
    dns_batch,
    email_routing,
    email_sending,
    permission_groups,
    routing_rules,
    tokens,
    worker_scripts,
    zones,
)
from cloudflare_sandbox.answers import Answer, HttpAnswer, Product, Refusal
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import Token
from cloudflare_sandbox.switches import Switches

_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Route:
    """One line of the table. *permission* None: any valid token is enough. *is_form*: the body is not JSON."""

    method: str
    pattern: str
    permission: str | None
    function: Callable[[Call], Answer | HttpAnswer]
    product: Product
    is_form: bool = False

    def parts(self, path: str) -> dict[str, str] | None:
        """The parts of *path* where the pattern has `{name}`; None when it is another path."""
        patterns, parts = self.pattern.split("/"), path.split("/")
        if len(patterns) != len(parts):
            return None
        pairs = list(zip(patterns, parts, strict=True))
        if any(not pattern.startswith("{") and pattern != part for pattern, part in pairs):
            return None
        return {pattern.strip("{}"): part for pattern, part in pairs if pattern.startswith("{")}


def _table() -> Iterator[Route]:
    """Permissions: API reference, "Accepted Permissions" (September 2026)."""
    for method, path, permission, function in (
        ("GET", "/user/tokens/verify", None, tokens.verify_user_token),
        ("GET", "/accounts/{account_id}/tokens/verify", None, tokens.verify_account_token),
    ):
        yield Route(method, path, permission, function, Product.TOKENS)
    for method, path, permission, function in (
        ("GET", "/user/tokens/permission_groups", None, permission_groups.list_users_groups),
        ("GET", "/accounts/{account_id}/tokens/permission_groups", None, permission_groups.list_accounts_groups),
    ):
        yield Route(method, path, permission, function, Product.TOKENS)
    for method, path, permission, function in (
        ("GET", "/accounts/{account_id}", None, tokens.account),
        ("GET", "/zones", "Zone Read", zones.list_zones),
        ("POST", "/zones", None, zones.create_zone),  # its own refusal: 403 with code 0
        ("GET", "/zones/{zone_id}", "Zone Read", zones.read_zone),
        ("DELETE", "/zones/{zone_id}", "Zone Write", zones.delete_zone),
        ("PUT", "/zones/{zone_id}/activation_check", "Zone Write", zones.check_activation),
    ):
        yield Route(method, path, permission, function, Product.ZONES)
    for method, path, permission, function in (
        ("GET", "", "DNS Read", dns.list_records),
        ("POST", "", "DNS Write", dns.create_record),
        ("POST", "/batch", "DNS Write", dns_batch.change_records),
        ("GET", "/{record_id}", "DNS Read", dns.read_record),
        ("PUT", "/{record_id}", "DNS Write", dns.replace_record),
        ("PATCH", "/{record_id}", "DNS Write", dns.patch_record),
        ("DELETE", "/{record_id}", "DNS Write", dns.delete_record),
    ):
        yield Route(method, f"/zones/{{zone_id}}/dns_records{path}", permission, function, Product.DNS)
    for method, path, permission, function in (
        ("GET", "", "Zone Settings Read", email_routing.settings),
        ("PATCH", "", "Zone Settings Write", email_routing.patch_settings),
        ("PUT", "", "Zone Settings Write", email_routing.patch_settings),
        ("POST", "/enable", "Zone Settings Write", email_routing.enable),
        ("POST", "/disable", "Zone Settings Write", email_routing.disable),
        ("POST", "/unlock", "Zone Settings Write", email_routing.unlock),
        ("GET", "/dns", "Zone Settings Read", email_routing.required_records),
        ("POST", "/dns", "Zone Settings Write", email_routing.enable_name),
        ("PATCH", "/dns", "Zone Settings Write", email_routing.unlock),
        ("DELETE", "/dns", "Zone Settings Write", email_routing.disable),
        ("GET", "/rules", "Email Routing Rules Read", routing_rules.list_rules),
        ("POST", "/rules", "Email Routing Rules Write", routing_rules.create_rule),
        ("GET", "/rules/catch_all", "Email Routing Rules Read", routing_rules.read_catch_all),
        ("PUT", "/rules/catch_all", "Email Routing Rules Write", routing_rules.replace_catch_all),
        ("GET", "/rules/{rule_id}", "Email Routing Rules Read", routing_rules.read_rule),
        ("PUT", "/rules/{rule_id}", "Email Routing Rules Write", routing_rules.replace_rule),
        ("DELETE", "/rules/{rule_id}", "Email Routing Rules Write", routing_rules.delete_rule),
    ):
        yield Route(method, f"/zones/{{zone_id}}/email/routing{path}", permission, function, Product.EMAIL_ROUTING)
    for method, path, permission, function in (
        ("GET", "/rules", "Email Routing Rules Read", account_routing.list_rules),
        ("GET", "/zones", "Zone Settings Read", account_routing.list_zones),
        ("GET", "/addresses", "Email Routing Addresses Read", destinations.list_destinations),
        ("POST", "/addresses", "Email Routing Addresses Write", destinations.create_destination),
        ("GET", "/addresses/{address_id}", "Email Routing Addresses Read", destinations.read_destination),
        ("DELETE", "/addresses/{address_id}", "Email Routing Addresses Write", destinations.delete_destination),
    ):
        yield Route(
            method, f"/accounts/{{account_id}}/email/routing{path}", permission, function, Product.EMAIL_ROUTING
        )
    for method, function in (("GET", email_sending.list_subdomains), ("POST", email_sending.create_subdomain)):
        # Their own refusal: 401 with code 2036.
        yield Route(method, "/zones/{zone_id}/email/sending/subdomains", None, function, Product.EMAIL_ROUTING)

    scripts = "/accounts/{account_id}/workers/scripts"
    for method, path, permission, worker_function in (
        ("GET", scripts, "Workers Scripts Read", worker_scripts.list_scripts),
        ("PUT", f"{scripts}/{{script_name}}", "Workers Scripts Write", worker_scripts.upload),
        ("GET", f"{scripts}/{{script_name}}", "Workers Scripts Read", worker_scripts.source),
        ("DELETE", f"{scripts}/{{script_name}}", "Workers Scripts Write", worker_scripts.delete_script),
        ("GET", f"{scripts}/{{script_name}}/settings", "Workers Scripts Read", worker_scripts.settings),
    ):
        yield Route(method, path, permission, worker_function, Product.WORKERS, is_form=method == "PUT")
    models = "/accounts/{account_id}/ai/run/{origin}/{author}/{model}"
    yield Route("POST", models, "Workers AI Read", ai.run, Product.WORKERS)


ROUTES: Final = tuple(_table())


def route_for(method: str, path: str, switches: Switches, token: Token | None) -> tuple[Route, dict[str, str]]:
    """
    The route of a call, and the named parts of its path.

    Raises Refusal: 404 for an unknown path (mailda, measured), 400 for an identifier of the wrong shape
    (hampel/cloudflare-api, measured), 405 for a method the path does not have.
    """
    has_path = False
    for route in ROUTES:
        parts = route.parts(path)
        if parts is None:
            continue
        has_path = True
        if route.method == method:
            if not all(_ID.fullmatch(part) for name, part in parts.items() if name.endswith("_id")):
                raise _no_route(switches.malformed_id_status, path)
            return route, parts
    if has_path:
        raise tokens.not_allowed(method, token)
    raise _no_route(switches.unknown_route_status, path)


def _no_route(status: int, path: str) -> Refusal:
    message = f"Could not route to {path}, perhaps your object identifier is invalid?"
    return Refusal(status, 7003, message, more=[{"code": 7000, "message": "No route for that URI"}], edge=True)
