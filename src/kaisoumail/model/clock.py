"""
Instants as the product writes them: UTC, whole milliseconds, one text form. And the clocks they come from.

The wall clock may step, by an hour or a day, either way: it decides what expires and is what people read. How long
something lasts is measured by a clock that only goes forward.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

Clock = Callable[[], datetime]
MonotonicClock = Callable[[], float]
"""Seconds since some moment, which never go back: good for nothing but a difference, within one process."""


def utc_now() -> datetime:
    """The present, in UTC, cut to whole milliseconds as everything we store is."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


_BEGAN: Final = (utc_now(), monotonic())


def steady_now() -> datetime:
    """The wall clock as it was when this process began, and as many seconds later as have passed since."""
    began, at = _BEGAN
    passed = round((monotonic() - at) * 1000)
    return began + timedelta(milliseconds=passed)


def iso(instant: datetime) -> str:
    """
    `2026-04-03T12:00:00.000Z`: always three fractional digits and a `Z`.

    Clients compare and sort these as text, so the form must never vary.
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def iso_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
