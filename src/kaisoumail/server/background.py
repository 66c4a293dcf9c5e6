"""
The periodic jobs on what is stored, as a table: how often each runs, and what it does.

Heartbeats, deadlines and probes are not here: they belong to the connection or the engine that they watch.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from kaisoumail.operations.rate_limits import forget_full_buckets
from kaisoumail.operations.retention import DAILY, HOURLY, sweep
from kaisoumail.server.memory_trim import MemoryTrim
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.periodic import repeating
from kaisoumail.workflows.jobs.clean_up_mailboxes import clean_up_mailboxes
from kaisoumail.workflows.jobs.open_mailbox import resume_opening
from kaisoumail.workflows.jobs.retire_host import retire_idle_hosts
from kaisoumail.workflows.jobs.watch_activation import check_waiting_domains

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """*work* runs at the start and again *seconds* after it has ended, in every process; *purpose* describes it."""

    seconds: float
    work: Callable[[Context], Awaitable[object]]
    purpose: str


async def settle_uncertain_blobs(context: Context) -> None:
    await context.stores.uncertain_blobs.settle()


PERIODIC_JOBS: Final = (
    PeriodicJob(2.0, check_waiting_domains, "check domains that wait for their name servers, each when it is due"),
    PeriodicJob(5 * _MINUTE, retire_idle_hosts, "take subdomains without a mailbox out of Email Routing"),
    PeriodicJob(_MINUTE, forget_full_buckets, "drop rate limit buckets that are full again"),
    PeriodicJob(_MINUTE, settle_uncertain_blobs, "after an unclear commit, remove blobs whose message is not stored"),
    PeriodicJob(
        _MINUTE, clean_up_mailboxes, "remove the rules of expired mailboxes, destroy them after the grace time"
    ),
    PeriodicJob(5 * _MINUTE, resume_opening, "continue opening mailboxes after a crash"),
    PeriodicJob(_HOUR, partial(sweep, rules=HOURLY), "remove rows beyond their retention"),
    PeriodicJob(_DAY, partial(sweep, rules=DAILY), "remove files that belong to no message"),
)
_TRIM_SECONDS: Final = 20.0


async def start_periodic_jobs(stack: AsyncExitStack, context: Context) -> None:
    """Run `PERIODIC_JOBS`, and return free memory to the system, until *stack* ends."""
    for each in PERIODIC_JOBS:
        await stack.enter_async_context(repeating(each.seconds, partial(each.work, context)))
    await stack.enter_async_context(repeating(_TRIM_SECONDS, MemoryTrim().trim))
