"""
Destroy a mailbox: stop receiving, remove its routing rule, delete its messages, free its address.

In this order nothing is left without an owner. While Cloudflare refuses, the mailbox stays `destroying`, with its
address in use and its messages hidden; the next request or the periodic job continues from there.
"""

from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from kaisoumail.cloudflare import email_routing
from kaisoumail.cloudflare.errors import CloudflareError, MissingPermission
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.model.audit import Entry
from kaisoumail.model.mailbox import UNKNOWN_RULE, Mailbox
from kaisoumail.storage.tables import audit, domains, mailboxes, messages
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import step
from kaisoumail.workflows.jobs.delete_domain import UNKNOWN_ZONE
from kaisoumail.workflows.jobs.provision_domain import PATIENCE

_BATCH: Final = 200


@job("destroy_mailbox", version=2)
async def destroy_mailbox(context: Context, mailbox_id: str, operation: str) -> None:
    """Raises CloudflareError when the rule could not be removed; the mailbox then stays `destroying`."""
    with calling_for(operation):
        await step("stop_receiving", stop_receiving, context, mailbox_id, operation)
        await step("remove_rule", remove_rule, context, mailbox_id, retry=PATIENCE)
        await step("delete_messages", delete_messages, context, mailbox_id)
        await step("free_address", free_address, context, mailbox_id)


async def stop_receiving(context: Context, mailbox_id: str, operation: str) -> None:
    """
    The mailbox is `destroying` from now on and its messages are hidden; a destroyed one is unchanged.

    One that nobody asked to destroy has expired: the audit log then has what was deleted with it.
    """
    now = context.clock()

    def work(connection: Connection) -> None:
        mailbox = mailboxes.begin_to_destroy(connection, mailbox_id)
        if mailbox is not None and operation == "mailboxes.sweep":
            audit.add(connection, _receipt(mailbox, now))

    await context.database.write(work)


def _receipt(mailbox: Mailbox, now: datetime) -> Entry:
    details = {"reason": "expired", "messages": mailbox.message_count}
    return Entry(
        "mailbox.destroy",
        now,
        "clean-up",
        target_id=mailbox.id,
        target=str(mailbox.address),
        details=details,
        owner_id=mailbox.user_id,
    )


async def remove_rule(context: Context, mailbox_id: str) -> None:
    """Remove the routing rule; no error if it, or its whole zone, is gone already."""
    mailbox = await context.database.read(lambda connection: mailboxes.find(connection, mailbox_id))
    if mailbox is None or mailbox.routing_rule_id is None:
        return
    zone_id = await find_zone_of(context, mailbox)
    if zone_id is None:
        return
    cloudflare, rule_id = context.cloudflare.client(), mailbox.routing_rule_id
    try:
        if rule_id == UNKNOWN_RULE:
            await email_routing.delete_rule_for(cloudflare, zone_id, str(mailbox.address))
        else:
            await email_routing.delete_rule(cloudflare, zone_id, rule_id)
    except MissingPermission as error:
        if not is_unknown_zone(error):
            raise


async def find_zone_of(context: Context, mailbox: Mailbox) -> str | None:
    """The id of the zone that has the mailbox's rule, whatever state its domain is in; None if the zone is gone."""
    domain = await context.database.read(lambda connection: domains.find_any(connection, mailbox.domain_id))
    return None if domain is None or domain.deleted_at is not None else domain.zone_id


def is_unknown_zone(error: CloudflareError) -> bool:
    """Whether the zone does not exist any more, so that nothing in it does."""
    return isinstance(error, MissingPermission) and error.answer.code == UNKNOWN_ZONE


async def delete_messages(context: Context, mailbox_id: str) -> None:
    """Delete the messages, files first: only the row has the location of its file."""
    while locations := await context.database.read(partial(messages.blobs_in, mailbox_id=mailbox_id, limit=_BATCH)):
        for location in locations:
            await context.stores.blobs.remove(location)
        await context.database.write(partial(messages.forget_raws, locations=locations))
    while await context.database.write(partial(messages.forget_some, mailbox_id=mailbox_id, limit=_BATCH)):
        pass


async def free_address(context: Context, mailbox_id: str) -> None:
    """The mailbox is `destroyed` from now on; its row stays listed, and its address can be used again."""
    now = context.clock()
    await context.database.write(lambda connection: mailboxes.end_destroying(connection, mailbox_id, now))
