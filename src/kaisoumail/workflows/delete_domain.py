"""
Delete a domain we bound: hide it, delete its zone at Cloudflare, or bring it back.

Hidden first, so that no mailbox can be made on a zone that is going away; brought back as it was when
Cloudflare refuses, so that nothing is half gone.
"""

from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from kaisoumail.cloudflare import zones
from kaisoumail.cloudflare.errors import CloudflareError, MissingPermission, NotFound
from kaisoumail.cloudflare.pace import asking_for
from kaisoumail.errors import Problem
from kaisoumail.model.domain import Domain, DomainStatus
from kaisoumail.storage import domain_events, domains, mailboxes, subdomains
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine import step, workflow
from kaisoumail.workflows.provision_domain import DOMAINS, PATIENCE

UNKNOWN_ZONE = 9109  # what Cloudflare answers for a zone that is gone (measured 2026-09)


@workflow("delete_domain")
async def delete_domain(context: Context, domain_id: str) -> None:
    """Raises Problem while mailboxes are left, and CloudflareError when the zone could not be deleted."""
    with asking_for("domains.delete"):
        before = await step("hide the domain", hide, context, domain_id)
        try:
            await step("delete the zone", delete_zone, context, before, retry=PATIENCE)
        except CloudflareError as error:
            await step("bring it back", bring_back, context, before, error.problem())
            raise
        await step("forget its hosts", forget_hosts, context, domain_id)


async def hide(context: Context, domain_id: str) -> Domain:
    """The domain as it was; from now on it counts as deleted."""
    now = context.clock()

    def work(connection: Connection) -> Domain:
        domain = domains.find_any(connection, domain_id)
        if domain is None:
            raise Problem("domain_not_found", "Mailbox domain not found")
        if mailboxes.any_on(connection, domain_id):
            raise Problem(
                "domain_in_use",
                "Mailbox domain still has non-destroyed mailboxes",
                domainId=domain_id,
                rootDomain=domain.root_domain,
            )
        hidden = replace(
            domain,
            status=DomainStatus.DISABLED,
            disabled_at=domain.disabled_at or now,
            deleted_at=domain.deleted_at or now,
            next_look_at=None,
            updated_at=now,
        )
        domains.save(connection, hidden)
        return domain

    return await context.database.write(work)


async def delete_zone(context: Context, domain: Domain) -> None:
    """Deletes the zone; one that is gone, also by an earlier try whose answer was lost, is fine."""
    if domain.zone_id is None:
        return
    try:
        await zones.delete_zone(context.routing.client(), domain.zone_id)
    except NotFound:
        return
    except MissingPermission as error:
        if error.answer.code != UNKNOWN_ZONE:
            raise


async def bring_back(context: Context, domain: Domain, problem: Problem) -> None:
    now = context.clock()

    def work(connection: Connection) -> None:
        domains.save(connection, replace(domain, updated_at=now))
        domain_events.add(
            connection,
            domain.id,
            now,
            "delete_refused",
            code=problem.code,
            message=problem.message,
            details=problem.details,
        )

    await context.database.write(work)
    await context.signals.tell(DOMAINS)


async def forget_hosts(context: Context, domain_id: str) -> None:
    await context.database.write(partial(subdomains.forget_all, domain_id=domain_id))
    now = context.clock()
    await context.database.write(lambda connection: domain_events.add(connection, domain_id, now, "deleted"))
    await context.signals.tell(DOMAINS)
