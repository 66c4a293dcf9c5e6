"""Stories on a managed context, on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from kaisoumail.workflows.context import CleanupLimits
from tests.database_clock import DatabaseClock
from tests.managed import Managed, managed

Told = Callable[[Callable[[Managed], Awaitable[None]]], None]


@pytest.fixture
def told(tmp_path: Path, database_url: str, database_clock: DatabaseClock) -> Told:
    """Runs a story on a managed context; ten mailboxes are cleaned up at a time."""

    def tell(story: Callable[[Managed], Awaitable[None]]) -> None:
        async def run() -> None:
            async with managed(tmp_path, database_url, database_clock, CleanupLimits(batch_size=10)) as site:
                await story(site)

        asyncio.run(run())

    return tell
