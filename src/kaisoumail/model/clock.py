"""
Instants as the product writes them (UTC, whole milliseconds, one text form), and the clocks they come from.

The wall clock may step, by an hour or a day, either way: it decides what expires and is what people read. Durations
are measured by a clock that only goes forward.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

Clock = Callable[[], datetime]
MonotonicClock = Callable[[], float]
"""Seconds since an arbitrary moment; they never go back. Only differences within one process mean anything."""


def utc_now() -> datetime:
    """The present in UTC, cut to whole milliseconds like every instant we store."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


_START: Final = (utc_now(), monotonic())


def steady_now() -> datetime:
    """The wall-clock time at the start of this process plus the time since then: it never steps."""
    started_at, at = _START
    elapsed = round((monotonic() - at) * 1000)
    return started_at + timedelta(milliseconds=elapsed)


def iso(instant: datetime) -> str:
    """
    `2026-04-03T12:00:00.000Z`: always three fractional digits and a `Z`.

    Clients compare and sort these as text, so the form never varies.
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def iso_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
