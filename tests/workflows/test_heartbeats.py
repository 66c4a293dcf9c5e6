"""Who is dead, whatever the clocks say: the database's steps, and each process has its own."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

import psycopg
import pytest

from kaisoumail.errors import Problem
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.tables import key_values
from kaisoumail.workflows.engine.heartbeats import Heartbeats
from tests.database_clock import DatabaseClock

DEAD_AFTER = 10.0
STEPS = [{"seconds": 20}, {"hours": -1}, {"days": -1}, {"days": 1}]
Story = Callable[[Database], Awaitable[None]]


class Watching:
    """A process whose monotonic clock began *at* some moment of its own."""

    def __init__(self, database: Database, process_id: str, at: float) -> None:
        self.now = at
        self.heartbeats = Heartbeats(database, process_id, DEAD_AFTER, lambda: self.now)

    async def claimed(self) -> list[str]:
        return [dead async for dead in self.heartbeats.claimed()]


@pytest.fixture
def told(database_url: str, database_clock: DatabaseClock) -> Callable[[Story], None]:
    async def run(story: Story) -> None:
        async with AsyncExitStack() as stack:
            database = open_database(database_url, clock=database_clock)
            stack.push_async_callback(database.close)
            await schema_migration.migrate(database)
            await story(database)

    return lambda story: asyncio.run(run(story))


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_k7_whoever_goes_on_beating_is_alive_when_the_databases_clock_steps(
    told: Callable[[Story], None], database_clock: DatabaseClock, step: dict[str, float]
) -> None:
    async def story(database: Database) -> None:
        alive, watcher = Watching(database, "alive", 5), Watching(database, "watcher", 1_000_000)
        for seconds in range(60):
            if seconds == 30:
                database_clock.move(**step)
            if seconds % 4 == 0:
                await alive.heartbeats.beat()
            watcher.now += 1

            assert await watcher.claimed() == []

    told(story)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_k7_whoever_falls_silent_is_dead_after_its_time_when_the_databases_clock_steps(
    told: Callable[[Story], None], database_clock: DatabaseClock, step: dict[str, float]
) -> None:
    async def story(database: Database) -> None:
        dead, watcher = Watching(database, "dead", 5), Watching(database, "watcher", 1_000_000)
        await dead.heartbeats.beat()
        claims = [await watcher.claimed()]
        database_clock.move(**step)
        for _ in range(10):
            watcher.now += 1
            claims.append(await watcher.claimed())

        assert claims == [*[[]] * 10, ["dead"]]

    told(story)


def test_when_the_one_that_took_over_dies_too_another_goes_on(told: Callable[[Story], None]) -> None:
    async def story(database: Database) -> None:
        await Watching(database, "dead", 5).heartbeats.end()
        first, second = Watching(database, "first", 5), Watching(database, "second", 5)

        claims = [await first.claimed(), await second.claimed()]
        second.now += DEAD_AFTER
        claims.append(await second.claimed())

        assert claims == [["dead"], [], ["dead"]]

    told(story)


def test_nobody_takes_itself_for_dead(told: Callable[[Story], None]) -> None:
    async def story(database: Database) -> None:
        only = Watching(database, "only", 5)
        await only.heartbeats.beat()
        await only.claimed()
        only.now += DEAD_AFTER

        assert await only.claimed() == []

    told(story)


def test_k12_a_heartbeat_whose_row_is_locked_holds_up_nobodys_write(postgres_url: str) -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            database = open_database(postgres_url)
            stack.push_async_callback(database.close)
            await schema_migration.migrate(database)
            beating = Watching(database, "beating", 0)
            await beating.heartbeats.beat()
            with psycopg.connect(postgres_url) as other:
                other.execute("SELECT * FROM processes FOR UPDATE")
                beat = asyncio.create_task(beating.heartbeats.beat())
                await database.write(partial(key_values.put, key="message", value="kept"))
                with pytest.raises(Problem, match="storage_unavailable"):
                    await beat
            await beating.heartbeats.beat()

    asyncio.run(asyncio.wait_for(story(), 60))
