"""
Destination addresses for forwarding: `/accounts/:id/email/routing/addresses` (API reference; `status` measured
by cloudflare-axi). No verification messages are sent: a control verifies an address.
"""

from typing import Any, Final

from cloudflare_sandbox.answers import UNKNOWN_CODE, Answer, Refusal, page_of
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import Destination, State, new_id, timestamp

MAX_DESTINATIONS: Final = 200


def list_destinations(call: Call) -> Answer:
    rows = [shown(destination) for destination in call.state.destinations]
    rows = rows[::-1] if call.query.get("direction") == "desc" else rows
    return page_of(rows, call.query, per_page=20, largest=call.largest_page)


def create_destination(call: Call) -> Answer:
    """An unverified address; one that exists already is answered unchanged (inferred)."""
    email = call.fields.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise Refusal(422, 2007, "Invalid Input: email: must be an email address.")
    found = find_destination(call.state, email)
    if found is None:
        if len(call.state.destinations) >= MAX_DESTINATIONS:
            raise Refusal(400, UNKNOWN_CODE, "Too many destination addresses in this account")
        now = timestamp(call.now())
        found = Destination(new_id(), email.lower(), created=now, modified=now)
        call.state.destinations.append(found)
    return Answer(shown(found))


def read_destination(call: Call) -> Answer:
    return Answer(shown(_destination(call)))


def delete_destination(call: Call) -> Answer:
    """Rules that forward to it are switched off (docs, "Destination addresses")."""
    destination = _destination(call)
    call.state.destinations.remove(destination)
    _switch_off_rules(call.state, destination.email)
    return Answer(shown(destination))


def find_destination(state: State, email: str) -> Destination | None:
    return next((each for each in state.destinations if each.email == email.lower()), None)


def shown(destination: Destination) -> dict[str, Any]:
    return {
        "id": destination.id,
        "tag": destination.id,
        "email": destination.email,
        "verified": destination.verified,
        "created": destination.created,
        "modified": destination.modified,
        "status": "unverified" if destination.verified is None else "verified",
    }


def _destination(call: Call) -> Destination:
    for destination in call.state.destinations:
        if destination.id == call.parts["address_id"]:
            return destination
    raise Refusal(404, UNKNOWN_CODE, "Destination address not found")


def _switch_off_rules(state: State, email: str) -> None:
    for zone in state.zones:
        for rule in (*zone.routing.rules, zone.routing.catch_all):
            values = [value for action in rule.actions for value in action.get("value", ())]
            if rule.actions[0]["type"] == "forward" and email in [value.lower() for value in values]:
                rule.enabled = False
