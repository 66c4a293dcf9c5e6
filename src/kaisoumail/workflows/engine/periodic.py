"""Work that is repeated while the server runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from kaisoumail.errors import Problem

_log = structlog.get_logger("kaisoumail.schedule")


@asynccontextmanager
async def repeating(seconds: float, work: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Inside the block *work* is repeated with a pause of *seconds* in between; errors are logged, not raised."""
    task = asyncio.create_task(_for_ever(seconds, work))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _for_ever(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await work()
        except Problem as problem:
            _log.warning("schedule.failed", code=problem.code, reason=problem.message)
        except Exception as error:  # noqa: BLE001 - a bug in one round must not end all later ones
            _log.error("schedule.crash", exc_info=error)
        await asyncio.sleep(seconds)
