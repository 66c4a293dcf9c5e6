"""Reviving an expired mailbox, and whether the routing rule of one that receives is still there."""

from datetime import datetime
from functools import partial

import structlog

from kaisoumail.cloudflare.errors import CloudflareError, CloudflareFault, CloudflareUnreachable, RateLimited
from kaisoumail.errors import Problem
from kaisoumail.model.audit import Target
from kaisoumail.model.clock import iso_or_none
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.user import Viewer
from kaisoumail.operations.audit import note
from kaisoumail.storage.tables import mailbox_cleanup, mailboxes
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.engine import StillRunning
from kaisoumail.workflows.jobs.route_mailbox import RULE_CHECK_AGE

_log = structlog.get_logger("kaisoumail.mailboxes")


async def revive(context: Context, viewer: Viewer, mailbox: Mailbox, until: datetime | None) -> Mailbox:
    """
    *mailbox*, receiving again until *until*, with its rule made before it is shown as active.

    Raises Problem `token_missing`, `worker_name_missing`, `quota_reached`, `domain_gone`, `zone_id_missing`,
    `still_working`, and the refusal of Cloudflare; the mailbox then stays expired.
    """
    context.cloudflare.client()
    context.cloudflare.worker()
    target = Target(mailbox.id, str(mailbox.address), mailbox.user_id)
    await note(context, viewer, "mailbox.extend", target, expiresAt=iso_or_none(until))
    arguments = {"mailbox_id": mailbox.id, "until": iso_or_none(until), "operation": "mailboxes.ensure"}
    run = await context.runs.start("revive_mailbox", key=mailbox.id, **arguments)
    try:
        await run.result()
    except CloudflareError as error:
        raise error.problem() from error
    except StillRunning as running:
        sentence = "Cloudflare has not answered yet; a repeated request for this address waits for the same mailbox"
        raise Problem(running.code, sentence, mailboxId=mailbox.id, **running.details) from None
    revived = await context.database.read(lambda connection: mailboxes.find(connection, mailbox.id))
    if revived is None:
        raise Problem("mailbox_not_found", "Mailbox not found")
    return revived


async def check_rule(context: Context, mailbox: Mailbox) -> None:
    """
    Have the rule of *mailbox* looked at, and made again if it is gone, unless Cloudflare confirmed it within a day.

    Raises the refusal of Cloudflare to make it. When Cloudflare does not answer, nothing is known and nothing changes.
    """
    is_unseen = partial(mailbox_cleanup.is_rule_unseen_for, mailbox_id=mailbox.id, age=RULE_CHECK_AGE)
    if mailbox.routing_rule_id is None or not await context.database.read(is_unseen):
        return
    arguments = {"mailbox_id": mailbox.id, "operation": "mailboxes.ensure"}
    run = await context.runs.start("route_mailbox", key=mailbox.id, **arguments)
    try:
        await run.result()
    except (RateLimited, CloudflareUnreachable, CloudflareFault, StillRunning) as error:
        _log.info("mailboxes.rule_not_checked", mailbox=mailbox.id, reason=str(error))
    except CloudflareError as error:
        raise error.problem() from error
