"""
Email Routing: `/zones/:id/email/routing`. Reference: developers.cloudflare.com/api, Email Routing.

`POST …/enable` is marked deprecated yet is what Cloudflare's own Wrangler sends (August 2026), and it
needs a JSON body; `PATCH … {"enabled": true}` answers with success and does nothing.
"""

from collections.abc import Collection, Iterable
from typing import Annotated, Final

from msgspec import Meta, Struct

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.envelope import UNUSED, Name, Row
from kaisoumail.cloudflare.errors import DuplicateRule, ForeignRule, NotFound, QuotaReached, RequestRejected, ZoneFull
from kaisoumail.mail_routing.capacity import HOSTS_PER_ZONE, RULES_PER_ZONE
from kaisoumail.mail_routing.observed import RULE_NAME, ObservedRouting, RoutingHost, RoutingRule

_MOST_HOSTS: Final = 1000  # a zone has at most 30
_RECEIVING: Final = ("ready", "unlocked")


class _Fault(Struct):
    code: str | int | None = None


class _Host(Struct):
    name: Name
    enabled: bool = True
    status: str | None = None


class _Settings(Struct):
    """*subdomains* is read by Cloudflare's own Terraform provider, and documented nowhere."""

    enabled: bool
    status: str | None = None
    subdomains: Annotated[list[_Host], Meta(max_length=_MOST_HOSTS)] | None = None
    errors: Annotated[list[_Fault], Meta(max_length=_MOST_HOSTS)] | None = None


class _RequiredRecords(Struct):
    """The answer of `GET …/dns?subdomain=`: without *records* for a host that was never switched on."""

    errors: Annotated[list[_Fault], Meta(max_length=_MOST_HOSTS)] | None = None
    records: list[Struct] | None = None


class _Matcher(Struct):
    type: str
    value: str | None = None

    def is_for(self, address: str) -> bool:
        return self.type == "literal" and self.value is not None and self.value.lower() == address.lower()


class _Action(Struct):
    type: str
    value: list[str] | None = None


class _Rule(Row):
    name: str | None = None
    enabled: bool = True
    matchers: list[_Matcher] | None = None
    actions: list[_Action] | None = None

    @property
    def is_catch_all(self) -> bool:
        return any(matcher.type == "all" for matcher in self.matchers or ())

    def rule(self) -> RoutingRule:
        literals = [
            matcher.value.lower() for matcher in self.matchers or () if matcher.type == "literal" and matcher.value
        ]
        workers = [action.value[0] for action in self.actions or () if action.type == "worker" and action.value]
        return RoutingRule(
            self.id, self.name or "", self.enabled, next(iter(literals), None), next(iter(workers), None)
        )


async def read_routing(cloudflare: Cloudflare, zone_id: str, hosts: Iterable[str]) -> ObservedRouting:
    """
    Email Routing of the zone: its settings, all pages of its rules, and why each of *hosts* that is not ready is not.

    Two calls for a zone of up to 49 rules where every host is ready; one more for each further 50 rules and for each
    host that is not.
    """
    settings = await cloudflare.call("GET", f"/zones/{zone_id}/email/routing", _Settings)
    listed = {host.name.lower(): host for host in settings.subdomains or ()}
    ready = [RoutingHost(name, is_enabled=True) for name, host in listed.items() if _is_receiving(host)]
    others = {name for name, host in listed.items() if not _is_receiving(host)} | (set(hosts) - listed.keys())
    asked = [await _read_host(cloudflare, zone_id, name) for name in sorted(others)]
    rules = await cloudflare.pages(f"/zones/{zone_id}/email/routing/rules", _Rule)
    return ObservedRouting(
        settings.enabled,
        settings.status or "unknown",
        tuple(sorted((*ready, *asked), key=lambda host: host.name)),
        tuple(rule.rule() for rule in rules if not rule.is_catch_all),
        _codes(settings.errors),
    )


def _is_receiving(host: _Host) -> bool:
    return host.enabled and host.status in _RECEIVING


async def _read_host(cloudflare: Cloudflare, zone_id: str, name: str) -> RoutingHost:
    query = {"subdomain": name}
    found = await cloudflare.call("GET", f"/zones/{zone_id}/email/routing/dns", _RequiredRecords, query=query)
    return RoutingHost(name, found.records is not None, _codes(found.errors))


def _codes(faults: Collection[_Fault] | None) -> tuple[str, ...]:
    return tuple(sorted({str(fault.code) for fault in faults or () if fault.code is not None}))


async def enable(cloudflare: Cloudflare, zone_id: str) -> None:
    """Switch Email Routing on for the apex, if it is off. Raises ZoneNotActive, ForeignMx, MissingPermission."""
    await cloudflare.call("POST", f"/zones/{zone_id}/email/routing/enable", _Settings, body={})


