"""The catalogue: our domains beside the zones Cloudflare shows us."""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Final

from kaisoumail.cloudflare import zones
from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.cloudflare.pace import asking_for
from kaisoumail.errors import Problem
from kaisoumail.model.domain import CatalogEntry, Domain, Zone
from kaisoumail.model.user import Viewer
from kaisoumail.storage import domains, facts
from kaisoumail.workflows.context import Context

_ZONES: Final = "cloudflare_zones"


@dataclass(frozen=True, slots=True)
class Catalog:
    """
    *problem* says why Cloudflare could not be asked; the zones are then the last it told us of.

    *zones_seen_at* is when it told us; None when it never did, or is not asked at all.
    """

    entries: tuple[CatalogEntry, ...]
    zones_seen_at: datetime | None = None
    problem: Problem | None = None


async def read_catalog(context: Context, viewer: Viewer) -> Catalog:
    """Every domain and every zone, by name. Our own are there whether Cloudflare answers or not. For admins."""
    viewer.must_be_admin()
    ours = await context.database.read(domains.listed)
    if not context.routing.can_manage:
        return Catalog(_merged(ours, []))
    try:
        with asking_for("domains.catalog"):
            theirs = await zones.list_zones(context.routing.client())
    except CloudflareError as error:
        remembered, seen_at = await _remembered(context)
        return Catalog(_merged(ours, remembered), seen_at, error.problem())
    now = context.clock()
    rows = [asdict(zone) for zone in theirs]
    await context.database.write(partial(facts.put, key=_ZONES, value=rows, now=now))
    return Catalog(_merged(ours, theirs), now)


async def _remembered(context: Context) -> tuple[list[Zone], datetime | None]:
    known = await context.database.read(partial(facts.find, key=_ZONES))
    if known is None:
        return [], None
    rows, seen_at = known
    return [Zone(**{**row, "name_servers": tuple(row["name_servers"])}) for row in rows], seen_at


def _merged(ours: list[Domain], theirs: list[Zone]) -> tuple[CatalogEntry, ...]:
    domain_of = {domain.root_domain: domain for domain in ours}
    zone_of = {zone.name: zone for zone in theirs}
    names = sorted(domain_of.keys() | zone_of.keys())
    return tuple(CatalogEntry(name, domain_of.get(name), zone_of.get(name)) for name in names)
