"""Buckets of one process and of several: no token is spent twice, and a flood takes no more memory than it may."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import event, select

from kaisoumail.model.token_bucket import Rate
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.postgres import PostgresDatabase
from kaisoumail.storage.engine.schema import buckets
from kaisoumail.storage.tables.token_buckets import LEASE_SECONDS, Buckets, LocalBuckets, SharedBuckets, forget_full
from tests.database_clock import DatabaseClock, a_database_clock

NOW = 1_000.0
HUNDRED = Rate("user", 100, 50)  # two a second
MANY = Rate("user", 5000)


async def _passed(many: list[Buckets], key: str, rate: Rate, number: int, now: float) -> int:
    """How many of *number* requests at each of *many* pass, asked in turn."""
    statuses = [await one.take(key, rate, now) for _ in range(number) for one in many]
    return sum(status.passed for status in statuses)


def test_in_one_process_a_burst_passes_and_then_as_many_as_time_allows() -> None:
    async def asked() -> list[int]:
        ours: list[Buckets] = [LocalBuckets()]
        return [await _passed(ours, "of ada", HUNDRED, 150, NOW + after) for after in (0, 0, 1, 1, 1000)]

    assert asyncio.run(asked()) == [100, 0, 2, 0, 100]


def test_a_flood_of_one_key_does_not_touch_another() -> None:
    async def asked() -> tuple[bool, float]:
        ours = LocalBuckets()
        for _ in range(1000):
            await ours.take("ip 203.0.113.5", HUNDRED, NOW)
        status = await ours.take("ip 203.0.113.6", HUNDRED, NOW)
        return status.passed, status.left

    assert asyncio.run(asked()) == (True, 99)


def test_a_flood_of_addresses_takes_no_more_memory_than_the_cap_and_forgets_the_oldest() -> None:
    async def asked() -> tuple[int, float, float]:
        ours = LocalBuckets(most_keys=1000)
        await ours.take("ip oldest", HUNDRED, NOW)
        for number in range(5000):
            await ours.take(f"ip {number}", HUNDRED, NOW)
        again = await ours.take("ip oldest", HUNDRED, NOW)
        newest = await ours.take("ip 4999", HUNDRED, NOW)
        return len(ours), again.left, newest.left

    assert asyncio.run(asked()) == (1000, 99, 98)


def test_what_is_given_back_can_be_taken_again() -> None:
    async def asked() -> int:
        ours = LocalBuckets()
        await _passed([ours], "of ada", HUNDRED, 100, NOW)
        ours.give_back("of ada", HUNDRED, NOW)
        return await _passed([ours], "of ada", HUNDRED, 100, NOW)

    assert asyncio.run(asked()) == 1


@pytest.mark.parametrize(("number", "left"), [(4, 96), (99, 1), (101, 0)])
def test_a_bucket_is_drained_down_to_zero(number: int, left: int) -> None:
    async def asked() -> int:
        ours = LocalBuckets()
        await ours.drain("ip 203.0.113.5", HUNDRED, NOW, number)
        return await _passed([ours], "ip 203.0.113.5", HUNDRED, 100, NOW)

    assert asyncio.run(asked()) == left


# several processes


@pytest.fixture
def clock(postgres_url: str) -> Iterator[DatabaseClock]:
    """PostgreSQL's clock: it fills the buckets, while each process times its leases by its own."""
    with a_database_clock(postgres_url) as clock:
        yield clock


def _on(url: str, work: Callable[[PostgresDatabase, PostgresDatabase], object]) -> object:
    """What *work* returns, given the database as two processes have it open."""

    async def asked() -> object:
        here, there = open_database(url), open_database(url)
        assert isinstance(here, PostgresDatabase)
        assert isinstance(there, PostgresDatabase)
        try:
            await schema_migration.migrate(here)
            return await work(here, there)  # type: ignore[misc]
        finally:
            await here.close()
            await there.close()

    return asyncio.run(asked())


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "rate", [HUNDRED, MANY, Rate("sign-in", 1), Rate("sign-in", 20)], ids=lambda r: str(r.capacity)
)
def test_two_processes_together_let_through_the_capacity_and_not_one_more(postgres_url: str, rate: Rate) -> None:
    async def work(here: PostgresDatabase, there: PostgresDatabase) -> int:
        both: list[Buckets] = [SharedBuckets(here), SharedBuckets(there)]
        return await _passed(both, "of ada", rate, rate.capacity, NOW)

    assert _on(postgres_url, work) == rate.capacity


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("rate", [HUNDRED, Rate("address", 5), Rate("address", 3), Rate("address", 1)], ids=str)
def test_processes_drain_a_shared_bucket_down_to_zero(postgres_url: str, rate: Rate) -> None:
    async def work(here: PostgresDatabase, there: PostgresDatabase) -> int:
        both: list[Buckets] = [SharedBuckets(here), SharedBuckets(there)]
        passed = await _passed(both[:1], "ip 203.0.113.5", rate, 1, NOW)
        for buckets_of_one in both:
            await buckets_of_one.drain("ip 203.0.113.5", rate, NOW, 4)
        return passed + await _passed(both, "ip 203.0.113.5", rate, rate.capacity, NOW)

    assert _on(postgres_url, work) == max(1, rate.capacity - 8)


@pytest.mark.usefixtures("clock")
def test_processes_that_ask_at_once_never_get_the_same_token(postgres_url: str) -> None:
    async def work(here: PostgresDatabase, there: PostgresDatabase) -> int:
        both = [SharedBuckets(here), SharedBuckets(there)]
        asked = (both[number % 2].take("of ada", HUNDRED, NOW) for number in range(400))
        return sum(status.passed for status in await asyncio.gather(*asked))

    assert _on(postgres_url, work) == 100


