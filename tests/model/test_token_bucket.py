"""Token buckets by values: what passes, what is left, what clients are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.model.token_bucket import FULL, Rate, after, level, wait_for

SIXTY = Rate("user", 60)  # one a second


def test_a_bucket_never_used_is_full() -> None:
    assert level(SIXTY, FULL, 1000.0) == 60


@pytest.mark.parametrize(("seconds", "tokens"), [(0, 3), (1, 4), (0.5, 3.5), (57, 60), (10_000, 60)])
def test_a_bucket_fills_evenly_and_never_beyond_its_capacity(seconds: float, tokens: float) -> None:
    empty_since = after(SIXTY, 3, 1000.0)

    assert level(SIXTY, empty_since, 1000.0 + seconds) == pytest.approx(tokens)


@pytest.mark.parametrize(("tokens", "wait"), [(0, 1), (0.25, 0.75), (7, 1), (7.5, 0.5), (-2, 3)])
def test_the_wait_is_until_there_is_one_more(tokens: float, wait: float) -> None:
    assert wait_for(SIXTY, tokens) == pytest.approx(wait)


@given(st.integers(1, 50), st.integers(1, 100), st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=200))
def test_in_any_time_no_more_passes_than_a_capacity_and_what_it_was_filled_by(
    capacity: int, seconds: int, gaps: list[float]
) -> None:
    rate, now, empty_since, passed = Rate("x", capacity, seconds), 0.0, FULL, 0
    for gap in gaps:
        now += gap
        there = level(rate, empty_since, now)
        passed += there >= 1
        empty_since = after(rate, there - 1 if there >= 1 else there, now)

        assert passed <= capacity + now * rate.per_second + 1e-6