async def enable_subdomain(cloudflare: Cloudflare, zone_id: str, host: str) -> None:
    """
    Make *host* (a full name under the zone) receive messages; no error if it does already.

    Raises ZoneFull when it is refused and the zone has as many hosts as Cloudflare allows: the code for that is not
    documented, so they are counted.
    """
    try:
        await cloudflare.call("POST", f"/zones/{zone_id}/email/routing/dns", _Settings, body={"name": host})
    except RequestRejected as error:
        if not _may_mean_full(error):
            raise
        settings = await cloudflare.call("GET", f"/zones/{zone_id}/email/routing", _Settings)
        if len(settings.subdomains or ()) + 1 < HOSTS_PER_ZONE:
            raise
        raise ZoneFull(error.answer) from None


async def is_subdomain_enabled(cloudflare: Cloudflare, zone_id: str, host: str) -> bool:
    """Whether Email Routing is on for *host*."""
    return (await _read_host(cloudflare, zone_id, host)).is_enabled


async def disable_subdomain(cloudflare: Cloudflare, zone_id: str, host: str) -> None:
    """
    Take *host* out of Email Routing, with the mail records that Email Routing added for it; no error if it is not in.

    By name, as Cloudflare's own Terraform provider does (`DELETE …/dns` takes no name there).
    """
    try:
        await cloudflare.call("POST", f"/zones/{zone_id}/email/routing/disable", UNUSED, body={"name": host})
    except NotFound:
        return


async def has_rule(cloudflare: Cloudflare, zone_id: str, rule_id: str, address: str, worker: str) -> bool:
    """Whether the rule *rule_id* exists and routes *address* to *worker*."""
    try:
        found = await cloudflare.call("GET", f"/zones/{zone_id}/email/routing/rules/{rule_id}", _Rule)
    except NotFound:
        return False
    rule = found.rule()
    return rule.address == address.lower() and rule.routes_to(worker)


async def ensure_rule(cloudflare: Cloudflare, zone_id: str, address: str, worker: str) -> str | None:
    """
    The id of our routing rule that routes messages for *address* to *worker*: a new one or the existing one.

    None if a rule of others routes them there. Cloudflare allows one rule per literal address (2014), so a rule whose
    creation was not answered is found again instead of being created twice. Raises ForeignRule, and changes nothing,
    if a rule of others routes the address elsewhere, and ZoneFull when the zone has as many rules as Cloudflare allows:
    the code for that is not documented, so they are counted.
    """
    path = f"/zones/{zone_id}/email/routing/rules"
    rule = {
        "name": RULE_NAME.format(address=address),
        "enabled": True,
        "matchers": [{"field": "to", "type": "literal", "value": address}],
        "actions": [{"type": "worker", "value": [worker]}],
    }
    try:
        return (await cloudflare.call("POST", path, Row, body=rule)).id
    except DuplicateRule as error:
        found = await _rule_for(cloudflare, path, address)
        if found is None:
            raise
        existing, refusal = found.rule(), ForeignRule(error.answer)
    except RequestRejected as error:
        if _may_mean_full(error) and await _has_all_rules(cloudflare, path):
            raise ZoneFull(error.answer) from None
        raise
    if existing.has_our_name:
        # It may target another Worker or be switched off: replace the whole rule (there is no PATCH).
        if not existing.routes_to(worker):
            await cloudflare.call("PUT", f"{path}/{existing.id}", UNUSED, body=rule)
        return existing.id
    if existing.routes_to(worker):
        return None
    raise refusal


async def delete_rule(cloudflare: Cloudflare, zone_id: str, rule_id: str) -> None:
    """Remove a routing rule; no error if it is gone already."""
    try:
        await cloudflare.call("DELETE", f"/zones/{zone_id}/email/routing/rules/{rule_id}", UNUSED)
    except NotFound:
        return


async def delete_rule_for(cloudflare: Cloudflare, zone_id: str, address: str) -> None:
    """Remove our routing rule for *address*, whatever its id; no error if there is none. A rule of others stays."""
    rule = await _rule_for(cloudflare, f"/zones/{zone_id}/email/routing/rules", address)
    if rule is not None and rule.rule().has_our_name:
        await delete_rule(cloudflare, zone_id, rule.id)


def _may_mean_full(error: RequestRejected) -> bool:
    """Whether the refusal has no meaning of its own that is known."""
    return type(error) in (RequestRejected, QuotaReached)


async def _has_all_rules(cloudflare: Cloudflare, path: str) -> bool:
    rules = await cloudflare.pages(path, _Rule)
    return sum(not rule.is_catch_all for rule in rules) >= RULES_PER_ZONE


async def _rule_for(cloudflare: Cloudflare, path: str, address: str) -> _Rule | None:
    rules = await cloudflare.pages(path, _Rule)
    return next((rule for rule in rules if any(matcher.is_for(address) for matcher in rule.matchers or ())), None)
