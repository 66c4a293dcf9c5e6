"""Places in time survive the journey to a client and back; what is none is nothing."""

import pytest

from kaisoumail.model.feed import Cursor, PageEnd, find_cursor, find_page_end
from tests.people import NOON


def test_a_cursor_comes_back_as_it_was_told() -> None:
    assert find_cursor(str(Cursor(42))) == Cursor(42)


def test_the_end_of_a_page_comes_back_as_it_was_told() -> None:
    end = PageEnd(NOON, "msg_0123456789abcdef")

    assert find_page_end(str(end)) == end


@pytest.mark.parametrize("text", ["", "c", "c-1", "42", "c٣", "c1\n", "C1", "c" + "9" * 19, "p1.msg_1"])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert find_cursor(text) is None


@pytest.mark.parametrize("text", ["", "p", "p1", "p1.", "p.msg_1", "p1.msg_1\n", "p1.'; --", "p" + "9" * 15 + ".msg_1"])
def test_what_is_no_end_of_a_page_is_none(text: str) -> None:
    assert find_page_end(text) is None
