"""The catalogue: our domains beside the zones Cloudflare shows us."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kaisoumail.cloudflare import zones
from kaisoumail.cloudflare.errors import CloudflareError, RateLimited
from kaisoumail.errors import Problem
from kaisoumail.model.domain import CatalogEntry, Domain, Zone
from kaisoumail.model.user import Viewer
from kaisoumail.storage import domains
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class Catalog:
    """*problem* says why Cloudflare could not be asked; the entries then hold only what we know ourselves."""

    entries: tuple[CatalogEntry, ...]
    problem: Problem | None = None
    retry_at: datetime | None = None


async def read_catalog(context: Context, viewer: Viewer) -> Catalog:
    """Every domain and every zone, by name. Our own are there whether Cloudflare answers or not. For admins."""
    viewer.must_be_admin()
    ours = await context.database.read(domains.listed)
    if not context.routing.can_manage:
        return Catalog(_merged(ours, []))
    try:
        theirs = await zones.list_zones(context.routing.client())
    except CloudflareError as error:
        retry_at = None
        if isinstance(error, RateLimited):
            retry_at = context.clock() + timedelta(seconds=error.retry_after)
        return Catalog(_merged(ours, []), error.problem(), retry_at)
    return Catalog(_merged(ours, theirs))


def _merged(ours: list[Domain], theirs: list[Zone]) -> tuple[CatalogEntry, ...]:
    domain_of = {domain.root_domain: domain for domain in ours}
    zone_of = {zone.name: zone for zone in theirs}
    names = sorted(domain_of.keys() | zone_of.keys())
    return tuple(CatalogEntry(name, domain_of.get(name), zone_of.get(name)) for name in names)
