"""
Provision a domain: read its zone, switch Email Routing on, save the outcome.

A refused domain stays, as `provisioning_error` with the reason and the name servers, and can be retried. A failure that
does not concern the domain (rate limit, no answer, an error inside Cloudflare) changes nothing.
"""

from dataclasses import replace
from typing import Final

import structlog
from sqlalchemy import Connection

from kaisoumail.cloudflare import email_routing, tokens, zones
from kaisoumail.cloudflare.calls import recording
from kaisoumail.cloudflare.errors import (
    Answer,
    BadToken,
    CloudflareError,
    CloudflareFault,
    CloudflareUnreachable,
    MissingPermission,
    RateLimited,
    UnreadableAnswer,
)
from kaisoumail.cloudflare.limiter import calling_for, current_caller
from kaisoumail.errors import Problem
from kaisoumail.model.domain import BindingSource, Domain, DomainStatus, Zone
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import domain_events, domain_routing, domains, subdomains
from kaisoumail.storage.tables.domain_events import DomainEvent
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import Retry, id_in_step, step
from kaisoumail.workflows.jobs.reconcile_domain import reconcile
from kaisoumail.workflows.jobs.step_names import READ_ZONE, SAVE_OUTCOME, SWITCH_ON

# An active zone whose name servers changed; it is deleted after a week (Cloudflare docs, "Zone status", 2026).
_NOT_DELEGATED_ANY_MORE: Final = ("moved", "deactivated")
PATIENCE: Final = Retry((CloudflareUnreachable, CloudflareFault), attempts=3, first_pause=0.5)

_log = structlog.get_logger("kaisoumail.domains")


@job("provision_domain", version=2)
async def provision_domain(context: Context, domain_id: str, operation: str) -> None:
    """
    Raises CloudflareError when Cloudflare gave no usable answer; any answer about the domain is saved in its row.

    Raises Problem `domain_not_found` for a domain that was deleted meanwhile.
    """
    with calling_for(operation):
        await provision(context, domain_id)


async def provision(context: Context, domain_id: str) -> None:
    """The steps of the job."""
    with recording() as calls:
        zone = await step(READ_ZONE, read_zone, context, domain_id, retry=PATIENCE)
        refusal = await step(SWITCH_ON, switch_on, context, zone, retry=PATIENCE)
        refusal = await reconcile_unless(refusal, context, domain_id, zone)
    await step(SAVE_OUTCOME, save_outcome, context, domain_id, zone, refusal, calls)


async def reconcile_unless(
    refusal: Problem | None, context: Context, domain_id: str, zone: Zone | Problem
) -> Problem | None:
    """
    None when the zone has what it should have; *refusal* itself, or the Problem why that could not be seen or made.

    Raises CloudflareError when the answer says nothing about the domain.
    """
    if refusal is not None or isinstance(zone, Problem):
        return refusal
    await step("adopt_zone", adopt_zone, context, domain_id, zone)
    try:
        await reconcile(context, domain_id, zone.id, PATIENCE)
    except CloudflareError as error:
        return refusal_in(error)
    return None


async def adopt_zone(context: Context, domain_id: str, zone: Zone) -> None:
    """Store the zone before anything is made in it: the jobs of mailboxes read there which one it is."""

    def save(connection: Connection) -> None:
        domain = domains.find_to_change(connection, domain_id)
        if domain is not None and domain.zone_id != zone.id:
            domains.save(connection, with_zone(connection, domain, zone, BindingSource.CATALOG))

    await context.database.write(save)


async def read_zone(context: Context, domain_id: str) -> Zone | Problem:
    """
    The zone as it is now, or the Problem why Cloudflare does not show it.

    A zone that was deleted at Cloudflare and added again has a new id and is found by its name. Raises Problem
    `domain_not_found` for a deleted domain, and CloudflareError when the answer says nothing about the domain.
    """
    domain, cloudflare = await _domain(context, domain_id), context.cloudflare.client()
    if domain.zone_id is None:
        return Problem("zone_id_missing", f"Domain {domain.root_domain} is missing a Cloudflare zone id")
    try:
        return await zones.read_zone(cloudflare, domain.zone_id)
    except CloudflareError as error:
        refusal = await refusal_named(context, error)
    if refusal.code == "cloudflare_token_invalid":
        return refusal
    try:
        namesake = await zones.find_zone(cloudflare, domain.root_domain, None)
    except CloudflareError as error:
        refusal_in(error)
        return refusal
    if namesake is None:
        return Problem(
            "zone_gone",
            f"Cloudflare shows no zone {domain.root_domain} to this token any more: it was deleted or moved to another "
            "account, or the token does not include it",
            **refusal.details,
        )
    return refusal if namesake.id == domain.zone_id else namesake


