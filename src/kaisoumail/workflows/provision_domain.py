"""
Provision a domain: read its zone, switch Email Routing on, and write down what came of it.

A refusal is not the end of the domain: it is kept as `provisioning_error` with the reason and the
name servers, and can be tried again. Trouble that says nothing about the domain (rate limit, no
answer, Cloudflare's own breakage) changes nothing.
"""

from functools import partial
from typing import Final

from sqlalchemy import Connection

from kaisoumail.cloudflare import email_routing, zones
from kaisoumail.cloudflare.errors import Broken, CloudflareError, NotReached, RateLimited, Unreadable
from kaisoumail.cloudflare.pace import asking_for
from kaisoumail.errors import Problem
from kaisoumail.model.domain import Domain, Zone
from kaisoumail.storage import domain_events, domains
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine import Retry, step, workflow

PATIENCE: Final = Retry((NotReached, Broken), attempts=3, first_pause=0.5)
DOMAINS: Final = "domains"  # the topic told when any domain changed


@workflow("provision_domain")
async def provision_domain(context: Context, domain_id: str, operation: str) -> None:
    """Raises CloudflareError when Cloudflare could not be asked; any answer about the domain ends in its row."""
    with asking_for(operation):
        await provision(context, domain_id)


async def provision(context: Context, domain_id: str) -> None:
    """The steps, for every workflow that ends in a provisioned domain."""
    zone = await step("read the zone", read_zone, context, domain_id, retry=PATIENCE)
    refusal = await step("switch Email Routing on", switch_on, context, zone, retry=PATIENCE)
    await step("save the outcome", save_outcome, context, domain_id, zone, refusal)


async def read_zone(context: Context, domain_id: str) -> Zone | Problem:
    """The zone as it is now, or why Cloudflare does not show it."""
    domain = await _domain(context, domain_id)
    if domain.zone_id is None:
        return Problem("zone_id_missing", f"Domain {domain.root_domain} is missing a Cloudflare zone id")
    try:
        return await zones.read_zone(context.routing.client(), domain.zone_id)
    except CloudflareError as error:
        return refusal_in(error)


async def switch_on(context: Context, zone: Zone | Problem) -> Problem | None:
    """None once Email Routing is on; else why it is not."""
    if isinstance(zone, Problem):
        return zone
    try:
        await email_routing.enable(context.routing.client(), zone.id)
    except CloudflareError as error:
        return refusal_in(error)
    return None


async def save_outcome(context: Context, domain_id: str, zone: Zone | Problem, refusal: Problem | None) -> None:
    domain, now = await _domain(context, domain_id), context.clock()
    if isinstance(zone, Zone):
        domain = domain.seen_at_cloudflare(zone, now)
    domain = domain.provisioned(now) if refusal is None else domain.not_provisioned(refusal, now)
    await context.database.write(partial(_save_with_event, domain=domain, refusal=refusal))
    await context.signals.tell(DOMAINS)


def _save_with_event(connection: Connection, *, domain: Domain, refusal: Problem | None) -> None:
    domains.save(connection, domain)
    if refusal is None:
        domain_events.add(connection, domain.id, domain.updated_at, "ready")
    else:
        domain_events.add(
            connection,
            domain.id,
            domain.updated_at,
            "refused",
            code=refusal.code,
            message=refusal.message,
            details=refusal.details,
        )


def refusal_in(error: CloudflareError) -> Problem:
    """The Problem that *error* leaves a domain with. Raises *error* itself when it says nothing about the domain."""
    if isinstance(error, NotReached | Broken | RateLimited | Unreadable):
        raise error
    return error.problem()


async def _domain(context: Context, domain_id: str) -> Domain:
    domain = await context.database.read(lambda connection: domains.find(connection, domain_id))
    if domain is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    return domain
