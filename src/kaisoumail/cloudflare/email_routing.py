"""
Email Routing: `/zones/:id/email/routing`. Reference: developers.cloudflare.com/api, Email Routing.

`POST …/enable` is marked deprecated yet is what Cloudflare's own Wrangler sends (August 2026), and it
needs a JSON body; `PATCH … {"enabled": true}` answers success and does nothing.
"""

from typing import Any

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.errors import Answer, DuplicateRule, NotFound, Unreadable


async def enable(cloudflare: Cloudflare, zone_id: str) -> None:
    """Switch Email Routing on for the apex; fine if it is on. Raises ZoneNotActive, ForeignMx, MissingPermission."""
    await cloudflare.call("POST", f"/zones/{zone_id}/email/routing/enable", body={})


async def enable_subdomain(cloudflare: Cloudflare, zone_id: str, host: str) -> None:
    """Have Cloudflare make *host* (a full name under the zone) receive mail; fine if it does."""
    await cloudflare.call("POST", f"/zones/{zone_id}/email/routing/dns", body={"name": host})


async def ensure_rule(cloudflare: Cloudflare, zone_id: str, address: str, worker: str) -> str:
    """
    The id of the routing rule that hands mail for *address* to *worker*: a new one, or the one there is.

    Cloudflare allows one rule per literal address (2014), so a rule whose creation we never heard the
    answer of is found again instead of being doubled.
    """
    path = f"/zones/{zone_id}/email/routing/rules"
    rule = {
        "name": f"Mailbox {address}",
        "enabled": True,
        "matchers": [{"field": "to", "type": "literal", "value": address}],
        "actions": [{"type": "worker", "value": [worker]}],
    }
    try:
        return _id_of(await cloudflare.call("POST", path, body=rule), path)
    except DuplicateRule:
        existing = await _rule_for(cloudflare, path, address)
        if existing is None:
            raise
    # It may point to another Worker, or be switched off: a rule is replaced whole (there is no PATCH).
    rule_id = _id_of(existing, path)
    await cloudflare.call("PUT", f"{path}/{rule_id}", body=rule)
    return rule_id


async def delete_rule(cloudflare: Cloudflare, zone_id: str, rule_id: str) -> None:
    """Remove a routing rule; one that is gone is fine."""
    try:
        await cloudflare.call("DELETE", f"/zones/{zone_id}/email/routing/rules/{rule_id}")
    except NotFound:
        return


async def _rule_for(cloudflare: Cloudflare, path: str, address: str) -> Any | None:
    wanted = address.lower()
    for rule in await cloudflare.pages(path):
        for matcher in rule.get("matchers") or ():
            if matcher.get("type") == "literal" and str(matcher.get("value", "")).lower() == wanted:
                return rule
    return None


def _id_of(rule: Any, path: str) -> str:
    if isinstance(rule, dict) and isinstance(rule.get("id"), str):
        return str(rule["id"])
    raise Unreadable(Answer("POST", path, 200, message="a rule without an id"))
