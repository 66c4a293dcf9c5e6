"""Instants as the product writes them: UTC, whole milliseconds, one text form."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present, in UTC, cut to whole milliseconds as everything we store is."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def iso(instant: datetime) -> str:
    """
    `2026-04-03T12:00:00.000Z`: always three fractional digits and a `Z`.

    Clients compare and sort these as text, so the form must never vary.
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def iso_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
