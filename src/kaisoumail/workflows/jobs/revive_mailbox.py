"""
Revive an expired mailbox: make its rule again, then extend its lifetime.

In this order it is never shown as active while its address is refused. If Cloudflare refuses, it stays expired, and the
clean-up removes what was made for it.
"""

from datetime import datetime

from sqlalchemy import Connection

from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import Mailbox, MailboxStatus
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.tables import mailbox_cleanup, mailboxes
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import step
from kaisoumail.workflows.jobs.provision_domain import PATIENCE
from kaisoumail.workflows.jobs.route_mailbox import ensure_rule, make_host_receive


@job("revive_mailbox")
async def revive_mailbox(context: Context, mailbox_id: str, until: str | None, operation: str) -> None:
    """
    *until* is the new end as ISO 8601, None for one that lives until it is destroyed.

    Raises CloudflareError, or Problem `mailbox_not_found`, `domain_gone`, `zone_id_missing` or `quota_reached`.
    """
    with calling_for(operation):
        await make_host_receive(context, mailbox_id)
        rule_id = await step("ensure_rule", ensure_rule, context, mailbox_id, retry=PATIENCE)
        await step("extend", extend, context, mailbox_id, until, rule_id)


async def extend(context: Context, mailbox_id: str, until: str | None, rule_id: str | None) -> None:
    """Store the lifetime and the rule, if the quota of the owner allows one more mailbox that receives."""
    end = None if until is None else datetime.fromisoformat(until)

    def work(connection: Connection) -> Problem | None:
        mailbox = mailboxes.find_to_change(connection, mailbox_id)
        if mailbox is None or mailbox.status is not MailboxStatus.ACTIVE:
            return Problem("mailbox_not_found", "Mailbox not found")
        refusal = None if mailbox.receives_at(context.clock()) else quota_refusal(connection, context, mailbox)
        if refusal is not None:
            return refusal
        mailboxes.prolong(connection, mailbox.extended_to(end))
        mailbox_cleanup.store_rule(connection, mailbox_id, rule_id)
        return None

    await write_or_raise(context.database, work)


def quota_refusal(connection: Connection, context: Context, mailbox: Mailbox) -> Problem | None:
    """The Problem that the owner of *mailbox* may have no further one that receives; locks the owner."""
    quotas = context.policy.limits.quotas
    if not quotas.mailboxes:
        return None
    return quotas.refuse_mailbox_beyond(mailboxes.number_receiving(connection, mailbox.user_id, context.clock()))
