"""Response bodies about domains: the contract's objects, field for field. Fields may be added, never changed."""

from collections.abc import Iterable
from typing import Annotated, Any

from kaisoumail.api.shapes import Instant, Shape, one_of
from kaisoumail.errors import Problem
from kaisoumail.http.guide_links import guide_path
from kaisoumail.http.problems import problem_shape
from kaisoumail.model.clock import iso, iso_or_none
from kaisoumail.model.delegation import Delegation, DnsAnswer
from kaisoumail.model.domain import BindingSource, CatalogEntry, Domain, DomainStatus
from kaisoumail.operations.capacity import ConflictKind, DomainCapacity, Use
from kaisoumail.operations.domains import DomainEvent
from kaisoumail.operations.token_check import Probe, TokenCheck


class DomainShape(Shape):
    id: str
    mail_domain: str
    root_domain: str
    zone_id: str | None
    binding_source: Annotated[str, one_of(*BindingSource)]
    status: Annotated[str, one_of(*DomainStatus)]
    catch_all_enabled: bool
    subdomain_dns_mode: str
    wildcard_dns_verified_at: Instant | None
    wildcard_dns_last_error: str | None
    last_provision_error: str | None
    created_at: Instant
    updated_at: Instant
    last_provisioned_at: Instant | None
    disabled_at: Instant | None
    # added to the contract
    last_provision_code: str | None
    last_provision_guide: str | None
    next_look_at: Instant | None
    cloudflare_status: str | None
    name_servers: list[str]


class DomainListShape(Shape):
    domains: list[DomainShape]


class PublicDnsShape(Shape):
    answer: Annotated[str, one_of(*DnsAnswer)]
    name_servers: list[str]
    asked_at: Instant
    is_delegated: bool


class CatalogEntryShape(Shape):
    id: str | None
    mail_domain: str
    root_domain: str
    zone_id: str | None
    binding_source: Annotated[str, one_of(*BindingSource)] | None
    cloudflare_availability: Annotated[str, one_of("available", "missing")]
    cloudflare_status: str | None
    name_servers: list[str]
    project_status: Annotated[str, one_of("not_enabled", *DomainStatus)]
    catch_all_enabled: bool
    subdomain_dns_mode: str
    wildcard_dns_verified_at: Instant | None
    wildcard_dns_last_error: str | None
    last_provision_error: str | None
    created_at: Instant | None
    updated_at: Instant | None
    last_provisioned_at: Instant | None
    disabled_at: Instant | None
    # added to the contract
    last_provision_code: str | None
    last_provision_guide: str | None
    next_look_at: Instant | None
    public_dns: PublicDnsShape | None


class CloudflareSyncShape(Shape):
    """
    Whether Cloudflare answered.

    `status` has only the values existing clients know: `live` when the zones are those of now, and also where
    Cloudflare is not managed, else `rate_limited`. `state` tells a rate limit from other failures; `problem` is why.
    """

    status: Annotated[str, one_of("live", "rate_limited")]
    retry_after: Instant | None
    retry_after_seconds: int | None
    rate_limit_context: dict[str, Any] | None
    # added to the contract
    state: Annotated[str, one_of("live", "rate_limited", "unavailable", "not_managed")]
    problem: dict[str, Any] | None
    zones_seen_at: Instant | None
    zones_age_seconds: int | None


class DomainCatalogShape(Shape):
    domains: list[CatalogEntryShape]
    cloudflare_sync: CloudflareSyncShape


class DomainEventShape(Shape):
    id: str
    at: Instant
    kind: str
    code: str | None
    message: str | None
    details: dict[str, Any]


class DomainHistoryShape(Shape):
    events: list[DomainEventShape]


class UseShape(Shape):
    used: int
    limit: int
    foreign: int


class ConflictShape(Shape):
    kind: Annotated[str, one_of(*ConflictKind)]
    subject: str
    rule_id: str | None


class FreeingShape(Shape):
    expired: int


class CapacityShape(Shape):
    """`looked_at` is when the zone was looked at for what is not ours; null if it never was."""

    rules: UseShape
    hosts: UseShape
    freeing: FreeingShape
    conflicts: list[ConflictShape]
    looked_at: Instant | None


class ProbeShape(Shape):
    permission: str
    zone: str | None
    granted: bool
    refusal: str | None


class TokenCheckShape(Shape):
    ok: bool
    checked_at: Instant
    unconfigured: list[str]
    token_kind: Annotated[str, one_of("user", "account")] | None
    account_reachable: bool | None
    zones_visible: int | None
    permissions: list[ProbeShape]
    missing: list[ProbeShape]
    problem: dict[str, Any] | None


