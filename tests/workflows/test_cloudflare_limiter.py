"""
The gate before Cloudflare: who may pass, and who is told to wait.

The wall clocks of its two processes are a day apart, and neither is the database's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from kaisoumail.cloudflare.errors import Answer, RateLimited
from kaisoumail.cloudflare.limiter import Caller
from kaisoumail.model.clock import iso
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.tables import key_values
from kaisoumail.workflows.cloudflare_limiter import CloudflareLimiter
from tests.database_clock import DatabaseClock
from tests.people import HOUR, NOON

RETRY, CATALOG, WATCH = Caller("domains.retry"), Caller("domains.catalog"), Caller("domains.watch")
LIMITED = RateLimited(Answer("GET", "/zones/1", 429, 971, "Please wait"), 120)


Story = Callable[[CloudflareLimiter, CloudflareLimiter], Awaitable[None]]
DAY = timedelta(days=1)
STEPS = [{"seconds": -20}, {"hours": -1}, {"days": -1}]


@pytest.fixture
def told(database_url: str, database_clock: DatabaseClock) -> Callable[[Story], None]:
    """Runs a story with the gates of two processes that share a database, 150 requests a second."""

    async def run(story: Story) -> None:
        database = open_database(database_url, clock=database_clock)
        try:
            await schema_migration.migrate(database)
            here = CloudflareLimiter(database, lambda: NOON + HOUR, 150)
            there = CloudflareLimiter(database, lambda: NOON + HOUR + DAY, 150)
            await story(here, there)
        finally:
            await database.close()

    return lambda story: asyncio.run(run(story))


def test_who_was_told_to_wait_makes_everybody_wait(
    told: Callable[[Story], None], database_clock: DatabaseClock
) -> None:
    async def story(here: CloudflareLimiter, there: CloudflareLimiter) -> None:
        await here.begin_cooldown(LIMITED, RETRY)
        database_clock.move(seconds=20)

        with pytest.raises(RateLimited) as caught:
            await there.admit(CATALOG, "GET", "/zones")

        assert caught.value.retry_after == 100
        assert caught.value.cause is not None
        assert caught.value.cause["projectOperation"] == "domains.retry"
        assert caught.value.cause["cloudflarePath"] == "/zones/1"
        assert caught.value.cause["lastBlockedBy"]["projectOperation"] == "domains.catalog"
        assert caught.value.cause["retryAfterSeconds"] == 100
        assert caught.value.cause["triggeredAt"] == iso(NOON + HOUR)
        assert caught.value.cause["retryAfter"] == iso(NOON + HOUR + DAY + timedelta(seconds=100))

    told(story)


def test_when_the_time_is_over_everybody_passes(told: Callable[[Story], None], database_clock: DatabaseClock) -> None:
    async def story(here: CloudflareLimiter, there: CloudflareLimiter) -> None:
        await here.begin_cooldown(LIMITED, RETRY)
        database_clock.move(seconds=120)

        await there.admit(CATALOG, "GET", "/zones")

        assert await here.cooldown() is None

    told(story)


def test_the_first_cause_stays_named_however_many_are_blocked(
    told: Callable[[Story], None], database_clock: DatabaseClock
) -> None:
    async def story(here: CloudflareLimiter, there: CloudflareLimiter) -> None:
        await here.begin_cooldown(LIMITED, RETRY)
        for asker in (CATALOG, WATCH, CATALOG):
            with pytest.raises(RateLimited):
                await there.admit(asker, "GET", "/zones")

        cooldown = await here.cooldown()

        assert cooldown is not None
        assert cooldown.cause is not None
        assert cooldown.cause["projectOperation"] == "domains.retry"
        assert cooldown.cause["lastBlockedBy"]["projectOperation"] == "domains.catalog"

    told(story)


def test_what_nobody_waits_for_goes_after_what_somebody_does(
    told: Callable[[Story], None], database_clock: DatabaseClock
) -> None:
    async def story(here: CloudflareLimiter, _: CloudflareLimiter) -> None:
        for _number in range(400):  # half the burst is used up
            await here.admit(RETRY, "GET", "/zones")
        background = asyncio.create_task(here.admit(WATCH, "GET", "/zones"))
        await here.admit(RETRY, "GET", "/zones")

        assert not background.done()

        database_clock.move(seconds=60)
        await background

    told(story)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_k7_a_cooldown_lasts_its_time_when_the_databases_clock_goes_back(
    told: Callable[[Story], None], database_clock: DatabaseClock, step: dict[str, float]
) -> None:
    async def left(gate: CloudflareLimiter) -> int:
        with pytest.raises(RateLimited) as caught:
            await gate.admit(CATALOG, "GET", "/zones")
        return caught.value.retry_after

    async def story(here: CloudflareLimiter, there: CloudflareLimiter) -> None:
        await here.begin_cooldown(LIMITED, RETRY)
        database_clock.move(seconds=20)
        before = await left(there)
        database_clock.move(**step)
        at_once = await left(here)
        database_clock.move(seconds=60)

        assert (before, at_once, await left(there)) == (100, 100, 40)
        database_clock.move(seconds=40)
        await here.admit(CATALOG, "GET", "/zones")

    told(story)


@pytest.mark.parametrize("step", [*STEPS, {"days": 1}], ids=str)
def test_k7_nobody_waits_longer_when_the_databases_clock_steps(
    told: Callable[[Story], None], database_clock: DatabaseClock, step: dict[str, float]
) -> None:
    async def story(here: CloudflareLimiter, there: CloudflareLimiter) -> None:
        await here.admit(RETRY, "GET", "/zones")
        database_clock.move(**step)

        await there.admit(RETRY, "GET", "/zones")
        await there.admit(WATCH, "GET", "/zones")

    told(story)


def test_what_nobody_waits_for_is_not_left_behind_when_the_databases_clock_goes_back(
    told: Callable[[Story], None], database_clock: DatabaseClock
) -> None:
    async def story(here: CloudflareLimiter, _: CloudflareLimiter) -> None:
        for _number in range(400):
            await here.admit(RETRY, "GET", "/zones")
        database_clock.move(days=-1)

        await here.admit(WATCH, "GET", "/zones")

    told(story)


def test_a_cooldown_of_the_release_before_is_kept(
    told: Callable[[Story], None], database_url: str, database_clock: DatabaseClock
) -> None:
    cause = {"cloudflareMethod": "GET", "cloudflarePath": "/zones/1", "projectOperation": "domains.retry"}
    ahead = NOON + timedelta(seconds=600)  # as a process wrote it whose clock was as much ahead
    row = {"until": (ahead + timedelta(seconds=120)).timestamp(), "cause": cause}

    async def story(here: CloudflareLimiter, _: CloudflareLimiter) -> None:
        database = open_database(database_url, clock=database_clock)
        await database.write(lambda connection: key_values.put(connection, "cloudflare_cooldown", row, ahead))
        await database.close()

        with pytest.raises(RateLimited) as caught:
            await here.admit(CATALOG, "GET", "/zones")

        assert caught.value.retry_after == 120

    told(story)
