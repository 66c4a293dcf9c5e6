"""Stories on a managed context."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from zlib import crc32

import pytest

from kaisoumail.workflows.context import CleanupLimits
from tests.database_clock import DatabaseClock, a_database_clock
from tests.managed import Managed, managed
from tests.migrated import put_sqlite

Told = Callable[[Callable[[Managed], Awaitable[None]]], None]


def teller(folder: Path, database_url: str, clock: DatabaseClock) -> Told:
    """Runs a story on a managed context; ten mailboxes are cleaned up at a time."""

    def tell(story: Callable[[Managed], Awaitable[None]]) -> None:
        async def run() -> None:
            async with managed(folder, database_url, clock, CleanupLimits(batch_size=10)) as site:
                await story(site)

        asyncio.run(run())

    return tell


@pytest.fixture
def told(tmp_path: Path, database_url: str, database_clock: DatabaseClock) -> Told:
    """Runs a story on both databases: for what the tables decide."""
    return teller(tmp_path, database_url, database_clock)


@pytest.fixture
def told_once(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Told]:
    """Runs a story on one of the databases, half of the stories each: for what Cloudflare decides."""
    if crc32(request.node.name.encode()) % 2 == 0:
        url = request.getfixturevalue("postgres_url")
    else:
        put_sqlite(tmp_path / "kaisoumail.db")
        url = f"sqlite:///{tmp_path / 'kaisoumail.db'}"
    with a_database_clock(url) as clock:
        yield teller(tmp_path, url, clock)
