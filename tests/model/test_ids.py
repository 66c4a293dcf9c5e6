"""Identifiers."""

import re
import time

import pytest

from kaisoumail.model.ids import new_id


def test_an_id_is_its_prefix_and_32_hex_digits() -> None:
    assert re.fullmatch(r"mbx_[0-9a-f]{32}", new_id("mbx"))


def test_ids_sort_in_the_order_of_the_milliseconds_they_were_made_in(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for milliseconds in (1, 255, 256, 1_795_000_000_000, 1_795_000_000_001):
        monkeypatch.setattr(time, "time_ns", lambda now=milliseconds: now * 1_000_000)
        made.append(new_id("msg"))

    assert made == sorted(made)


def test_ids_of_one_moment_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_795_000_000_000_000_000)

    assert len({new_id("msg") for _ in range(10_000)}) == 10_000
