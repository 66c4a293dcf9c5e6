"""Who is alive."""

import pytest

from kaisoumail.storage.tables import processes
from tests.database_clock import DatabaseClock
from tests.people import NOON
from tests.storage.conftest import Storage

STEPS = [{"seconds": 0}, {"hours": -1}, {"days": -1}, {"days": 1}]


def _beat(storage: Storage, process_id: str) -> None:
    storage.write(lambda c: processes.beat(c, process_id=process_id))


def _claimed(storage: Storage, process_id: str, last_beat: object) -> bool:
    return storage.write(lambda c: processes.claim(c, process_id=process_id, last_beat=last_beat))  # type: ignore[arg-type]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_each_beat_is_later_than_the_one_before_whatever_the_clock_does(
    storage: Storage, database_clock: DatabaseClock, step: dict[str, float]
) -> None:
    _beat(storage, "alive")
    first = storage.read(processes.beats)["alive"]

    database_clock.move(**step)
    _beat(storage, "alive")

    assert first == NOON
    assert storage.read(processes.beats)["alive"] > first


def test_who_ended_says_so(storage: Storage) -> None:
    _beat(storage, "gone")

    for process_id in ("gone", "unknown"):
        storage.write(lambda c, process_id=process_id: processes.end(c, process_id=process_id))  # type: ignore[misc]

    assert storage.read(processes.beats) == {"gone": processes.ENDED, "unknown": processes.ENDED}


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_one_survivor_claims_and_another_may_when_it_has_watched_again(
    storage: Storage, database_clock: DatabaseClock, step: dict[str, float]
) -> None:
    _beat(storage, "dead")
    seen = storage.read(processes.beats)["dead"]
    database_clock.move(**step)

    claims = [_claimed(storage, "dead", seen) for _ in range(2)]
    seen_again = storage.read(processes.beats)["dead"]

    assert claims == [True, False]
    assert _claimed(storage, "dead", seen_again)


def test_who_is_heard_of_again_cannot_be_claimed(storage: Storage) -> None:
    _beat(storage, "slow")
    seen = storage.read(processes.beats)["slow"]
    _beat(storage, "slow")

    assert not _claimed(storage, "slow", seen)


def test_the_forgotten_are_gone(storage: Storage) -> None:
    _beat(storage, "dead")

    storage.write(lambda c: processes.forget(c, process_id="dead"))

    assert storage.read(processes.beats) == {}
