"""Every periodic job of a server, in one table: how often, and what it does."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from kaisoumail.operations.rate_limits import forget_full_buckets
from kaisoumail.operations.retention import DAILY, HOURLY, sweep
from kaisoumail.server.memory_trim import MemoryTrim
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.periodic import repeated
from kaisoumail.workflows.jobs.destroy_mailbox import destroy_what_was_left
from kaisoumail.workflows.jobs.open_mailbox import open_what_was_left
from kaisoumail.workflows.jobs.watch_activation import look_at_waiting

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """*work* is done at the start and then every *seconds*, on every process; *purpose* says what for."""

    seconds: float
    work: Callable[[Context], Awaitable[object]]
    purpose: str


async def settle_uncertain_blobs(context: Context) -> None:
    await context.stores.uncertain_blobs.settle()


PERIODIC_JOBS: Final = (
    PeriodicJob(2.0, look_at_waiting, "look at domains that wait for their name servers; each is due by its own time"),
    PeriodicJob(_MINUTE, forget_full_buckets, "drop rate limit buckets that are full again"),
    PeriodicJob(_MINUTE, settle_uncertain_blobs, "keep or remove blobs whose commit had no clear outcome"),
    PeriodicJob(
        5 * _MINUTE, destroy_what_was_left, "go on destroying mailboxes that Cloudflare refused or a crash left"
    ),
    PeriodicJob(5 * _MINUTE, open_what_was_left, "go on opening mailboxes that a crash left"),
    PeriodicJob(_HOUR, partial(sweep, rules=HOURLY), "remove rows that are older than they are kept"),
    PeriodicJob(_DAY, partial(sweep, rules=DAILY), "remove files that belong to no message"),
)
_TRIM_SECONDS: Final = 20.0


async def start_periodic_jobs(stack: AsyncExitStack, context: Context) -> None:
    """Do the work of `PERIODIC_JOBS`, and give memory back to the system, until *stack* ends."""
    for each in PERIODIC_JOBS:
        await stack.enter_async_context(repeated(each.seconds, partial(each.work, context)))
    await stack.enter_async_context(repeated(_TRIM_SECONDS, MemoryTrim().trim))
