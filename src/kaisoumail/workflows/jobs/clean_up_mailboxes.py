"""
Clean mailboxes up: remove the rules of expired ones, destroy those whose grace time is over, continue what was refused.

The row of each mailbox is what it is decided by. What fails is tried again after growing pauses, so that one mailbox
that Cloudflare refuses does not delay the others.
"""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from kaisoumail.cloudflare.errors import CloudflareError, RateLimited
from kaisoumail.errors import Problem
from kaisoumail.storage.tables import mailbox_cleanup
from kaisoumail.storage.tables.mailbox_cleanup import Cleanup, Due, DueMailbox
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.engine import StillRunning
from kaisoumail.workflows.engine.results import RunFailed

_JOBS: Final = {Cleanup.ROUTE: "route_mailbox", Cleanup.DESTROY: "destroy_mailbox"}
_PUT_OFF: Final = timedelta(minutes=2)
_BATCH: Final = 200
_log = structlog.get_logger("kaisoumail.mailboxes")


async def clean_up_mailboxes(context: Context) -> int:
    """Do what is due now, several mailboxes at a time, until nothing is or Cloudflare's rate limit is reached."""
    limits, count = context.policy.limits.cleanup, 0
    without_rule = partial(mailbox_cleanup.store_expiries_without_rule, limit=_BATCH)
    while await context.database.write(partial(without_rule, now=context.clock())):
        pass
    while True:
        due = Due(context.clock(), limits.grace, limits.batch_size, context.cloudflare.can_manage)
        claimed = await context.database.write(partial(mailbox_cleanup.claim, due=due, put_off=_PUT_OFF))
        if not claimed:
            return count
        outcomes = await asyncio.gather(*(_clean_up(context, mailbox) for mailbox in claimed))
        count += len(claimed)
        if not all(outcomes):
            return count


async def _clean_up(context: Context, due: DueMailbox) -> bool:
    """Whether there is a point in going on with other mailboxes: not during a rate limit."""
    arguments = {"mailbox_id": due.id, "operation": "mailboxes.sweep"}
    try:
        run = await context.runs.start(_JOBS[due.cleanup], key=due.id, **arguments)
        await run.result()
    except StillRunning:  # it goes on
        return True
    except RateLimited:
        return False
    except (CloudflareError, Problem, RunFailed) as error:
        _log.warning("mailboxes.cleanup_postponed", mailbox=due.id, cleanup=due.cleanup.name.lower(), error=str(error))
        await context.database.write(partial(mailbox_cleanup.postpone, mailbox_id=due.id))
    return True
