"""
Delete a domain that we bound: hide it, delete its zone at Cloudflare, or restore it.

It is hidden first, so that no mailbox can be created on a zone that is being deleted, and restored to its former state
when Cloudflare refuses, so that no domain stays half deleted.
"""

from dataclasses import replace

from sqlalchemy import Connection

from kaisoumail.cloudflare import zones
from kaisoumail.cloudflare.errors import CloudflareError, MissingPermission, NotFound
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.errors import Problem
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import domain_events, domains, mailboxes, subdomains
from kaisoumail.storage.tables.domain_events import DomainEvent
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import id_in_step, step
from kaisoumail.workflows.jobs.provision_domain import PATIENCE

UNKNOWN_ZONE = 9109  # Cloudflare's answer for a zone that does not exist any more (measured 2026-09)


@job("delete_domain", version=2)
async def delete_domain(context: Context, domain_id: str) -> None:
    """
    Raises Problem `domain_in_use` while the domain has mailboxes, or `domain_not_found`.

    Raises CloudflareError when the zone could not be deleted; the domain is then as it was before.
    """
    with calling_for("domains.delete"):
        zone_id = await step("hide", hide, context, domain_id)
        try:
            await step("delete_zone", delete_zone, context, zone_id, retry=PATIENCE)
        except CloudflareError as error:
            await step("restore", restore, context, domain_id, error.problem())
            raise
        await step("forget_hosts", forget_hosts, context, domain_id)


async def hide(context: Context, domain_id: str) -> str | None:
    """
    The domain's zone id or None. The domain counts as deleted from now on; its former status is stored.

    Raises Problem `domain_not_found` or `domain_in_use`.
    """
    now = context.clock()

    def work(connection: Connection) -> str | Problem | None:
        domain = domains.find_any(connection, domain_id)
        if domain is None:
            return Problem("domain_not_found", "Mailbox domain not found")
        if mailboxes.any_on(connection, domain_id):
            return Problem(
                "domain_in_use",
                "Mailbox domain still has non-destroyed mailboxes",
                domainId=domain_id,
                rootDomain=domain.root_domain,
            )
        domains.save(connection, domain.hidden(now))
        return domain.zone_id

    return await write_or_raise(context.database, work)


async def delete_zone(context: Context, zone_id: str | None) -> None:
    """Delete the zone; no error if it is gone already, as after an earlier attempt whose answer was lost."""
    if zone_id is None:
        return
    try:
        await zones.delete_zone(context.cloudflare.client(), zone_id)
    except NotFound:
        return
    except MissingPermission as error:
        if error.answer.code != UNKNOWN_ZONE:
            raise


async def restore(context: Context, domain_id: str, problem: Problem) -> None:
    """Restore the state from before `hide`; a domain that was deleted even before that stays deleted."""
    event = DomainEvent(domain_id, context.clock(), "delete_refused", id=id_in_step("evt")).because_of(problem)

    def work(connection: Connection) -> None:
        domain = domains.find_any(connection, domain_id)
        if domain is None:
            return
        domains.save(connection, domain.brought_back(database_now(connection)))
        domain_events.add(connection, event)

    await context.database.write(work)


async def forget_hosts(context: Context, domain_id: str) -> None:
    """Remove the zone's subdomains; the domain is deleted for good. Its event is written once if this runs twice."""
    event = DomainEvent(domain_id, context.clock(), "deleted", id=id_in_step("evt"))

    def work(connection: Connection) -> None:
        subdomains.forget_all(connection, domain_id=domain_id)
        domain = domains.find_any(connection, domain_id)
        if domain is not None and domain.status_before_deletion is not None:
            domains.save(connection, replace(domain, status_before_deletion=None))
            domain_events.add(connection, event)

    await context.database.write(work)
