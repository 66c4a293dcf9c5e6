"""
Routing rules and the catch-all: `/zones/:id/email/routing/rules`.

Measured by mailda and cloudflare-axi (September 2026), the rest from the API reference. The HTTP status of
2014 is quoted nowhere; 409 is a choice.
"""

from typing import Any, Final

from cloudflare_sandbox.answers import UNKNOWN_CODE, Answer, Refusal, page_of
from cloudflare_sandbox.email_routing import refuse_unless_active
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import Rule, Zone, new_id
from cloudflare_sandbox.zones import CATCH_ALL_PRIORITY

MAX_RULES: Final = 200  # per zone; whether the catch-all counts is unknown, here it does not
_MAX_MATCHER: Final = 90
_MAX_NAME: Final = 256


def list_rules(call: Call) -> Answer:
    rows = [shown(rule) for rule in matching_rules(call.zone, call.query)]
    return page_of(rows, call.query, per_page=20, largest=call.largest_page)


def matching_rules(zone: Zone, query: dict[str, str]) -> list[Rule]:
    """The rules of the zone, the catch-all as the last row; all of them or, by `enabled` in *query*, some."""
    rules, enabled = [*zone.routing.rules, zone.routing.catch_all], query.get("enabled")
    if enabled not in ("true", "false"):
        return rules
    return [rule for rule in rules if rule.enabled == (enabled == "true")]


def create_rule(call: Call) -> Answer:
    """Accepted also on a pending zone and for a subdomain never switched on; nothing is delivered there."""
    if not call.state.switches.pending_zones_take_rules:
        refuse_unless_active(call.zone)
    rule = _rule_from(call, new_id())
    _refuse_duplicate(call, rule)
    if len(call.zone.routing.rules) >= MAX_RULES:
        raise Refusal(400, UNKNOWN_CODE, "Too many rules in this zone")
    call.zone.routing.rules.append(rule)
    return Answer(shown(rule))


def read_rule(call: Call) -> Answer:
    return Answer(shown(_rule(call)))


def replace_rule(call: Call) -> Answer:
    """A full replacement: a field that is not sent gets its default; there is no PATCH."""
    old = _rule(call)
    new = _rule_from(call, old.id)
    _refuse_duplicate(call, new)
    rules = call.zone.routing.rules
    rules[rules.index(old)] = new
    return Answer(shown(new))


def delete_rule(call: Call) -> Answer:
    """Answers the deleted rule."""
    rule = _rule(call)
    if not call.zone.routing.enabled and not call.state.switches.rules_can_be_deleted_while_off:
        raise Refusal(409, UNKNOWN_CODE, "Email Routing is disabled")
    call.zone.routing.rules.remove(rule)
    return Answer(shown(rule))


def read_catch_all(call: Call) -> Answer:
    return Answer(shown(call.zone.routing.catch_all))


def replace_catch_all(call: Call) -> Answer:
    """It cannot be created or deleted, only replaced; its id and priority stay."""
    fields = call.fields
    if not call.state.switches.pending_zones_take_rules:
        refuse_unless_active(call.zone)
    if [matcher.get("type") for matcher in _list_of_objects(fields, "matchers")] != ["all"]:
        raise _invalid("matchers", "catch all rule must have exactly one matcher of type all.")
    actions = _actions(call, fields)
    old = call.zone.routing.catch_all
    new = Rule(old.id, _name(fields), _enabled(fields), CATCH_ALL_PRIORITY, [{"type": "all"}], actions)
    call.zone.routing.catch_all = new
    return Answer(shown(new))


def shown(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "tag": rule.id,
        "name": rule.name,
        "matchers": rule.matchers,
        "actions": rule.actions,
        "enabled": rule.enabled,
        "priority": rule.priority,
        "source": "api",
    }


