"""
Bring the routing rule of one mailbox in line with whether it receives; and steps that all jobs of a mailbox share.

What is to be done depends on the row and never on why the job was started: expiry, a rule that somebody removed and a
clock that went back are the same job. All jobs of a mailbox have its id as their key: no two of them act at once.
"""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Final

from kaisoumail.cloudflare import email_routing
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import UNKNOWN_RULE, Mailbox, MailboxStatus
from kaisoumail.storage.tables import domains, mailbox_cleanup, mailboxes, subdomains
from kaisoumail.storage.tables.subdomains import HostState
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import step
from kaisoumail.workflows.jobs.destroy_mailbox import find_zone_of, remove_rule
from kaisoumail.workflows.jobs.provision_domain import PATIENCE

_RETIRING_PAUSE: Final = 0.2
_RETIRING_POLLS: Final = 300  # a minute: longer than a call to Cloudflare with its retries
RULE_CHECK_AGE: Final = timedelta(days=1)
"""A rule that Cloudflare confirmed within this time is not asked about again."""


@job("route_mailbox")
async def route_mailbox(context: Context, mailbox_id: str, operation: str) -> None:
    """
    Raises CloudflareError, or Problem `domain_gone` or `zone_id_missing`; then the mailbox is as before.

    A mailbox that is not active, being provisioned or destroyed, is left to the jobs that do so.
    """
    with calling_for(operation):
        if await step("is_receiving", is_receiving, context, mailbox_id):
            await make_host_receive(context, mailbox_id)
            rule_id = await step("ensure_rule", ensure_rule, context, mailbox_id, retry=PATIENCE)
            await step("store_rule", store_rule, context, mailbox_id, rule_id)
        else:
            await step("remove_rule", remove_rule, context, mailbox_id, retry=PATIENCE)
            await step("store_expiry", store_expiry, context, mailbox_id)


async def is_receiving(context: Context, mailbox_id: str) -> bool:
    """Whether the mailbox is active and its lifetime has not ended."""
    mailbox = await context.database.read(lambda connection: mailboxes.find(connection, mailbox_id))
    return mailbox is not None and mailbox.receives_at(context.clock())


async def make_host_receive(context: Context, mailbox_id: str) -> None:
    """
    The steps that make the host of the mailbox receive: two calls for the first mailbox on a subdomain, then none.

    The first call is to know whether it is on already, and so not ours to switch off one day. It is a step of its own:
    a run that is taken over must not find what it switched on itself.
    """
    was_on = await step("use_host", use_host, context, mailbox_id, retry=PATIENCE)
    if was_on is not None:
        await step("enable_host", enable_host, context, mailbox_id, was_on, retry=PATIENCE)


async def use_host(context: Context, mailbox_id: str) -> bool | None:
    """
    None if the host is noted as receiving; else whether Email Routing is on for it.

    Raises Problem `still_working` when it is being switched off and that does not end.
    """
    mailbox, zone_id = await find_with_zone(context, mailbox_id)
    use = partial(subdomains.use, domain_id=mailbox.domain_id, name=mailbox.address.subdomain, now=context.clock())
    for _ in range(_RETIRING_POLLS):
        state = await context.database.write(use)
        if state is HostState.ENABLED:
            return None
        if state is HostState.UNKNOWN:
            return await email_routing.is_subdomain_enabled(context.cloudflare.client(), zone_id, mailbox.address.host)
        await asyncio.sleep(_RETIRING_PAUSE)
    raise Problem("still_working", "The subdomain is being switched off; try again")


async def enable_host(context: Context, mailbox_id: str, was_on: bool) -> None:
    """Switch Email Routing on for the host, and note whether it was on before."""
    mailbox, zone_id = await find_with_zone(context, mailbox_id)
    await email_routing.enable_subdomain(context.cloudflare.client(), zone_id, mailbox.address.host)
    note = partial(
        subdomains.note_enabled,
        domain_id=mailbox.domain_id,
        name=mailbox.address.subdomain,
        now=context.clock(),
        is_ours=not was_on,
    )
    await context.database.write(note)


async def ensure_rule(context: Context, mailbox_id: str) -> str | None:
    """
    The id of the rule that routes messages for this address to our Worker: the stored one if it is there, or a new one.

    None if a rule of others does. That a rule may exist is stored before it is made.
    """
    mailbox, zone_id = await find_with_zone(context, mailbox_id)
    cloudflare, worker, address = context.cloudflare.client(), context.cloudflare.worker(), str(mailbox.address)
    rule_id = mailbox.routing_rule_id
    if rule_id not in (None, UNKNOWN_RULE) and await email_routing.has_rule(
        cloudflare, zone_id, rule_id, address, worker
    ):
        return rule_id
    await context.database.write(partial(mailbox_cleanup.expect_rule, mailbox_id=mailbox_id))
    return await email_routing.ensure_rule(cloudflare, zone_id, address, worker)


async def store_rule(context: Context, mailbox_id: str, rule_id: str | None) -> None:
    """Store the rule of a mailbox that receives."""
    await context.database.write(partial(mailbox_cleanup.store_rule, mailbox_id=mailbox_id, routing_rule_id=rule_id))


async def store_expiry(context: Context, mailbox_id: str) -> None:
    """Store that the mailbox has expired and has no rule, unless it was destroyed meanwhile."""
    await context.database.write(partial(mailbox_cleanup.store_expiry, mailbox_id=mailbox_id))


async def find_with_zone(context: Context, mailbox_id: str) -> tuple[Mailbox, str]:
    """
    The mailbox and the id of the zone that it is routed in.

    Raises Problem `mailbox_not_found`; `domain_gone` if its domain was deleted, or if it is being provisioned on one
    that is not active: existing mailboxes of a disabled domain receive, and it offers no new ones.
    """
    mailbox = await context.database.read(lambda connection: mailboxes.find(connection, mailbox_id))
    if mailbox is None:
        raise Problem("mailbox_not_found", "Mailbox not found")
    domain = await context.database.read(lambda connection: domains.find(connection, mailbox.domain_id))
    is_new = mailbox.status is MailboxStatus.PROVISIONING
    if domain is None or (is_new and not domain.is_active):
        raise Problem("domain_gone", "Mailbox domain is no longer available", rootDomain=mailbox.address.root_domain)
    zone_id = await find_zone_of(context, mailbox)
    if zone_id is None:
        raise Problem("zone_id_missing", f"Domain {domain.root_domain} is missing a Cloudflare zone id")
    return mailbox, zone_id