async def switch_on(context: Context, zone: Zone | Problem) -> Problem | None:
    """None when Email Routing is on, else the Problem why it is not."""
    if isinstance(zone, Problem):
        return zone
    if zone.status in _NOT_DELEGATED_ANY_MORE:
        sentence = f"The name servers of {zone.name} do not point to Cloudflare any more (status: {zone.status})"
        return Problem("zone_moved", sentence, zoneStatus=zone.status, nameServers=list(zone.name_servers))
    try:
        await email_routing.enable(context.cloudflare.client(), zone.id)
    except CloudflareError as error:
        return await refusal_named(context, error)
    return None


async def save_outcome(
    context: Context, domain_id: str, zone: Zone | Problem, refusal: Problem | None, calls: list[Answer]
) -> None:
    """
    Save the outcome and its *calls* to Cloudflare. A domain that was disabled meanwhile stays disabled.

    Raises Problem `domain_not_found` when it was deleted meanwhile.
    """
    about, is_asked_for = {"calls": [answer.as_details() for answer in calls]}, current_caller().is_urgent
    event = DomainEvent(domain_id, context.clock(), "ready", details=about, id=id_in_step("evt"))
    if refusal is not None:
        event = replace(event, kind="refused").because_of(refusal)

    def save(connection: Connection) -> Problem | None:
        domain = domains.find_to_change(connection, domain_id)
        if domain is None:
            return Problem("domain_not_found", "Mailbox domain not found")
        if isinstance(zone, Zone):
            domain = with_zone(connection, domain, zone, BindingSource.CATALOG)
        if domain.status is DomainStatus.DISABLED:  # disabled while Cloudflare was being called: it stays disabled
            domains.save(connection, domain)
            return None
        now = database_now(connection)
        if refusal is not None and refusal.code == "zone_gone":
            domain = domain.without_zone_status()
        domains.save(connection, domain.provisioned(now) if refusal is None else domain.not_provisioned(refusal, now))
        # A daily look that finds an active domain active is no news.
        if refusal is not None or not domain.is_active or is_asked_for:
            domain_events.add(connection, event)
        return None

    await write_or_raise(context.database, save)


def with_zone(connection: Connection, domain: Domain, zone: Zone, source: BindingSource) -> Domain:
    """
    *domain* with the state of its zone at Cloudflare, seen now by the database's clock.

    A zone other than its former one has *source* as its origin, and none of the subdomains we had enabled in the old
    one: they are forgotten.
    """
    if domain.zone_id != zone.id:
        subdomains.forget_all(connection, domain_id=domain.id)
        domain_routing.forget(connection, domain.id)
        domain = replace(domain, binding_source=source)
    return domain.seen_at_cloudflare(zone, database_now(connection))


def refusal_in(error: CloudflareError) -> Problem:
    """The Problem of *error* to store with the domain. Raises *error* itself when it does not concern the domain."""
    if isinstance(error, CloudflareUnreachable | CloudflareFault | RateLimited | UnreadableAnswer):
        raise error
    return error.problem()


async def refusal_named(context: Context, error: CloudflareError) -> Problem:
    """
    As `refusal_in`; what looks like a missing permission is that of the token itself when the token is invalid.

    Cloudflare answers 10000 "Authentication error" for both, so the token is verified once.
    """
    problem = refusal_in(error)
    if isinstance(error, MissingPermission):
        try:
            await tokens.kind_of(context.cloudflare.client(), context.cloudflare.account_id)
        except BadToken as invalid:
            return invalid.problem()
        except CloudflareError as unknown:
            _log.info("domains.token_not_verified", reason=str(unknown))
    return problem


async def _domain(context: Context, domain_id: str) -> Domain:
    domain = await context.database.read(lambda connection: domains.find(connection, domain_id))
    if domain is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    return domain
