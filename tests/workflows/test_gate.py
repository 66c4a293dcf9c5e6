"""The gate before Cloudflare: who may pass, and who is told to wait."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from kaisoumail.cloudflare.errors import Answer, RateLimited
from kaisoumail.cloudflare.pace import Asker
from kaisoumail.storage import schema
from kaisoumail.storage.database import open_database
from kaisoumail.workflows.gate import SharedGate
from tests.people import NOON

RETRY, CATALOG, WATCH = Asker("domains.retry"), Asker("domains.catalog"), Asker("domains.watch")
LIMITED = RateLimited(Answer("GET", "/zones/1", 429, 971, "Please wait"), 120)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def told(database_url: str, story: Callable[[SharedGate, SharedGate, Hands], Awaitable[None]]) -> None:
    """Run *story* with the gates of two processes that share a database, 150 requests a second."""

    async def run() -> None:
        database, clock = open_database(database_url), Hands()
        try:
            await schema.migrate(database)
            await story(SharedGate(database, clock, 150), SharedGate(database, clock, 150), clock)
        finally:
            await database.close()

    asyncio.run(run())


def test_who_was_told_to_wait_makes_everybody_wait(database_url: str) -> None:
    async def story(here: SharedGate, there: SharedGate, clock: Hands) -> None:
        await here.close_for(LIMITED, RETRY)
        clock.now += timedelta(seconds=20)

        with pytest.raises(RateLimited) as caught:
            await there.admit(CATALOG, "GET", "/zones")

        assert caught.value.retry_after == 100
        assert caught.value.cause is not None
        assert caught.value.cause["projectOperation"] == "domains.retry"
        assert caught.value.cause["cloudflarePath"] == "/zones/1"
        assert caught.value.cause["lastBlockedBy"]["projectOperation"] == "domains.catalog"
        assert caught.value.cause["retryAfterSeconds"] == 100

    told(database_url, story)


def test_when_the_time_is_over_everybody_passes(database_url: str) -> None:
    async def story(here: SharedGate, there: SharedGate, clock: Hands) -> None:
        await here.close_for(LIMITED, RETRY)
        clock.now += timedelta(seconds=120)

        await there.admit(CATALOG, "GET", "/zones")

        assert await here.cooldown() is None

    told(database_url, story)


def test_the_first_cause_stays_named_however_many_are_blocked(database_url: str) -> None:
    async def story(here: SharedGate, there: SharedGate, clock: Hands) -> None:
        await here.close_for(LIMITED, RETRY)
        for asker in (CATALOG, WATCH, CATALOG):
            with pytest.raises(RateLimited):
                await there.admit(asker, "GET", "/zones")

        cooldown = await here.cooldown()

        assert cooldown is not None
        assert cooldown.cause is not None
        assert cooldown.cause["projectOperation"] == "domains.retry"
        assert cooldown.cause["lastBlockedBy"]["projectOperation"] == "domains.catalog"

    told(database_url, story)


def test_what_nobody_waits_for_goes_after_what_somebody_does(database_url: str) -> None:
    async def story(here: SharedGate, _: SharedGate, clock: Hands) -> None:
        for _number in range(400):  # half the burst is used up
            await here.admit(RETRY, "GET", "/zones")
        background = asyncio.create_task(here.admit(WATCH, "GET", "/zones"))
        await here.admit(RETRY, "GET", "/zones")

        assert not background.done()

        clock.now += timedelta(seconds=60)
        await background

    told(database_url, story)
