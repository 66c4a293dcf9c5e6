"""What all processes agree on: small facts, and whose turn it is at Cloudflare."""

import asyncio
from datetime import timedelta
from functools import partial

from kaisoumail.storage import domain_events, domains, facts
from tests.builders import DEMO
from tests.people import HOUR, MINUTE, NOON
from tests.storage.conftest import Storage

SECOND = timedelta(seconds=1)


def _reserve(storage: Storage, now: object = NOON) -> float:
    return storage.write(partial(facts.reserve, key="pace", now=now, interval=0.5, burst=4))  # type: ignore[arg-type]


def test_a_fact_is_remembered_replaced_and_forgotten(storage: Storage) -> None:
    storage.write(lambda c: facts.put(c, "x", {"a": [1, None]}, NOON))
    assert storage.read(lambda c: facts.find(c, "x")) == ({"a": [1, None]}, NOON)

    storage.write(lambda c: facts.put(c, "x", "other", NOON + HOUR))
    assert storage.read(lambda c: facts.find(c, "x")) == ("other", NOON + HOUR)

    storage.write(lambda c: facts.forget(c, "x"))
    assert storage.read(lambda c: facts.find(c, "x")) is None


def test_a_burst_goes_out_at_once_and_the_rest_one_by_one(storage: Storage) -> None:
    waits = [_reserve(storage) for _ in range(7)]

    assert waits == [0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 1.5]


def test_a_quiet_time_fills_the_burst_again_and_never_beyond(storage: Storage) -> None:
    for _ in range(5):
        _reserve(storage)

    waits = [_reserve(storage, NOON + HOUR) for _ in range(5)]

    assert waits == [0.0, 0.0, 0.0, 0.0, 0.5]


def test_many_at_once_never_get_the_same_place(storage: Storage) -> None:
    async def together() -> list[float]:
        places = (
            storage.database.write(partial(facts.reserve, key="pace", now=NOON, interval=0.5, burst=4))
            for _ in range(50)
        )
        return list(await asyncio.gather(*places))

    waits = sorted(storage.run(together()))

    assert waits == [0.0] * 4 + [0.5 * n for n in range(1, 47)]


def test_in_no_window_more_go_out_than_the_pace_allows(storage: Storage) -> None:
    asked_at = [NOON + n * SECOND / 10 for n in range(200)]

    gone_at = [(now - NOON).total_seconds() + _reserve(storage, now) for now in asked_at]

    for start in gone_at:
        in_window = sum(1 for at in gone_at if start <= at < start + 10)
        assert in_window <= 10 / 0.5 + 4


def test_each_of_two_watchers_gets_another_domain(storage: Storage) -> None:
    from dataclasses import replace

    other = replace(DEMO, id="dom_other", root_domain="other.example", next_look_at=NOON - MINUTE)
    storage.write(lambda c: domains.save(c, replace(DEMO, next_look_at=NOON)))
    storage.write(lambda c: domains.save(c, other))

    claim = partial(domains.claim_due, now=NOON, until=NOON + MINUTE)
    claimed = [storage.write(claim) for _ in range(3)]

    assert [domain and domain.root_domain for domain in claimed] == ["other.example", "demo.example", None]
    assert not storage.read(partial(domains.any_due, now=NOON))
    assert storage.read(partial(domains.any_due, now=NOON + MINUTE))


def test_a_domains_history_is_newest_first(storage: Storage) -> None:
    storage.write(lambda c: domain_events.add(c, DEMO.id, NOON, "zone_created"))
    storage.write(
        lambda c: domain_events.add(c, DEMO.id, NOON + HOUR, "refused", code="x", message="y", details={"z": 1})
    )

    newest, oldest = storage.read(lambda c: domain_events.listed(c, DEMO.id))

    assert (newest.kind, newest.code, newest.message, newest.details) == ("refused", "x", "y", {"z": 1})
    assert oldest.kind == "zone_created"
