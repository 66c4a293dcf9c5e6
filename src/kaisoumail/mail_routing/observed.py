"""What Cloudflare reported of a zone's Email Routing."""

from dataclasses import dataclass, field

RULE_NAME = "Mailbox {address}"
"""The name of our rules, by which one is recognised whose id was never stored. Existing installations use it too."""


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """
    A routing rule other than the catch-all.

    *address* is the literal recipient in lower case, None for a rule that matches by something else. *worker* is the
    Worker it routes to, None for one that forwards or drops.
    """

    id: str
    name: str
    is_enabled: bool
    address: str | None
    worker: str | None

    def routes_to(self, worker: str) -> bool:
        return self.is_enabled and self.worker == worker

    @property
    def has_our_name(self) -> bool:
        return self.address is not None and self.name == RULE_NAME.format(address=self.address)


@dataclass(frozen=True, slots=True)
class RoutingHost:
    """
    A host that Email Routing was switched on for.

    *faults* are Cloudflare's codes for what prevents it from receiving, such as `mx.missing` or `mx.foreign`.
    """

    name: str
    is_enabled: bool
    faults: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        return self.is_enabled and not any(fault.startswith("mx.") for fault in self.faults)

    @property
    def has_foreign_mx(self) -> bool:
        return "mx.foreign" in self.faults


@dataclass(frozen=True, slots=True)
class ObservedRouting:
    """
    Email Routing of one zone: the apex, the hosts below it, and every rule but the catch-all.

    *status* is Cloudflare's own word, such as `ready` or `misconfigured/locked`.
    """

    is_enabled: bool
    status: str
    hosts: tuple[RoutingHost, ...] = ()
    rules: tuple[RoutingRule, ...] = ()
    faults: tuple[str, ...] = field(default=())
    """Of the apex, as those of a host."""

    def host(self, name: str) -> RoutingHost | None:
        return next((host for host in self.hosts if host.name == name), None)