def _rule(call: Call) -> Rule:
    """The rule the path names. The catch-all cannot be reached by its id (2020, Wrangler and Alchemy)."""
    rule_id = call.parts["rule_id"]
    if rule_id == call.zone.routing.catch_all.id:
        raise _wrong_operation()
    for rule in call.zone.routing.rules:
        if rule.id == rule_id:
            return rule
    raise Refusal(404, 2015, "Routing rule not found")  # the status is known, number and text are not


def _rule_from(call: Call, rule_id: str) -> Rule:
    fields = call.fields
    matchers = [_matcher(matcher) for matcher in _list_of_objects(fields, "matchers")]
    if len(matchers) != 1:
        raise _invalid("matchers", "only one matcher per rule is allowed.")
    if matchers[0]["type"] == "all":
        raise _wrong_operation()
    actions = _actions(call, fields)
    priority = fields.get("priority", 0)
    if isinstance(priority, bool) or not isinstance(priority, int) or priority < 0:
        raise _invalid("priority", "must be a number of at least 0.")
    return Rule(rule_id, _name(fields), _enabled(fields), priority, matchers, actions)


def _matcher(fields: dict[str, Any]) -> dict[str, str]:
    if fields.get("type") == "all":
        return {"type": "all"}
    value = fields.get("value")
    if fields.get("type") != "literal" or fields.get("field") != "to" or not isinstance(value, str) or "@" not in value:
        raise _invalid("matchers", "must be a literal address in the field to.")
    if len(value) > _MAX_MATCHER:
        raise _invalid("matchers", f"value must not be longer than {_MAX_MATCHER} characters.")
    return {"type": "literal", "field": "to", "value": value}


def _actions(call: Call, fields: dict[str, Any]) -> list[dict[str, str | list[str]]]:
    actions = _list_of_objects(fields, "actions")
    if len(actions) > 1:
        raise _invalid("actions", "only one action per rule is allowed.")
    kind, value = actions[0].get("type"), actions[0].get("value") or []
    if kind not in ("drop", "forward", "worker"):
        raise _invalid("actions", "must be drop, forward or worker.")
    if kind == "drop":
        return [{"type": "drop"}]
    is_single = isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) and bool(value[0])
    if not is_single and kind == "forward":
        raise _invalid("actions", "forward action must contain exactly one destination")
    if not is_single:
        raise _invalid("actions", "worker action must specify worker id")
    if kind == "forward":
        _refuse_unverified(call, value[0])
    elif call.state.switches.unknown_workers_are_refused and value[0] not in {*call.state.workers, *call.state.scripts}:
        raise Refusal(404, 2016, "Worker not found")  # the text is ours
    return [{"type": kind, "value": value}]


def _refuse_unverified(call: Call, address: str) -> None:
    for destination in call.state.destinations:
        if destination.email == address.lower() and destination.verified is not None:
            return
    raise Refusal(400, 2054, "Destination address is not verified")


def _refuse_duplicate(call: Call, new: Rule) -> None:
    """One rule per literal, whatever its case (at least seven projects quote 2014)."""
    if any(rule.literal() == new.literal() and rule.id != new.id for rule in call.zone.routing.rules):
        raise Refusal(call.state.switches.duplicate_rule_status, 2014, "Duplicated Zone rule")


def _list_of_objects(fields: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = fields.get(name)
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        raise _invalid(name, f"must have {name}.")
    return value


def _name(fields: dict[str, Any]) -> str:
    name = fields.get("name") or ""
    if not isinstance(name, str) or len(name) > _MAX_NAME:
        raise _invalid("name", f"must be a string of at most {_MAX_NAME} characters.")
    return name


def _enabled(fields: dict[str, Any]) -> bool:
    enabled = fields.get("enabled", True)
    if not isinstance(enabled, bool):
        raise _invalid("enabled", "must be true or false.")
    return enabled


def _invalid(field: str, reason: str) -> Refusal:
    return Refusal(422, 2007, f"Invalid Input: {field}: {reason}")


def _wrong_operation() -> Refusal:
    return Refusal(409, 2020, "Invalid rule operation")
