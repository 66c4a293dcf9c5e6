"""Who is alive."""

from datetime import timedelta

from kaisoumail.storage import processes
from tests.people import HOUR, MINUTE, NOON
from tests.storage.conftest import Storage

SECONDS = timedelta(seconds=1)


def _beat(storage: Storage, process_id: str, now: object) -> None:
    storage.write(lambda c: processes.beat(c, process_id=process_id, now=now))  # type: ignore[arg-type]


def test_who_was_not_heard_of_is_silent(storage: Storage) -> None:
    _beat(storage, "dead", NOON)
    _beat(storage, "alive", NOON)
    _beat(storage, "alive", NOON + MINUTE)

    assert storage.read(lambda c: processes.silent(c, since=NOON + 30 * SECONDS)) == ["dead"]


def test_who_ended_is_silent_at_once(storage: Storage) -> None:
    _beat(storage, "gone", NOON)

    storage.write(lambda c: processes.end(c, process_id="gone"))

    assert storage.read(lambda c: processes.silent(c, since=NOON)) == ["gone"]


def test_one_survivor_claims_and_another_may_when_the_claim_runs_out(storage: Storage) -> None:
    _beat(storage, "dead", NOON)

    def claimed(now: object) -> bool:
        return storage.write(
            lambda c: processes.claim(c, process_id="dead", since=NOON + MINUTE, now=now, until=now + 30 * SECONDS)  # type: ignore[arg-type, operator]
        )

    assert claimed(NOON + HOUR)
    assert not claimed(NOON + HOUR)
    assert claimed(NOON + HOUR + MINUTE)


def test_who_is_heard_of_again_cannot_be_claimed(storage: Storage) -> None:
    _beat(storage, "slow", NOON + HOUR)

    assert not storage.write(
        lambda c: processes.claim(c, process_id="slow", since=NOON + MINUTE, now=NOON + HOUR, until=NOON + 2 * HOUR)
    )


def test_the_forgotten_are_gone(storage: Storage) -> None:
    _beat(storage, "dead", NOON)

    storage.write(lambda c: processes.forget(c, process_id="dead"))

    assert storage.read(lambda c: processes.silent(c, since=NOON + HOUR)) == []
