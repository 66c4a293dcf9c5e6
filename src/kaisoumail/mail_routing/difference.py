"""
The changes that lead from what a zone has to what it should have, in the order in which they are safe.

What is missing is made before anything is removed; hosts before the rules on them. What is not ours is never changed:
where it is in the way, the difference has a conflict instead, which names it.
"""

from dataclasses import dataclass
from enum import StrEnum

from kaisoumail.mail_routing.desired import DesiredRouting
from kaisoumail.mail_routing.observed import ObservedRouting, RoutingRule
from kaisoumail.mail_routing.ownership import Ownership


class ChangeKind(StrEnum):
    """What a change does; the values are stored and shown."""

    ENABLE_HOST = "enable_host"
    MAKE_RULE = "make_rule"
    REPLACE_RULE = "replace_rule"
    REMOVE_RULE = "remove_rule"
    DISABLE_HOST = "disable_host"


class ConflictKind(StrEnum):
    """Why something cannot be changed; the values are stored and shown."""

    FOREIGN_MX = "foreign_mx"
    FOREIGN_RULE = "foreign_rule"
    UNRECOGNIZED_RULE = "unrecognized_rule"


@dataclass(frozen=True, slots=True)
class Change:
    """
    One change at Cloudflare, of the host or address *subject*.

    *rule_id* is that of the rule to replace or remove.
    """

    kind: ChangeKind
    subject: str
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """
    Something of others at the host or address *subject*.

    FOREIGN_MX: the host has mail servers that are not Cloudflare's. FOREIGN_RULE: another rule routes the address.
    UNRECOGNIZED_RULE: a rule that looks like ours, for an address that has no mailbox here; it harms nothing.
    """

    kind: ConflictKind
    subject: str
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """*changes* in order, and the *conflicts* that they leave."""

    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def difference(desired: DesiredRouting, observed: ObservedRouting, ownership: Ownership) -> Difference:
    """What is to be done so that *observed* becomes *desired*; empty when it is."""
    rules = {rule.address: rule for rule in observed.rules if rule.address is not None}
    hosts, blocked = _host_changes(desired, observed)
    routed, foreign = _rule_changes(desired, rules, ownership)
    unwanted = [rule for rule in observed.rules if rule.address not in desired.addresses]
    removed = [
        Change(ChangeKind.REMOVE_RULE, rule.address or rule.id, rule.id)
        for rule in unwanted
        if ownership.has_rule(rule)
    ]
    unknown = [
        Conflict(ConflictKind.UNRECOGNIZED_RULE, rule.address or rule.id, rule.id)
        for rule in unwanted
        if ownership.resembles(rule)
    ]
    retired = sorted(
        host.name for host in observed.hosts if host.name in ownership.hosts and host.name not in desired.hosts
    )
    disabled = [Change(ChangeKind.DISABLE_HOST, name) for name in retired]
    return Difference((*hosts, *routed, *removed, *disabled), (*blocked, *foreign, *unknown))


def _host_changes(desired: DesiredRouting, observed: ObservedRouting) -> tuple[list[Change], list[Conflict]]:
    changes, conflicts = [], []
    for name in sorted(desired.hosts):
        host = observed.host(name)
        if host is not None and host.is_ready:
            continue
        if host is not None and host.has_foreign_mx:
            conflicts.append(Conflict(ConflictKind.FOREIGN_MX, name))
        else:
            changes.append(Change(ChangeKind.ENABLE_HOST, name))
    return changes, conflicts


def _rule_changes(
    desired: DesiredRouting, rules: dict[str, RoutingRule], ownership: Ownership
) -> tuple[list[Change], list[Conflict]]:
    changes, conflicts = [], []
    for address in sorted(desired.addresses):
        rule = rules.get(address)
        if rule is None:
            changes.append(Change(ChangeKind.MAKE_RULE, address))
        elif not (ownership.has_rule(rule) or rule.has_our_name or rule.routes_to(desired.worker)):
            conflicts.append(Conflict(ConflictKind.FOREIGN_RULE, address, rule.id))
        elif not rule.routes_to(desired.worker):
            changes.append(Change(ChangeKind.REPLACE_RULE, address, rule.id))
    return changes, conflicts
