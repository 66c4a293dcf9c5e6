"""
What is left of mailboxes that lived: made, one message received, one refused, destroyed; in process, Cloudflare off.

Time is moved, not waited for: the lives are spread over a little more than four times the longest age there is, so that
after a quarter of them everything that has an age has begun to go. From there on nothing may grow.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, select

from kaisoumail.errors import Problem
from kaisoumail.model.message import Envelope
from kaisoumail.operations import mailboxes
from kaisoumail.operations.orphaned_files import remove_orphaned_files
from kaisoumail.operations.receive import Handover, can_receive, receive
from kaisoumail.operations.retention import DAILY, HOURLY, sweep
from kaisoumail.server.logs import log_to_stderr
from kaisoumail.storage.engine.schema import metadata
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.jobs import all_jobs  # noqa: F401 - what is imported can be started
from tests.builders import an_email
from tests.contexts import a_context
from tests.people import ADA, NOON

LIVES: Final = int(os.environ.get("KAISOUMAIL_BENCH_LIVES", "20000"))
PARTS: Final = {"1/4": 4, "1/2": 2, "1/1": 1}
_SLACK: Final = {"rows": 5, "bytes": 2**18}
_SWEEPS: Final = 400
_AT_ONCE: Final = 16
_LARGE: Final = 20  # one message in so many goes to the blob store
_SPARE: Final = 1.05  # of the longest age in each quarter


@dataclass
class Clock:
    """The wall clock and the database's, moved on by hand."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Growth:
    """What there was after each part of the lives: the rows of each table and the bytes of each file."""

    sizes: Mapping[str, Mapping[str, int]]

    def growing(self) -> list[str]:
        """What is larger at the end than after a quarter, by more than a few rows or pages."""
        quarter, end = self.sizes["1/4"], self.sizes["1/1"]
        return [name for name in end if end[name] > quarter.get(name, 0) * 1.05 + _SLACK[name.partition(" ")[0]]]


async def measured(folder: Path, lives: int = LIVES) -> Growth:
    """What *lives* mailboxes leave in *folder*."""
    clock, sizes = Clock(), dict[str, Mapping[str, int]]()
    async with (
        a_context(folder, clock=clock, database_clock=clock) as context,
        context.runs.running(context, context.database),
    ):
        longest = max(rule.age(context.policy.limits) for rule in (*HOURLY, *DAILY))
        steps = min(_SWEEPS, lives // 4)
        ending = {steps // divisor: part for part, divisor in PARTS.items()}
        for step in range(1, steps + 1):
            numbers = range(lives * (step - 1) // steps, lives * step // steps)
            for start in range(0, len(numbers), _AT_ONCE):
                await asyncio.gather(*(_life(context, each) for each in numbers[start : start + _AT_ONCE]))
            clock.now += longest * 4 * _SPARE / steps
            await _swept(context)
            if step in ending:
                await context.stores.rejections.written()
                rows = await context.database.read(_rows)
                sizes[ending[step]] = rows | await asyncio.to_thread(_files, folder)
    return Growth(sizes)


async def _life(context: Context, number: int) -> None:
    mailbox = await mailboxes.create(context, ADA, mailboxes.MailboxRequest(root_domain="demo.example", minutes=60))
    address = str(mailbox.address)
    text = "Enter it within ten minutes." + " x" * (50_000 if number % _LARGE == 0 else 50)
    raw = an_email(address, text=text)
    envelope = Envelope("no-reply@shop.example", address)
    [receipt] = await receive(context, [Handover("smtp", envelope, mailbox)], raw)
    if isinstance(receipt, Problem):
        raise receipt
    await mailboxes.destroy(context, ADA, mailbox.id)
    with suppress(Problem):  # it is refused, which leaves a line
        await can_receive(context, "smtp", envelope)


async def _swept(context: Context) -> None:
    async def at_once() -> None:
        return None

    await sweep(context, HOURLY)
    for rule in DAILY:
        await remove_orphaned_files(context, rule.age(context.policy.limits), at_once)


def _rows(connection: Connection) -> dict[str, int]:
    counted = {table: select(func.count()).select_from(table) for table in metadata.sorted_tables}
    return {f"rows of {table.name}": connection.execute(query).scalar_one() for table, query in counted.items()}


def _files(folder: Path) -> dict[str, int]:
    """Databases each by themselves, the files of a folder together."""
    sizes: Counter[str] = Counter()
    for path in filter(Path.is_file, folder.rglob("*")):
        sizes[f"bytes of {path.relative_to(folder).parts[0]}"] += path.stat().st_size
    return dict(sizes)


def report(folder: Path) -> None:
    """Measure, and print the table."""
    log_to_stderr(level=40)
    growth = asyncio.run(measured(folder))
    print(f"\n{f'left of {LIVES:,} lives, after':44} " + " ".join(f"{part:>12}" for part in PARTS))
    for name in sorted(growth.sizes["1/1"], reverse=True):
        print(f"{name:44} " + " ".join(f"{size.get(name, 0):12,}" for size in growth.sizes.values()))
    print(f"growing: {', '.join(growth.growing()) or 'nothing'}")