@pytest.mark.usefixtures("clock")
def test_most_requests_write_nothing(postgres_url: str) -> None:
    async def work(here: PostgresDatabase, _: PostgresDatabase) -> int:
        statements: list[str] = []
        listen = here._relaxed_engine.sync_engine
        event.listen(listen, "before_cursor_execute", lambda c, cursor, statement, *_: statements.append(statement))
        await _passed([SharedBuckets(here)], "of ada", MANY, 1000, NOW)
        return len(statements)

    assert _on(postgres_url, work) == 10


@pytest.mark.usefixtures("clock")
def test_what_one_process_leased_and_did_not_spend_comes_back(postgres_url: str) -> None:
    async def work(here: PostgresDatabase, there: PostgresDatabase) -> tuple[int, int]:
        ours, theirs = SharedBuckets(here), SharedBuckets(there)
        still = Rate("user", 5000, 5_000_000)  # so slow that time brings nothing
        await ours.take("of ada", still, NOW)  # leases a hundred, spends one
        at_once = await _passed([theirs], "of ada", still, 5000, NOW)
        later = NOW + LEASE_SECONDS + 1
        lapsed = await _passed([ours], "of ada", still, 200, later)
        return at_once, lapsed

    assert _on(postgres_url, work) == (4900, 99)


@pytest.mark.usefixtures("clock")
def test_a_flood_is_refused_without_a_write_for_each(postgres_url: str) -> None:
    async def work(here: PostgresDatabase, _: PostgresDatabase) -> tuple[int, int]:
        ours = SharedBuckets(here)
        await _passed([ours], "ip 203.0.113.5", HUNDRED, 100, NOW)
        statements: list[str] = []
        listen = here._relaxed_engine.sync_engine
        event.listen(listen, "before_cursor_execute", lambda c, cursor, statement, *_: statements.append(statement))
        passed = await _passed([ours], "ip 203.0.113.5", HUNDRED, 1000, NOW)
        return passed, len(statements)

    # It asks for a few, for one, and whether the clock went back; then for nothing.
    assert _on(postgres_url, work) == (0, 3)


def test_after_a_flood_the_bucket_fills_as_its_rate_says(postgres_url: str, clock: DatabaseClock) -> None:
    async def work(here: PostgresDatabase, there: PostgresDatabase) -> list[int]:
        both: list[Buckets] = [SharedBuckets(here), SharedBuckets(there)]
        passed, now = [], NOW
        for seconds in (0, 5, 0, 995):
            clock.move(seconds=seconds)
            now += seconds
            passed.append(await _passed(both, "of ada", HUNDRED, 100, now))
        return passed

    assert _on(postgres_url, work) == [100, 10, 0, 100]


@pytest.mark.parametrize("step", [{"seconds": -20}, {"hours": -1}, {"days": -1}], ids=str)
def test_i8_when_the_databases_clock_goes_back_the_bucket_fills_as_if_it_had_not(
    postgres_url: str, clock: DatabaseClock, step: dict[str, float]
) -> None:
    async def work(here: PostgresDatabase, there: PostgresDatabase) -> list[int]:
        both: list[Buckets] = [SharedBuckets(here), SharedBuckets(there)]
        before = await _passed(both, "of ada", HUNDRED, 100, NOW)
        clock.move(**step)
        at_once = await _passed(both, "of ada", HUNDRED, 100, NOW + 1)
        clock.move(seconds=5)
        return [before, at_once, await _passed(both, "of ada", HUNDRED, 100, NOW + 6)]

    assert _on(postgres_url, work) == [100, 0, 10]


def test_i8_processes_whose_monotonic_clocks_are_days_apart_share_one_bucket(
    postgres_url: str, clock: DatabaseClock
) -> None:
    async def work(here: PostgresDatabase, there: PostgresDatabase) -> list[int]:
        first = await _passed([SharedBuckets(here)], "of ada", HUNDRED, 50, NOW)
        rest = await _passed([SharedBuckets(there)], "of ada", HUNDRED, 100, NOW + 86_400)
        return [first, rest]

    assert _on(postgres_url, work) == [50, 50]


@pytest.mark.usefixtures("clock")
def test_the_memory_of_leases_is_bounded_too(postgres_url: str) -> None:
    async def work(here: PostgresDatabase, _: PostgresDatabase) -> int:
        ours = SharedBuckets(here, most_keys=10)
        for number in range(50):
            await ours.take(f"ip {number}", HUNDRED, NOW)
        return len(ours)

    assert _on(postgres_url, work) == 10


@pytest.mark.parametrize("days", [0, -1])
def test_buckets_that_are_full_again_are_cleared_away(postgres_url: str, clock: DatabaseClock, days: int) -> None:
    async def work(here: PostgresDatabase, _: PostgresDatabase) -> list[str]:
        ours = SharedBuckets(here)
        await ours.take("old", HUNDRED, NOW)
        clock.move(days=days)
        await forget_full(here)
        clock.move(seconds=301)
        await ours.take("new", HUNDRED, NOW)
        await forget_full(here)
        return await here.read(lambda c: list(c.execute(select(buckets.c.key)).scalars()))

    assert _on(postgres_url, work) == ["new"]


def test_when_the_limits_cannot_be_looked_up_nobody_is_refused_for_it() -> None:
    async def asked() -> bool:
        nowhere = PostgresDatabase("postgresql://nobody@127.0.0.1:1/nothing", lambda _: None, 1)
        try:
            return (await SharedBuckets(nowhere).take("of ada", HUNDRED, NOW)).passed
        finally:
            await nowhere.close()

    assert asyncio.run(asked()) is True