def domain_shape(domain: Domain) -> DomainShape:
    return DomainShape(
        id=domain.id,
        mail_domain=domain.root_domain,
        root_domain=domain.root_domain,
        zone_id=domain.zone_id,
        binding_source=domain.binding_source.value,
        status=domain.status.value,
        catch_all_enabled=domain.catch_all_enabled,
        subdomain_dns_mode="explicit",
        wildcard_dns_verified_at=None,
        wildcard_dns_last_error=None,
        last_provision_error=domain.last_provision_error,
        created_at=iso(domain.created_at),
        updated_at=iso(domain.updated_at),
        last_provisioned_at=iso_or_none(domain.last_provisioned_at),
        disabled_at=iso_or_none(domain.disabled_at),
        last_provision_code=domain.last_provision_code,
        last_provision_guide=_provision_guide(domain),
        next_look_at=iso_or_none(domain.next_look_at),
        cloudflare_status=domain.zone_status,
        name_servers=list(domain.name_servers),
    )


def domain_event_shape(event: DomainEvent) -> DomainEventShape:
    return DomainEventShape(
        id=event.id,
        at=iso(event.at),
        kind=event.kind,
        code=event.code,
        message=event.message,
        details=event.details,
    )


def capacity_shape(found: DomainCapacity) -> CapacityShape:
    def use_shape(use: Use) -> UseShape:
        return UseShape(used=use.used, limit=use.limit, foreign=use.foreign)

    return CapacityShape(
        rules=use_shape(found.capacity.rules),
        hosts=use_shape(found.capacity.hosts),
        freeing=FreeingShape(expired=found.expired),
        conflicts=[
            ConflictShape(kind=each.kind.value, subject=each.subject, rule_id=each.rule_id) for each in found.conflicts
        ],
        looked_at=iso_or_none(found.looked_at),
    )


def token_check_shape(check: TokenCheck) -> TokenCheckShape:
    def probe_shapes(probes: Iterable[Probe]) -> list[ProbeShape]:
        return [
            ProbeShape(permission=each.permission, zone=each.zone, granted=each.granted, refusal=each.refusal)
            for each in probes
        ]

    return TokenCheckShape(
        ok=check.is_well,
        checked_at=iso(check.checked_at),
        unconfigured=list(check.unconfigured),
        token_kind=check.kind,
        account_reachable=check.account_reachable,
        zones_visible=check.zones_visible,
        permissions=probe_shapes(check.probes),
        missing=probe_shapes(check.missing),
        problem=problem_shape(check.problem) if check.problem else None,
    )


def catalog_shape(entry: CatalogEntry, delegation: Delegation | None = None) -> CatalogEntryShape:
    """One line of the catalogue; *delegation* is what public DNS answers for a waiting name, where it was queried."""
    domain = entry.domain
    return CatalogEntryShape(
        id=domain.id if domain else None,
        mail_domain=entry.root_domain,
        root_domain=entry.root_domain,
        zone_id=entry.zone_id,
        binding_source=domain.binding_source.value if domain else None,
        cloudflare_availability="available" if entry.zone else "missing",
        cloudflare_status=entry.zone_status,
        name_servers=list(entry.name_servers),
        project_status=domain.status.value if domain else "not_enabled",
        catch_all_enabled=domain.catch_all_enabled if domain else False,
        subdomain_dns_mode="explicit",
        wildcard_dns_verified_at=None,
        wildcard_dns_last_error=None,
        last_provision_error=domain.last_provision_error if domain else None,
        created_at=iso(domain.created_at) if domain else None,
        updated_at=iso(domain.updated_at) if domain else None,
        last_provisioned_at=iso_or_none(domain.last_provisioned_at) if domain else None,
        disabled_at=iso_or_none(domain.disabled_at) if domain else None,
        last_provision_code=domain.last_provision_code if domain else None,
        last_provision_guide=_provision_guide(domain) if domain else None,
        next_look_at=iso_or_none(domain.next_look_at) if domain else None,
        public_dns=_public_dns_shape(entry, delegation) if delegation else None,
    )


def _public_dns_shape(entry: CatalogEntry, delegation: Delegation) -> PublicDnsShape:
    return PublicDnsShape(
        answer=delegation.answer.value,
        name_servers=list(delegation.name_servers),
        asked_at=iso(delegation.asked_at),
        is_delegated=delegation.is_to(entry.name_servers),
    )


def _provision_guide(domain: Domain) -> str | None:
    code = domain.last_provision_code
    return guide_path(Problem(code, "")) if code else None
