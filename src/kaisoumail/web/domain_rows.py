"""A line of the catalogue as the pages show it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kaisoumail.errors import Problem
from kaisoumail.model.delegation import Delegation, DnsAnswer
from kaisoumail.model.domain import CatalogEntry, DomainStatus
from kaisoumail.operations.domain_catalog import Catalog
from kaisoumail.web.problems import ProblemView, problem_view

UNFINISHED: Final = ("waiting", "delegated", "attention")


@dataclass(frozen=True, slots=True)
class PublicDns:
    """
    What public DNS answers for a waiting name. *kind* selects the text: the kind of answer, or for name
    servers `set`, `partly` or `old`. *surplus* are the name servers that must be removed.
    """

    kind: str
    servers: tuple[str, ...]
    surplus: tuple[str, ...]
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class DomainRow:
    """
    One line of the catalogue.

    *state* is a value of `state_of`; *raw* the status here and at Cloudflare; *reason* is why it is not ready.
    """

    entry: CatalogEntry
    state: str
    raw: str
    reason: ProblemView | None
    public_dns: PublicDns | None

    @property
    def key(self) -> str:
        """What URLs call this line: the id of the domain, or its name while it has no id."""
        return self.entry.domain.id if self.entry.domain else self.entry.root_domain

    @property
    def seen(self) -> str:
        """A hash that changes with anything the details show."""
        domain = self.entry.domain
        times = (domain.updated_at, domain.next_look_at) if domain else ()
        return _digest(self.state, self.raw, self.entry.name_servers, times, self.public_dns)


def rows_of(catalog: Catalog) -> tuple[DomainRow, ...]:
    return tuple(_row(entry, catalog.delegations.get(entry.root_domain)) for entry in catalog.entries)


def find_row(rows: tuple[DomainRow, ...], key: str | None) -> DomainRow | None:
    return next((row for row in rows if row.key == key), None)


def fingerprint_of(rows: tuple[DomainRow, ...]) -> str:
    """A hash that changes with anything the table shows."""
    return _digest(*((row.key, row.state, row.raw, row.reason and row.reason.kind) for row in rows))


def state_of(entry: CatalogEntry) -> str:
    """
    `not_enabled`, `ready`, `off`, `waiting` (for name servers only), `delegated` (they are set, Email Routing is
    still off: Retry finishes it) or `attention`, which is also that of a pending zone refused for another reason.
    """
    domain = entry.domain
    if domain is None:
        return "not_enabled"
    if domain.status is DomainStatus.ACTIVE:
        return "ready"
    if domain.status is DomainStatus.DISABLED:
        return "off"
    if domain.last_provision_code not in (None, "cloudflare_zone_not_active"):
        return "attention"
    return {"pending": "waiting", "active": "delegated"}.get(entry.zone_status or "", "attention")


def _row(entry: CatalogEntry, delegation: Delegation | None) -> DomainRow:
    status = entry.domain.status.value if entry.domain else "not_enabled"
    return DomainRow(
        entry=entry,
        state=state_of(entry),
        raw=" · ".join(filter(None, [status, entry.zone_status])),
        reason=_reason(entry),
        public_dns=_public_dns(entry, delegation) if delegation else None,
    )


def _reason(entry: CatalogEntry) -> ProblemView | None:
    domain = entry.domain
    if domain is None or domain.status is not DomainStatus.PROVISIONING_ERROR:
        return None
    code, details = domain.last_provision_code or "internal", domain.last_provision_details
    return problem_view(Problem(code, domain.last_provision_error or "", **details), at=domain.updated_at)


def _public_dns(entry: CatalogEntry, delegation: Delegation) -> PublicDns:
    surplus = delegation.others_than(entry.name_servers)
    kind = delegation.answer.value
    if delegation.answer is DnsAnswer.NAME_SERVERS:
        is_partly = len(surplus) < len(delegation.name_servers)
        kind = "set" if delegation.is_to(entry.name_servers) else "partly" if is_partly else "old"
    return PublicDns(kind, delegation.name_servers, surplus, delegation.asked_at)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
