"""Who is read next: by values, costs and a clock that are given."""

import pytest

from kaisoumail.mail_reading.fair_queue import HALF_LIFE, Bounds, FairQueue, Usage

NOW = 1000.0


def _queue(usage: Usage, *items: tuple[str, str], bounds: Bounds | None = None) -> FairQueue[str]:
    queue = FairQueue[str](usage, len, bounds)
    for key, item in items:
        queue.add(key, item)
    return queue


def _taken(queue: FairQueue[str], most: int = 8, most_bytes: int = 1000) -> list[str]:
    return [item for _, item in queue.take(NOW, most, most_bytes, cheap=0.1)]


def test_who_has_used_nothing_goes_before_who_has_used_much() -> None:
    usage = Usage()
    usage.charge("dear", 4.0, NOW)
    queue = _queue(usage, ("dear", "d1"), ("dear", "d2"), ("new", "n1"), ("other", "o1"))

    assert [_taken(queue) for _ in range(4)] == [["n1", "o1"], ["d1"], ["d2"], []]


def test_the_items_of_one_key_stay_in_the_order_they_came() -> None:
    queue = _queue(Usage(), *(("a", f"a{number}") for number in range(9)))

    assert _taken(queue) == [f"a{number}" for number in range(8)]
    assert _taken(queue) == ["a8"]


def test_what_was_taken_and_put_back_goes_first_again() -> None:
    queue = _queue(Usage(), ("a", "a1"), ("a", "a2"), ("b", "b1"))
    taken = queue.take(NOW, 2, 1000, cheap=0.1)

    for key, item in reversed(taken):
        queue.put_back(key, item)

    assert _taken(queue) == ["a1", "a2", "b1"]


def test_of_two_that_used_nothing_the_shorter_goes_first() -> None:
    queue = _queue(Usage(), ("a", "long" * 100), ("b", "short"))

    assert _taken(queue, most_bytes=10) == ["short"]


def test_only_as_many_bytes_are_taken_together_as_asked_for_or_one_item_that_has_more() -> None:
    queue = _queue(Usage(), ("a", "1" * 6), ("b", "2" * 6), ("c", "3" * 60))

    assert [len(_taken(queue, most_bytes=12)) for _ in range(3)] == [2, 1, 0]


def test_who_sent_many_ordinary_messages_waits_behind_others_but_shares_with_them() -> None:
    usage = Usage()
    for _ in range(1000):
        usage.charge("busy", 0.001, NOW)
    queue = _queue(usage, ("busy", "b1"), ("busy", "b2"), ("new", "n1"))

    assert usage.of("busy", NOW) == pytest.approx(1.0)
    assert usage.of_slow("busy", NOW) == 0.0
    assert _taken(queue) == ["n1", "b1", "b2"]


def test_half_of_what_was_used_is_forgotten_in_a_half_life() -> None:
    usage = Usage()
    usage.charge("a", 4.0, NOW)

    assert [usage.of("a", NOW + HALF_LIFE * count) for count in range(4)] == [4.0, 2.0, 1.0, 0.5]
    assert usage.of_slow("a", NOW + HALF_LIFE) == 2.0


def test_only_so_many_keys_are_remembered_the_last_charged_ones() -> None:
    usage = Usage(most=100)

    for number in range(1000):
        usage.charge(f"key {number}", 1.0, NOW)

    assert len(usage) == 100
    assert [usage.of(f"key {number}", NOW) for number in (0, 899, 900, 999)] == [0.0, 0.0, 1.0, 1.0]


def test_keys_that_have_nothing_left_are_forgotten() -> None:
    usage = Usage()
    for number in range(100):
        usage.charge(f"key {number}", 1.0, NOW)

    for number in range(100):
        usage.charge("late", 1.0, NOW + 20 * HALF_LIFE + number)

    assert len(usage) == 1


def test_too_much_of_one_key_is_refused_and_others_still_may_wait() -> None:
    bounds = Bounds(messages_of_one=2, bytes_of_one=10, messages=4, bytes=100)
    queue = _queue(Usage(), bounds=bounds)

    assert [queue.add("a", item) for item in ("1234", "1234", "1")] == [True, True, False]
    assert [queue.add("b", item) for item in ("12345678", "1234")] == [True, False]
    assert [queue.add(key, "1") for key in ("c", "d")] == [True, False]


def test_one_item_may_wait_however_large_it_is() -> None:
    queue = _queue(Usage(), bounds=Bounds(messages_of_one=1, bytes_of_one=1, messages=1, bytes=1))

    assert [queue.add("a", "12345"), queue.add("b", "1")] == [True, False]
    assert _taken(queue) == ["12345"]
    assert queue.add("b", "1")


def test_what_is_drained_waits_no_longer() -> None:
    queue = _queue(Usage(), ("a", "a1"), ("b", "b1"))

    assert sorted(queue.drain()) == ["a1", "b1"]
    assert len(queue) == 0
    assert queue.least_used(NOW) is None
