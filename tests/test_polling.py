"""What is asked again and again ends, one way or the other."""

from itertools import count

import pytest

from tests.polling import poll


def test_the_first_answer_that_is_wanted_comes_back() -> None:
    numbers = count()

    assert poll(lambda: next(numbers), lambda number: number >= 3) == 3
    assert next(numbers) == 4


def test_an_answer_that_is_never_wanted_is_told_when_the_time_is_over() -> None:
    with pytest.raises(AssertionError, match="the answer is still 'provisioning'"):
        poll(lambda: "provisioning", lambda status: status == "active", seconds=0)
