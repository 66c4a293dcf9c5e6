"""Refusals in the log: one line for each client in a minute, and memory that is given back."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import structlog.testing

from kaisoumail.model.refusal_log import SECONDS, RefusalLog

Key = tuple[str, str]


class Minutes:
    """The timers of an event loop whose time passes when a test says so."""

    def __init__(self) -> None:
        self._due: list[tuple[Callable[[Key], None], Key]] = []

    def call_later(self, seconds: float, callback: Callable[[Key], None], key: Key) -> None:
        assert seconds == SECONDS
        self._due.append((callback, key))

    def pass_one(self) -> None:
        due, self._due = self._due, []
        for callback, key in due:
            callback(key)

    @property
    def waiting(self) -> int:
        return len(self._due)


def _line(kind: str, client: str, count: int, seconds: int) -> dict[str, Any]:
    event = {"event": "client.refused", "log_level": "warning"}
    return event | {"kind": kind, "client": client, "count": count, "seconds": seconds}


def test_the_first_refusal_is_logged_at_once_and_the_rest_of_the_minute_as_one_line() -> None:
    minutes = Minutes()
    log = RefusalLog(call_later=minutes.call_later)

    with structlog.testing.capture_logs() as lines:
        for _ in range(1000):
            log.note("handover.signature", "192.0.2.1")
        minutes.pass_one()

    assert lines == [
        _line("handover.signature", "192.0.2.1", 1, 0),
        _line("handover.signature", "192.0.2.1", 999, 60),
    ]


def test_who_goes_on_is_one_line_a_minute() -> None:
    minutes = Minutes()
    log = RefusalLog(call_later=minutes.call_later)

    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            log.note("smtp.guess", "192.0.2.1")
            log.note("smtp.guess", "192.0.2.1")
            minutes.pass_one()

    assert [line["count"] for line in lines] == [1, 1, 2, 2]


def test_kinds_and_clients_are_counted_apart_and_an_ipv6_network_as_one() -> None:
    log = RefusalLog(call_later=Minutes().call_later)

    with structlog.testing.capture_logs() as lines:
        for client in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", None, None):
            log.note("smtp.guess", client)
        log.note("http.head", "192.0.2.1")

    assert [(line["kind"], line["client"]) for line in lines] == [
        ("smtp.guess", "192.0.2.1"),
        ("smtp.guess", "192.0.2.2"),
        ("smtp.guess", "2001:db8::/64"),
        ("smtp.guess", "unknown"),
        ("http.head", "192.0.2.1"),
    ]
    assert log.totals() == {"smtp.guess": 6, "http.head": 1}


def test_an_attack_from_many_addresses_is_one_line_for_those_beyond_the_limit() -> None:
    minutes = Minutes()
    log = RefusalLog(max_clients=10, call_later=minutes.call_later)

    with structlog.testing.capture_logs() as lines:
        for number in range(200):
            log.note("smtp.guess", f"192.0.2.{number}")
        remembered = log.clients
        minutes.pass_one()

    assert remembered == 11
    assert [line["client"] for line in lines[:11]] == [f"192.0.2.{number}" for number in range(10)] + ["others"]
    assert lines[11:] == [_line("smtp.guess", "others", 189, 60)]
    assert log.totals() == {"smtp.guess": 200}


@pytest.mark.parametrize("refusals", [1, 5])
def test_after_a_quiet_minute_nothing_is_left_but_the_totals(refusals: int) -> None:
    minutes = Minutes()
    log = RefusalLog(call_later=minutes.call_later)
    for _ in range(refusals):
        log.note("smtp.guess", "192.0.2.1")

    minutes.pass_one()
    minutes.pass_one()

    assert (log.clients, minutes.waiting) == (0, 0)
    assert log.totals() == {"smtp.guess": refusals}


def test_the_time_is_that_of_the_running_event_loop() -> None:
    async def noted() -> RefusalLog:
        log = RefusalLog()
        log.note("smtp.guess", "192.0.2.1")
        return log

    assert asyncio.run(noted()).clients == 1
