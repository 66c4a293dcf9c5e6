"""
Zones: `/zones`. Shape recorded by dns-lexicon (August 2025); errors from Cloudflare's page "Cannot add
domain" and from projects that quote them (tezos-on-gke issue 3 for 1061).
"""

import base64
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import tldextract

from cloudflare_sandbox import zone_refusals
from cloudflare_sandbox.answers import Answer, Refusal, page_of
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import (
    ACCOUNT_ID,
    ACCOUNT_NAME,
    EmailRouting,
    Rule,
    State,
    Token,
    Zone,
    new_id,
    timestamp,
)

CATCH_ALL_PRIORITY: Final = 2147483647  # measured twice: mailda, cloudflare-axi (2026)
_CHECK_INTERVAL: Final = timedelta(hours=1)  # Free plan; SDK docstring of activation_check
_NAME_SERVERS: Final = (("blakely", "vin"), ("dana", "sid"), ("gina", "roan"), ("ivy", "tate"))
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?")
_NOT_TLD: Final = f"{zone_refusals.ROOT_ONLY} a TLD (e.g., example.com, not .com)"
_PLAN: Final = {
    "id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
    "name": "Free Website",
    "price": 0,
    "currency": "USD",
    "frequency": "",
    "is_subscribed": False,
    "can_subscribe": False,
    "legacy_id": "free",
    "legacy_discount": False,
    "externally_managed": False,
}
_suffixes: Final = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)

_NAME_FILTERS: Final[dict[str, Callable[[str, str], bool]]] = {
    "equal": lambda name, value: name == value,
    "not_equal": lambda name, value: name != value,
    "contains": lambda name, value: value in name,
    "starts_with": lambda name, value: name.startswith(value),
    "ends_with": lambda name, value: name.endswith(value),
}


def list_zones(call: Call) -> Answer:
    """The zones that the token sees; an unknown parameter is ignored (hampel/cloudflare-api, measured)."""
    query = call.query
    operator, _, value = query.get("name", "").lower().rpartition(":")
    fits = _NAME_FILTERS.get(operator or "equal", _NAME_FILTERS["equal"])
    found = [
        zone
        for zone in call.state.zones
        if call.token.sees(zone.name)
        and (not value or fits(zone.name, value))
        and query.get("status") in (None, "", zone.status)
        and query.get("account.id") in (None, "", ACCOUNT_ID)
    ]
    order = query.get("order")
    if order in ("name", "status"):
        found.sort(key=lambda zone: zone.name if order == "name" else zone.status)
    if query.get("direction") == "desc":
        found.reverse()
    page = page_of(found, query, per_page=20, largest=call.largest_page)
    return Answer([_shown(zone, call) for zone in page.result], page.result_info)


def create_zone(call: Call) -> Answer:
    """A pending zone with its two name servers, which this first answer already has."""
    _refuse_unless_allowed(call)
    value = call.fields.get("name")
    name = value.strip().lower().rstrip(".") if isinstance(value, str) else ""
    zone_refusals.refuse_if_listed(name, call.state.switches)
    _refuse_unless_root(name)
    if call.state.find_zone_named(name) is not None:
        raise Refusal(400, 1061, f"{name} already exists")
    pending = sum(zone.status == "pending" for zone in call.state.zones)
    zone_refusals.refuse_if_too_many(name, pending, call.state.switches)
    zone = _new_zone(call.state, name, timestamp(call.now()))
    call.state.zones.append(zone)
    return Answer(_shown(zone, call))


def read_zone(call: Call) -> Answer:
    return Answer(_shown(call.zone, call))


def delete_zone(call: Call) -> Answer:
    """Deletes its records, rules and settings too; added again, the name starts as pending."""
    call.state.zones.remove(call.zone)
    return Answer({"id": call.zone.id})


def check_activation(call: Call) -> Answer:
    """Only queues a check, once per hour on the Free plan; it does not activate the zone."""
    now, last = call.now(), call.zone.checked_at
    if last is not None and now - last < _CHECK_INTERVAL:
        status = call.state.switches.activation_check_too_soon_status
        raise Refusal(status, 1224, "You may only perform this action once per hour.")
    call.zone.checked_at = now
    return Answer({"id": call.zone.id})


