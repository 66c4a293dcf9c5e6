"""
Email Routing: `/zones/:id/email/routing`. Reference: developers.cloudflare.com/api, Email Routing.

`POST …/enable` is marked deprecated yet is what Cloudflare's own Wrangler sends (August 2026), and it
needs a JSON body; `PATCH … {"enabled": true}` answers with success and does nothing.
"""

from msgspec import Struct

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.envelope import UNUSED, Row
from kaisoumail.cloudflare.errors import DuplicateRule, NotFound


class _Settings(Struct):
    enabled: bool


class _Matcher(Struct):
    type: str
    value: str | None = None

    def is_for(self, address: str) -> bool:
        return self.type == "literal" and self.value is not None and self.value.lower() == address.lower()


class _Rule(Row):
    matchers: list[_Matcher] | None = None


async def enable(cloudflare: Cloudflare, zone_id: str) -> None:
    """Switch Email Routing on for the apex, if it is off. Raises ZoneNotActive, ForeignMx, MissingPermission."""
    await cloudflare.call("POST", f"/zones/{zone_id}/email/routing/enable", _Settings, body={})


async def enable_subdomain(cloudflare: Cloudflare, zone_id: str, host: str) -> None:
    """Make *host* (a full name under the zone) receive messages; no error if it does already."""
    await cloudflare.call("POST", f"/zones/{zone_id}/email/routing/dns", _Settings, body={"name": host})


async def ensure_rule(cloudflare: Cloudflare, zone_id: str, address: str, worker: str) -> str:
    """
    The id of the routing rule that routes messages for *address* to *worker*: a new or the existing one.

    Cloudflare allows one rule per literal address (2014), so a rule whose creation was not answered is found again
    instead of being created twice.
    """
    path = f"/zones/{zone_id}/email/routing/rules"
    rule = {
        "name": f"Mailbox {address}",
        "enabled": True,
        "matchers": [{"field": "to", "type": "literal", "value": address}],
        "actions": [{"type": "worker", "value": [worker]}],
    }
    try:
        return (await cloudflare.call("POST", path, Row, body=rule)).id
    except DuplicateRule:
        existing = await _rule_for(cloudflare, path, address)
        if existing is None:
            raise
    # It may target another Worker or be switched off: replace the whole rule (there is no PATCH).
    await cloudflare.call("PUT", f"{path}/{existing.id}", UNUSED, body=rule)
    return existing.id


async def delete_rule(cloudflare: Cloudflare, zone_id: str, rule_id: str) -> None:
    """Remove a routing rule; no error if it is gone already."""
    try:
        await cloudflare.call("DELETE", f"/zones/{zone_id}/email/routing/rules/{rule_id}", UNUSED)
    except NotFound:
        return


async def delete_rule_for(cloudflare: Cloudflare, zone_id: str, address: str) -> None:
    """Remove the routing rule for *address*, whatever its id; no error if there is none."""
    rule = await _rule_for(cloudflare, f"/zones/{zone_id}/email/routing/rules", address)
    if rule is not None:
        await delete_rule(cloudflare, zone_id, rule.id)


async def _rule_for(cloudflare: Cloudflare, path: str, address: str) -> _Rule | None:
    rules = await cloudflare.pages(path, _Rule)
    return next((rule for rule in rules if any(matcher.is_for(address) for matcher in rule.matchers or ())), None)
