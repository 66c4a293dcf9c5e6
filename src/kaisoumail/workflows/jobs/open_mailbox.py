"""
Open a mailbox: make its host receive messages, route its address to the Worker, activate it.

Its row exists already as `provisioning`: it reserves the address and is not shown. If Cloudflare refuses, the row and
everything created for it are removed again. If the rule cannot be removed now, the mailbox becomes `destroying` and
goes through `destroy_mailbox.py` like every other.
"""

import structlog
from sqlalchemy import Connection

from kaisoumail.cloudflare import email_routing
from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.errors import Problem
from kaisoumail.storage.tables import domains, mailboxes
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import step
from kaisoumail.workflows.jobs.destroy_mailbox import find_zone_of, is_unknown_zone
from kaisoumail.workflows.jobs.provision_domain import PATIENCE
from kaisoumail.workflows.jobs.route_mailbox import find_with_zone, make_host_receive

_log = structlog.get_logger("kaisoumail.mailboxes")


@job("open_mailbox", version=4)
async def open_mailbox(context: Context, mailbox_id: str, operation: str) -> None:
    """
    Raises CloudflareError, or Problem `domain_gone`, `zone_id_missing` or `mailbox_not_found`.

    Then nothing of the mailbox is left, or the rest is removed later.
    """
    with calling_for(operation):
        await _open(context, mailbox_id)


async def _open(context: Context, mailbox_id: str) -> None:
    try:
        await make_host_receive(context, mailbox_id)
    except (CloudflareError, Problem):
        await step("give_up", give_up, context, mailbox_id, False)
        raise
    try:
        rule_id = await step("route_address", route_address, context, mailbox_id, retry=PATIENCE)
        await step("activate", activate, context, mailbox_id, rule_id)
    except (CloudflareError, Problem):
        has_rule = await step("remove_rule", remove_rule, context, mailbox_id)
        await step("give_up", give_up, context, mailbox_id, has_rule)
        raise


async def resume_opening(context: Context) -> None:
    """
    Start a run for every mailbox that is still `provisioning` and has none.

    Releases that wrote the row before the run left such mailboxes when they died in between.
    """
    for mailbox in await context.database.read(mailboxes.unopened):
        arguments = {"mailbox_id": mailbox.id, "operation": "mailboxes.sweep"}
        await context.runs.start("open_mailbox", key=mailbox.id, **arguments)


async def route_address(context: Context, mailbox_id: str) -> str | None:
    """The id of the rule that routes messages for this address to our Worker; None if a rule of others does."""
    mailbox, zone_id = await find_with_zone(context, mailbox_id)
    return await email_routing.ensure_rule(
        context.cloudflare.client(), zone_id, str(mailbox.address), context.cloudflare.worker()
    )


async def activate(context: Context, mailbox_id: str, rule_id: str | None) -> None:
    """Store the rule. Raises Problem `mailbox_not_found` if the row is gone: nothing else would have the rule's id."""
    opened = await context.database.write(lambda connection: mailboxes.activate(connection, mailbox_id, rule_id))
    if opened is None:
        raise Problem("mailbox_not_found", "Mailbox not found")


async def remove_rule(context: Context, mailbox_id: str) -> bool:
    """
    Remove the address's rule; True if Cloudflare refused, so that a rule may still exist.

    The domain need not be active: it may have been disabled since an unanswered request made the rule.
    """
    mailbox = await context.database.read(lambda connection: mailboxes.find(connection, mailbox_id))
    zone_id = None if mailbox is None else await find_zone_of(context, mailbox)
    if mailbox is None or zone_id is None:
        _log.info("mailboxes.no_zone_with_a_rule", mailbox=mailbox_id)
        return False
    try:
        await email_routing.delete_rule_for(context.cloudflare.client(), zone_id, str(mailbox.address))
    except CloudflareError as error:
        if is_unknown_zone(error):
            return False
        _log.warning("mailboxes.rule_left", mailbox=mailbox_id, error=str(error))
        return True
    return False


async def give_up(context: Context, mailbox_id: str, has_rule: bool) -> None:
    """
    Free the address: now, or after its rule is gone where one may exist (*has_rule*).

    The zone may not be as it is believed to be, so it is looked at.
    """
    change = mailboxes.give_up if has_rule else mailboxes.remove

    def work(connection: Connection) -> None:
        mailbox = mailboxes.find(connection, mailbox_id)
        change(connection, mailbox_id)
        if mailbox is not None:
            domains.look_soon(connection, [mailbox.domain_id])

    await context.database.write(work)