def delegate(zone: Zone, now: str) -> None:
    """The registrar has set the assigned name servers, and Cloudflare has detected it."""
    zone.status = "active"
    zone.activated_on = zone.activated_on or now
    zone.modified_on = now


def _shown(zone: Zone, call: Call) -> dict[str, Any]:
    """The zone as the API shows it; its `permissions` depend on the token."""
    is_ours = zone.name in call.state.switches.names_registered_at_cloudflare
    return {
        "id": zone.id,
        "name": zone.name,
        "status": zone.status,
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": zone.name_servers,
        "original_name_servers": None if is_ours else ["ns1.registrar.example", "ns2.registrar.example"],
        "original_registrar": None,
        "original_dnshost": None,
        "modified_on": zone.modified_on,
        "created_on": zone.created_on,
        "activated_on": zone.activated_on,
        "vanity_name_servers": [],
        "vanity_name_servers_ips": None,
        "meta": {
            "step": 4 if zone.status == "active" else 2,
            "custom_certificate_quota": 0,
            "page_rule_quota": 3,
            "phishing_detected": False,
        },
        "owner": {"id": None, "type": "user", "email": None},
        "account": {"id": ACCOUNT_ID, "name": ACCOUNT_NAME},
        "tenant": {"id": None, "name": None},
        "tenant_unit": {"id": None},
        "permissions": _legacy_permissions(call.token),
        "plan": _PLAN,
    }


def _legacy_permissions(token: Token) -> list[str]:
    names = {"DNS Write": "#dns_records:edit", "DNS Read": "#dns_records:read"}
    names |= {"Zone Write": "#zone:edit", "Zone Read": "#zone:read"}
    return [legacy for permission, legacy in names.items() if token.may(permission)]


def _refuse_unless_allowed(call: Call) -> None:
    """Needs Zone Write on all zones of the account; a zone-scoped token gets this 403 with code 0."""
    token, account = call.token, call.fields.get("account")
    is_ours = not isinstance(account, dict) or account.get("id") in (None, ACCOUNT_ID)
    is_kind_allowed = token.kind == "user" or call.state.switches.account_tokens_may_create_zones
    if not (token.may("Zone Write") and token.zones is None and is_ours and is_kind_allowed):
        permission = "com.cloudflare.api.account.zone.create"
        raise Refusal(403, 0, f'Requires permission "{permission}" to create zones for the selected account')


def _refuse_unless_root(name: str) -> None:
    """
    Public suffixes get 1099, names below a registrable one 1116 (subdomain zones are for Enterprise).

    A last label that is in no list of suffixes, such as `.example` or `.test`, counts as a suffix of one label.
    """
    labels = name.split(".")
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise zone_refusals.refusal_of(name, "1099")
    suffix = _suffixes(name).suffix or labels[-1]
    below = len(labels) - len(suffix.split("."))
    if below < 1:
        again = {"code": 1099, "message": _NOT_TLD}
        raise Refusal(400, 1099, _NOT_TLD, more=[again])  # the report has it twice
    if below > 1:
        raise Refusal(400, 1116, zone_refusals.NOT_SUBDOMAIN)


def _new_zone(state: State, name: str, now: str) -> Zone:
    """A name added again gets another pair of name servers, so an old delegation does not activate it."""
    times = state.times_added.get(name, 0)
    state.times_added[name] = times + 1
    pair = _NAME_SERVERS[times % len(_NAME_SERVERS)]
    catch_all = Rule(new_id(), "", False, CATCH_ALL_PRIORITY, [{"type": "all"}], [{"type": "drop"}])
    # As long as the public half of a 2048 bit key; nothing here signs with it.
    dkim_key = base64.b64encode(secrets.token_bytes(294)).decode()
    routing = EmailRouting(new_id(), created=now, modified=now, catch_all=catch_all, dkim_key=dkim_key)
    servers = [f"{server}.ns.cloudflare.com" for server in pair]
    return Zone(new_id(), name, servers, created_on=now, modified_on=now, routing=routing)
