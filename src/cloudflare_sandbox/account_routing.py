"""
Email Routing across an account: its rules and its zones in one list each.

`/accounts/:id/email/routing/rules` from the API reference, `…/zones` from Wrangler's client (August 2026), which
reads settings objects there. Only zones that the token sees are listed; that is inferred.
"""

from cloudflare_sandbox import email_routing, routing_rules
from cloudflare_sandbox.answers import Answer, page_of
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import Zone


def list_rules(call: Call) -> Answer:
    """Every rule with its zone, catch-alls included."""
    rows = [
        {**routing_rules.shown(rule), "zone": {"name": zone.name, "tag": zone.id}}
        for zone in _zones(call)
        for rule in routing_rules.matching_rules(zone, call.query)
    ]
    return page_of(rows, call.query, per_page=20, largest=call.largest_page)


def list_zones(call: Call) -> Answer:
    """The settings of every zone, also of those where Email Routing is off."""
    rows = [email_routing.shown(zone) for zone in _zones(call)]
    return page_of(rows, call.query, per_page=20, largest=call.largest_page)


def _zones(call: Call) -> list[Zone]:
    return [zone for zone in call.state.zones if call.token.sees(zone.name)]
