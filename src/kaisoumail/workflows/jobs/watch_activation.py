"""
Watch domains: those that wait for their name servers or for Cloudflare to answer again, and once a day the active ones.

When the zone becomes active, or the outage is over, the domain is provisioned without anyone pressing Retry. Every
process checks; one claims a due domain by postponing its next check, so no two check it at once, and a domain whose
process died is due again soon.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from kaisoumail.cloudflare import zones
from kaisoumail.cloudflare.errors import PENDING, CloudflareError, MissingPermission, NotFound, RateLimited, TryLater
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.model.domain import Domain, DomainStatus, Zone
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import domain_events, domains
from kaisoumail.storage.tables.domain_events import DomainEvent
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.engine import StillRunning

_CLAIM: Final = timedelta(minutes=2)
_BETWEEN_CHECKS: Final = timedelta(hours=1, minutes=1)  # free zones: once per hour
_log = structlog.get_logger("kaisoumail.watch")


async def check_waiting_domains(context: Context) -> int:
    """Check every domain that is due; returns how many were."""
    count = 0
    if not context.cloudflare.can_manage:
        return count
    while await context.database.read(domains.any_due):
        domain = await context.database.write(partial(domains.claim_due, put_off=_CLAIM))
        if domain is None:
            return count
        count += 1
        with calling_for("domains.watch"):
            try:
                await _check(context, domain)
            except RateLimited:
                return count  # the domain is due again when its claim runs out
            except StillRunning as running:  # due again when its claim runs out
                _log.info("watch.still_running", domain=domain.root_domain, run=running.details["runId"])
            except CloudflareError as error:
                _log.warning("watch.failed", domain=domain.root_domain, error=str(error))
                await _schedule_next_check(context, domain)
    return count


async def _check(context: Context, domain: Domain) -> None:
    if domain.zone_id is None:
        return await _schedule_next_check(context, domain)
    if domain.status is not DomainStatus.ACTIVE:
        zone = await _zone(context, domain.zone_id)
        if zone is not None and not zone.is_active:
            checked = await _ask_for_check(context, domain)
            return await _schedule_next_check(context, checked, zone)
    arguments = {"domain_id": domain.id, "operation": "domains.watch"}
    run = await context.runs.start("provision_domain", key=domain.root_domain, **arguments)
    await run.result()
    return None


async def _zone(context: Context, zone_id: str) -> Zone | None:
    """The zone; None when Cloudflare no longer shows it: provisioning finds its successor, or stores the reason."""
    try:
        return await zones.read_zone(context.cloudflare.client(), zone_id)
    except (NotFound, MissingPermission):
        return None


async def _ask_for_check(context: Context, domain: Domain) -> Domain:
    """Ask Cloudflare to check the delegation now, as often as it allows; this only speeds up its own checks."""
    now, last = await context.database.read(database_now), domain.activation_checked_at
    if domain.zone_id is None or (last is not None and last <= now < last + _BETWEEN_CHECKS):
        return domain
    try:
        await zones.check_activation(context.cloudflare.client(), domain.zone_id)
    except TryLater:
        _log.info("watch.check_too_soon", domain=domain.root_domain)
    return replace(domain, activation_checked_at=now)


async def _schedule_next_check(context: Context, domain: Domain, zone: Zone | None = None) -> None:
    """Save the state of the zone and when the next check is due; a changed zone status is an event."""
    now = context.clock()
    changed = zone is not None and zone.status != domain.zone_status

    def save(connection: Connection) -> None:
        current = domains.find_to_change(connection, domain.id)
        if current is None or current.next_look_at is None or current.zone_id != domain.zone_id:
            return  # provisioned, removed or bound again meanwhile
        looked_at = database_now(connection)
        seen = _with_reason(current.seen_at_cloudflare(zone, looked_at), zone) if zone else current
        later = replace(seen.looked_at(looked_at), activation_checked_at=domain.activation_checked_at)
        domains.save(connection, later)
        if changed and zone is not None:
            domain_events.add(connection, DomainEvent(domain.id, now, "zone_status", message=zone.status))

    await context.database.write(save)


def _with_reason(domain: Domain, zone: Zone) -> Domain:
    """
    *domain* with the reason that is true now: it waits for its name servers, whatever went wrong before.

    A waiting domain that says so already keeps Cloudflare's exact answer.
    """
    if domain.last_provision_code == "cloudflare_zone_not_active" or zone.is_active:
        return domain
    return replace(
        domain,
        last_provision_error=f"{PENDING} (status: {zone.status})",
        last_provision_code="cloudflare_zone_not_active",
        last_provision_details={},
    )
