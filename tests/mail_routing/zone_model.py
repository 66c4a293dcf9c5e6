"""A zone as Cloudflare keeps it, as far as the difference is concerned: changes are applied to it."""

from dataclasses import dataclass, replace

from kaisoumail.mail_routing.difference import Change, ChangeKind
from kaisoumail.mail_routing.observed import RULE_NAME, ObservedRouting, RoutingHost, RoutingRule


@dataclass(frozen=True, slots=True)
class ZoneModel:
    """What is *observed*, and the Worker that new rules route to."""

    observed: ObservedRouting
    worker: str

    def after(self, change: Change) -> "ZoneModel":
        """The zone after *change*. Raises AssertionError for one that Cloudflare would refuse."""
        hosts, rules = self.observed.hosts, self.observed.rules
        others = tuple(host for host in hosts if host.name != change.subject)
        if change.kind is ChangeKind.ENABLE_HOST:
            hosts = (*others, RoutingHost(change.subject, is_enabled=True))
        elif change.kind is ChangeKind.DISABLE_HOST:
            hosts = others
        elif change.kind is ChangeKind.MAKE_RULE:
            assert all(rule.address != change.subject for rule in rules), "2014: Duplicated Zone rule"
            rules = (*rules, self._rule(f"new-{change.subject}", change.subject))
        elif change.kind is ChangeKind.REPLACE_RULE:
            assert change.rule_id in {rule.id for rule in rules}, "404: no such rule"
            rules = tuple(self._rule(rule.id, change.subject) if rule.id == change.rule_id else rule for rule in rules)
        else:
            rules = tuple(rule for rule in rules if rule.id != change.rule_id)
        return replace(self, observed=replace(self.observed, hosts=hosts, rules=rules))

    def _rule(self, rule_id: str, address: str) -> RoutingRule:
        return RoutingRule(rule_id, RULE_NAME.format(address=address), True, address, self.worker)
