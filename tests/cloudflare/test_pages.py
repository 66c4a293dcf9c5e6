"""A list by page: as much as its first page announced, each row once, and an end in any case."""

import asyncio
import json
import re
from typing import Any

import pytest

from kaisoumail.cloudflare.client import MOST_PAGES, Cloudflare, WaitLimits
from kaisoumail.cloudflare.envelope import PAGE_SIZE, Row
from kaisoumail.cloudflare.errors import CloudflareError, Timeout, UnreadableAnswer
from tests.cloudflare.prepared import a_prepared_server, http


class Pages:
    """Answers page *n* with the ids *rows* gives for it, announcing *pages* (of the n-th page, or always the same)."""

    def __init__(self, rows: Any, **announced: Any) -> None:
        self.rows = rows
        self.announced = announced
        self.asked: list[int] = []

    def answer(self, _method: str, target: str) -> bytes:
        page = re.search(r"[?&]page=(\d+)", target)
        assert page is not None
        self.asked.append(int(page[1]))
        info = {name: value(self.asked[-1]) if callable(value) else value for name, value in self.announced.items()}
        result = [{"id": each} for each in self.rows(self.asked[-1])]
        return http(200, json.dumps({"success": True, "result": result, "result_info": info}).encode())

    def read(self, *, timeout: float = 30.0, delay: float = 0) -> list[str]:
        async def read() -> list[Row]:
            async with a_prepared_server(self.answer, delay) as url:
                client = Cloudflare(url, "a-token-of-twenty-letters", wait_limits=WaitLimits(answer=timeout))
                try:
                    return await client.pages("/zones", Row)
                finally:
                    await client.close()

        return [row.id for row in asyncio.run(read())]


def test_i10_pages_that_were_not_announced_at_first_are_not_requested() -> None:
    pages = Pages(lambda page: [f"row-{page}"], total_pages=lambda page: page + 2)

    assert pages.read() == ["row-1", "row-2", "row-3"]


def test_a_row_that_moved_to_the_next_page_meanwhile_is_there_once() -> None:
    pages = Pages({1: ["a", "b"], 2: ["b", "c"], 3: ["d"]}.__getitem__, total_pages=3)

    assert pages.read() == ["a", "b", "c", "d"]


@pytest.mark.parametrize("announced", [{"total_pages": 1_000_000_000}, {"total_count": 2_000_000_000}])
def test_an_empty_page_is_the_last_however_many_were_announced(announced: dict[str, int]) -> None:
    pages = Pages(lambda page: ["a"] if page == 1 else [], **announced)

    assert pages.read() == ["a"]
    assert pages.asked == [1, 2]


@pytest.mark.parametrize(
    ("announced", "asked"),
    [
        ({}, [1]),
        ({"total_pages": 0}, [1]),
        ({"total_pages": -3}, [1]),
        ({"total_pages": None, "total_count": None}, [1]),
        ({"total_count": PAGE_SIZE + 1}, [1, 2]),
    ],
)
def test_the_number_of_pages_is_what_was_announced_and_at_least_one(
    announced: dict[str, Any], asked: list[int]
) -> None:
    pages = Pages(lambda page: [f"row-{page}"], **announced)

    pages.read()

    assert pages.asked == asked


def test_a_list_that_repeats_itself_is_no_list() -> None:
    pages = Pages(lambda _: ["a"], total_pages=1_000_000_000)

    with pytest.raises(UnreadableAnswer, match="repeats"):
        pages.read()

    assert pages.asked == [1, 2]


def test_a_list_without_end_is_given_up_instead_of_shown_in_part() -> None:
    pages = Pages(lambda page: [f"row-{page}"], total_pages=1_000_000_000)

    with pytest.raises(UnreadableAnswer, match="more than 1000 pages"):
        pages.read()

    assert len(pages.asked) == MOST_PAGES


def test_i10_a_list_has_a_deadline_as_a_whole() -> None:
    pages = Pages(lambda page: [f"row-{page}"], total_pages=1000)

    with pytest.raises(Timeout):
        pages.read(timeout=0.2, delay=0.1)

    assert len(pages.asked) < 1000


def test_a_list_with_too_many_rows_on_its_pages_is_given_up_as_well() -> None:
    pages = Pages(lambda page: [f"row-{page}-{n}" for n in range(MOST_PAGES * PAGE_SIZE)], total_pages=9)

    with pytest.raises(UnreadableAnswer, match="more than 1000 pages"):
        pages.read()

    assert pages.asked == [1, 2]


@pytest.mark.parametrize("announced", [{"total_pages": "2"}, {"total_pages": 10**30}, {"total_count": [1]}])
def test_an_announcement_of_odd_types_is_unreadable(announced: dict[str, Any]) -> None:
    with pytest.raises(CloudflareError, match="not as documented"):
        Pages(lambda _: ["a"], **announced).read()
