"""What all processes agree on: small facts, and whose turn it is at Cloudflare."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from kaisoumail.errors import Problem
from kaisoumail.model.domain import DomainStatus
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import domain_events, domains, key_values
from kaisoumail.storage.tables.domain_events import DomainEvent
from tests.builders import DEMO
from tests.database_clock import DatabaseClock
from tests.people import HOUR, MINUTE, NOON
from tests.storage.conftest import Storage


def _reserve(storage: Storage) -> float:
    return storage.write(partial(key_values.reserve, key="pace", interval=0.5, burst=4))


def test_a_fact_is_remembered_replaced_and_forgotten(storage: Storage) -> None:
    storage.write(lambda c: key_values.put(c, "x", {"a": [1, None]}, NOON))
    assert storage.read(lambda c: key_values.find(c, "x")) == ({"a": [1, None]}, NOON)

    storage.write(lambda c: key_values.put(c, "x", "other", NOON + HOUR))
    assert storage.read(lambda c: key_values.find(c, "x")) == ("other", NOON + HOUR)

    storage.write(lambda c: key_values.forget(c, "x"))
    assert storage.read(lambda c: key_values.find(c, "x")) is None


@pytest.mark.usefixtures("database_clock")
def test_a_burst_goes_out_at_once_and_the_rest_one_by_one(storage: Storage) -> None:
    waits = [_reserve(storage) for _ in range(7)]

    assert waits == [0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 1.5]


def test_a_quiet_time_fills_the_burst_again_and_never_beyond(storage: Storage, database_clock: DatabaseClock) -> None:
    for _ in range(5):
        _reserve(storage)

    database_clock.move(hours=1)
    waits = [_reserve(storage) for _ in range(5)]

    assert waits == [0.0, 0.0, 0.0, 0.0, 0.5]


@pytest.mark.parametrize("step", [{"seconds": -20}, {"hours": -1}, {"days": -1}], ids=str)
def test_k7_a_clock_that_goes_back_moves_the_places_that_are_taken_with_it(
    storage: Storage, database_clock: DatabaseClock, step: dict[str, float]
) -> None:
    waits = [_reserve(storage) for _ in range(5)]

    database_clock.move(**step)
    waits.append(_reserve(storage))
    database_clock.move(seconds=1)
    waits.append(_reserve(storage))

    assert waits == [0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 0.5]


@pytest.mark.usefixtures("database_clock")
def test_many_at_once_never_get_the_same_place(storage: Storage) -> None:
    async def together() -> list[float]:
        places = (
            storage.database.write(partial(key_values.reserve, key="pace", interval=0.5, burst=4)) for _ in range(50)
        )
        return list(await asyncio.gather(*places))

    waits = sorted(storage.run(together()))

    assert waits == [0.0] * 4 + [0.5 * n for n in range(1, 47)]


def test_in_no_window_more_go_out_than_the_pace_allows(storage: Storage, database_clock: DatabaseClock) -> None:
    gone_at = []
    for tenth in range(200):
        gone_at.append(tenth / 10 + _reserve(storage))
        database_clock.move(milliseconds=100)

    for start in gone_at:
        in_window = sum(1 for at in gone_at if start <= at < start + 10)
        assert in_window <= 10 / 0.5 + 4


def test_each_of_two_watchers_gets_another_domain(storage: Storage, database_clock: DatabaseClock) -> None:
    other = replace(DEMO, id="dom_other", root_domain="other.example", next_look_at=NOON - MINUTE)
    storage.write(lambda c: domains.save(c, replace(DEMO, next_look_at=NOON)))
    storage.write(lambda c: domains.save(c, other))

    claim = partial(domains.claim_due, put_off=MINUTE)
    claimed = [storage.write(claim) for _ in range(3)]

    assert [domain and domain.root_domain for domain in claimed] == ["other.example", "demo.example", None]
    assert not storage.read(domains.any_due)
    database_clock.move(minutes=1)
    assert storage.read(domains.any_due)


@pytest.mark.parametrize(("step", "is_due"), [({"days": -1}, True), ({"hours": -2}, True), ({"seconds": 0}, False)])
def test_a_look_that_is_too_far_away_to_be_meant_is_due(
    storage: Storage, database_clock: DatabaseClock, step: dict[str, float], is_due: bool
) -> None:
    now = storage.read(database_now)
    storage.write(
        lambda c: domains.save(c, replace(DEMO, status=DomainStatus.PROVISIONING_ERROR, looks=1000).looked_at(now))
    )

    database_clock.move(**step)

    assert storage.read(domains.any_due) is is_due


def test_a_domains_history_is_newest_first(storage: Storage) -> None:
    storage.write(lambda c: domain_events.add(c, DomainEvent(DEMO.id, NOON, "zone_created")))
    refused = DomainEvent(DEMO.id, NOON + HOUR, "refused").because_of(Problem("x", "y", z=1))
    storage.write(lambda c: domain_events.add(c, refused))

    newest, oldest = storage.read(lambda c: domain_events.listed(c, DEMO.id))

    assert (newest.kind, newest.code, newest.message, newest.details) == ("refused", "x", "y", {"z": 1})
    assert oldest.kind == "zone_created"
