"""
How much of a zone's limits is used.

Limits: 200 routing rules for a domain, 30 domains in a zone including its apex (Cloudflare docs, "Email Routing
limits", September 2026). Whether the catch-all counts as a rule is not known; here it does not.
"""

from dataclasses import dataclass
from typing import Final

from kaisoumail.mail_routing.observed import ObservedRouting
from kaisoumail.mail_routing.ownership import Ownership

RULES_PER_ZONE: Final = 200
HOSTS_PER_ZONE: Final = 30


@dataclass(frozen=True, slots=True)
class Use:
    """*used* of *limit*, of which *foreign* are not ours."""

    used: int
    limit: int
    foreign: int = 0

    @property
    def free(self) -> int:
        return max(self.limit - self.used, 0)


@dataclass(frozen=True, slots=True)
class Capacity:
    """The routing rules and the hosts of a zone; the apex counts as a host."""

    rules: Use
    hosts: Use


def capacity_of(observed: ObservedRouting, ownership: Ownership) -> Capacity:
    """The capacity of a zone as it was read."""
    foreign_rules = sum(not ownership.has_rule(rule) for rule in observed.rules)
    foreign_hosts = sum(host.name not in ownership.hosts for host in observed.hosts)
    return Capacity(
        Use(len(observed.rules), RULES_PER_ZONE, foreign_rules),
        Use(len(observed.hosts) + 1, HOSTS_PER_ZONE, foreign_hosts + 1),
    )
