"""
Bind an apex: look for its zone, create it if missing, save it, switch Email Routing on.

Before a zone is asked for it is noted that we do (`storage/tables/zone_creations.py`), so one that exists is known as
ours whatever becomes of the answer, and of us. What is refused afterwards leaves a `provisioning_error` with name
servers to set, not a zone to hunt for.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from sqlalchemy import Connection

from kaisoumail.cloudflare import zones
from kaisoumail.cloudflare.calls import recording
from kaisoumail.cloudflare.errors import (
    AlreadyExists,
    Answer,
    CloudflareError,
    CloudflareFault,
    CloudflareUnreachable,
    UnreadableAnswer,
)
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.errors import Problem
from kaisoumail.model.domain import BindingSource, Domain, DomainStatus, EventKind, Zone
from kaisoumail.model.ids import new_id
from kaisoumail.storage.tables import domain_events, domains, zone_creations
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import Retry, id_in_step, step
from kaisoumail.workflows.jobs.provision_domain import PATIENCE, read_zone, save_outcome, switch_on, with_zone

# Once a create was sent it must be known what came of it: giving up could leave a zone nobody knows of.
_UNTIL_KNOWN: Final = Retry((CloudflareUnreachable, CloudflareFault), attempts=100, first_pause=0.5)


@job("bind_domain", is_shown=True)
async def bind_domain(context: Context, root_domain: str) -> None:
    """
    Raises CloudflareError while nothing was made at Cloudflare; afterwards every outcome is in the row.

    That includes Cloudflare falling silent after the zone was made: the row says so, Retry goes on.
    """
    with calling_for("domains.bind"):
        await _bind(context, root_domain)


async def _bind(context: Context, root_domain: str) -> None:
    with recording() as calls:
        found = await step("look for the zone", look_for_zone, context, root_domain, retry=PATIENCE)
        zone = found if found else await step("create the zone", create_zone, context, root_domain, retry=_UNTIL_KNOWN)
    source = BindingSource.CATALOG if found else BindingSource.PROJECT_BIND
    domain_id = await step("save the zone", save_zone, context, root_domain, zone, source, calls)
    seen: Zone | Problem = zone
    with recording() as calls:
        try:
            seen = await step("read the zone", read_zone, context, domain_id, retry=PATIENCE)
            refusal = await step("switch Email Routing on", switch_on, context, seen, retry=PATIENCE)
        except CloudflareError as error:
            refusal = error.problem()
    await step("save the outcome", save_outcome, context, domain_id, seen, refusal, calls)


async def look_for_zone(context: Context, root_domain: str) -> Zone | None:
    return await zones.find_zone(context.cloudflare.client(), root_domain, context.cloudflare.account())


async def create_zone(context: Context, root_domain: str) -> Zone:
    """
    The zone, made now, or by an earlier try whose answer was lost.

    A create that got no clear answer is looked up before anybody tries again. The look before it found
    none, so one that is there is ours; that it was asked for is forgotten once it is clear that nothing came of it.
    """
    cloudflare, account = context.cloudflare.client(), context.cloudflare.account()
    await context.database.write(partial(zone_creations.note, root_domain=root_domain))
    try:
        return await zones.create_zone(cloudflare, root_domain, account)
    except (AlreadyExists, CloudflareUnreachable, CloudflareFault, UnreadableAnswer):
        made_before = await zones.find_zone(cloudflare, root_domain, account)
        if made_before is None:
            raise
        return made_before
    except CloudflareError:
        await context.database.write(partial(zone_creations.forget, root_domain=root_domain))
        raise


async def save_zone(context: Context, root_domain: str, zone: Zone, source: BindingSource, calls: list[Answer]) -> str:
    """
    The id of the domain's row, which holds the zone from now on and waits for Email Routing.

    A zone that was found counts as bound by us where an earlier bind asked for it and never heard of it.
    """
    now, found_by, event_id = context.clock(), source, id_in_step("evt")

    def save(connection: Connection) -> str:
        source = BindingSource.PROJECT_BIND if zone_creations.is_noted(connection, root_domain) else found_by
        zone_creations.forget(connection, root_domain)
        known = domains.find_by_name(connection, root_domain)
        domain = known or Domain(
            id=new_id("dom"),
            root_domain=root_domain,
            zone_id=zone.id,
            binding_source=source,
            status=DomainStatus.PROVISIONING_ERROR,
            created_at=now,
            updated_at=now,
        )
        if domain.deleted_at is not None:
            domain = replace(domain, binding_source=source, deleted_at=None, status_before_deletion=None)
        waiting = replace(domain, status=DomainStatus.PROVISIONING_ERROR, disabled_at=None, looks=0)
        domains.save(connection, with_zone(connection, waiting, zone, source))
        kind: EventKind = "zone_created" if source is BindingSource.PROJECT_BIND else "zone_found"
        about = {"calls": [answer.as_details() for answer in calls]}
        domain_events.add(connection, domain.id, now, kind, details=about, event_id=event_id)
        return domain.id

    return await context.database.write(save)
