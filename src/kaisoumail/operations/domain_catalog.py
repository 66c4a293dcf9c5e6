"""The catalogue: our domains together with the zones that the token sees at Cloudflare."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from kaisoumail.cloudflare import zones
from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.errors import Problem
from kaisoumail.model.delegation import Delegation
from kaisoumail.model.domain import CatalogEntry, Domain, Zone
from kaisoumail.model.user import Viewer
from kaisoumail.operations.public_dns import delegations_of
from kaisoumail.storage.tables import domains, key_values
from kaisoumail.workflows.context import CloudflareAccess, Context

_ZONES: Final = "cloudflare_zones"


@dataclass(frozen=True, slots=True)
class Catalog:
    """
    The lines by name. *problem* is why Cloudflare did not answer; the zones are then those of its last answer.

    *zones_seen_at* is the time of that answer, None when there never was one or management is off. *delegations* has,
    by name, what public DNS answers for the pending zones.
    """

    entries: tuple[CatalogEntry, ...]
    zones_seen_at: datetime | None = None
    problem: Problem | None = None
    delegations: dict[str, Delegation] = field(default_factory=dict)


async def read_catalog(context: Context, viewer: Viewer, *, ask: bool = True) -> Catalog:
    """
    Every domain and every zone, by name. Our domains are in it whether Cloudflare answers or not.

    For admins: raises Problem `admin_required`, and none for a refusal of Cloudflare, which is in the result.

    Without *ask* no request goes to Cloudflare and the zones are those of its last answer: for pages that poll
    every few seconds.
    """
    viewer.must_be_admin()
    ours = await context.database.read(domains.listed)
    if not context.cloudflare.can_manage:
        problem = _token_problem(context.cloudflare)
        return Catalog(_merged(ours, _ZoneList([], None)), problem=problem)
    known = await (_list_zones(context) if ask else _stored_zones(context))
    entries = _merged(ours, known)
    vanished = [each.domain.id for each in entries if each.is_missing and each.domain and each.domain.is_active]
    if ask and vanished:
        await context.database.write(partial(domains.look_soon, ids=vanished))
    return Catalog(entries, known.seen_at, known.problem, await delegations_of(context, entries))


def _token_problem(access: CloudflareAccess) -> Problem | None:
    """Why nothing can be asked although Cloudflare is to be managed; None where it is not."""
    try:
        if access.enabled:
            access.client()
    except Problem as problem:
        return problem
    return None


@dataclass(frozen=True, slots=True)
class _ZoneList:
    """
    The zones, when Cloudflare listed them, and the *problem* if it could not list them now.

    *seen_at* and *now* are times of the database's clock; *now* is None when the zones were listed just now.
    """

    zones: list[Zone]
    seen_at: datetime | None
    problem: Problem | None = None
    now: datetime | None = None


async def _list_zones(context: Context) -> _ZoneList:
    try:
        with calling_for("domains.catalog"):
            theirs = await zones.list_zones(context.cloudflare.client())
    except CloudflareError as error:
        return replace(await _stored_zones(context), problem=error.problem())
    put = partial(key_values.put, key=_ZONES, value=[asdict(zone) for zone in theirs])
    return _ZoneList(theirs, await context.database.write(put))


async def _stored_zones(context: Context) -> _ZoneList:
    known = await context.database.read(partial(key_values.find_timed, key=_ZONES))
    if known is None:
        return _ZoneList([], None)
    theirs = [Zone(**{**row, "name_servers": tuple(row["name_servers"])}) for row in known.value]
    return _ZoneList(theirs, known.at, now=known.now)


def _merged(ours: list[Domain], known: _ZoneList) -> tuple[CatalogEntry, ...]:
    domain_of = {domain.root_domain: domain for domain in ours}
    zone_of = {zone.name: zone for zone in known.zones}
    for name in domain_of.keys() & zone_of.keys():
        zone_of[name] = _newer(domain_of[name], zone_of[name], known)
    names = sorted(domain_of.keys() | zone_of.keys())
    is_complete = known.problem is None and known.seen_at is not None and known.now is None
    return tuple(
        CatalogEntry(name, domain_of.get(name), zone_of.get(name), is_complete and name not in zone_of)
        for name in names
    )


def _newer(domain: Domain, zone: Zone, known: _ZoneList) -> Zone:
    """
    *zone*, with the status from the domain's row if Cloudflare reported that later than the list of zones.

    All times are of the database's clock, since another process may have asked. A report that is later than now was
    stored before that clock went back, and gives no order.
    """
    reported_at = domain.zone_status_at
    if known.seen_at is None or known.now is None or reported_at is None or domain.zone_id != zone.id:
        return zone
    is_later = known.seen_at < reported_at <= known.now
    return replace(zone, status=domain.zone_status or zone.status) if is_later else zone
