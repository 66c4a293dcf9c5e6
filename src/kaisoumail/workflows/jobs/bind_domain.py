"""
Bind an apex: look for its zone, create it if missing, save it, switch Email Routing on.

The intent to create a zone is stored before the request (`storage/tables/zone_creations.py`), so a zone that exists is
known as ours even if the answer is lost or this process dies. A refusal after that leaves a `provisioning_error` with
the name servers to set, not a zone that is missing in our table.
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
from kaisoumail.storage.tables.domain_events import DomainEvent
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import Retry, id_in_step, step
from kaisoumail.workflows.jobs.provision_domain import (
    PATIENCE,
    read_zone,
    reconcile_unless,
    save_outcome,
    switch_on,
    with_zone,
)
from kaisoumail.workflows.jobs.step_names import (
    CREATE_ZONE,
    LOOK_FOR_ZONE,
    READ_ZONE,
    SAVE_OUTCOME,
    SAVE_ZONE,
    SWITCH_ON,
)

# After a create was sent its outcome must be found out: giving up could leave a zone that is not in our table.
_UNTIL_KNOWN: Final = Retry((CloudflareUnreachable, CloudflareFault), attempts=100, first_pause=0.5)


@job("bind_domain", version=2, is_shown=True)
async def bind_domain(context: Context, root_domain: str) -> None:
    """
    Raises CloudflareError as long as nothing was created at Cloudflare; after that every outcome is in the row.

    That includes no answer from Cloudflare after the zone was created: the row has the reason, and Retry continues.
    """
    with calling_for("domains.bind"):
        await _bind(context, root_domain)


async def _bind(context: Context, root_domain: str) -> None:
    with recording() as calls:
        found = await step(LOOK_FOR_ZONE, look_for_zone, context, root_domain, retry=PATIENCE)
        zone = found if found else await step(CREATE_ZONE, create_zone, context, root_domain, retry=_UNTIL_KNOWN)
    source = BindingSource.CATALOG if found else BindingSource.PROJECT_BIND
    domain_id = await step(SAVE_ZONE, save_zone, context, root_domain, zone, source, calls)
    seen: Zone | Problem = zone
    with recording() as calls:
        try:
            seen = await step(READ_ZONE, read_zone, context, domain_id, retry=PATIENCE)
            refusal = await step(SWITCH_ON, switch_on, context, seen, retry=PATIENCE)
            refusal = await reconcile_unless(refusal, context, domain_id, seen)
        except CloudflareError as error:
            refusal = error.problem()
    await step(SAVE_OUTCOME, save_outcome, context, domain_id, seen, refusal, calls)


async def look_for_zone(context: Context, root_domain: str) -> Zone | None:
    """The zone of this name in our account; None if the token sees none. Raises CloudflareError."""
    return await zones.find_zone(context.cloudflare.client(), root_domain, context.cloudflare.account())


async def create_zone(context: Context, root_domain: str) -> Zone:
    """
    The zone, created now or by an earlier attempt whose answer was lost.

    A create without a clear answer is looked up before it is sent again. The step before found no zone, so one that
    exists now is ours. The stored intent is removed once Cloudflare has clearly refused.
    """
    cloudflare, account = context.cloudflare.client(), context.cloudflare.account()
    await context.database.write(partial(zone_creations.note, root_domain=root_domain))
    try:
        return await zones.create_zone(cloudflare, root_domain, account)
    except (AlreadyExists, CloudflareUnreachable, CloudflareFault, UnreadableAnswer):
        existing = await zones.find_zone(cloudflare, root_domain, account)
        if existing is None:
            raise
        return existing
    except CloudflareError:
        await context.database.write(partial(zone_creations.forget, root_domain=root_domain))
        raise


async def save_zone(context: Context, root_domain: str, zone: Zone, source: BindingSource, calls: list[Answer]) -> str:
    """
    The id of the domain's row, which has the zone from now on and waits for Email Routing.

    A zone that was found counts as bound by us when an earlier bind requested it and its answer was lost.
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
        domain_events.add(connection, DomainEvent(domain.id, now, kind, details=about, id=event_id))
        return domain.id

    return await context.database.write(save)
