"""Reads Cloudflare's Retry-After, with an upper bound."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from kaisoumail.model.clock import utc_now


def seconds_to_wait(headers: Mapping[str, str], at_most: int) -> int:
    """
    The seconds in Retry-After (a number or an HTTP date), at most *at_most*; *at_most* if it is missing or invalid.

    A date is measured against `Date`, which the same clock wrote (RFC 9110, 6.6.1): our own clock may differ.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), at_most)
    try:
        sent_at = parsedate_to_datetime(headers["date"]) if "date" in headers else utc_now()
        wait = parsedate_to_datetime(value) - sent_at
    except (TypeError, ValueError, OverflowError):
        return at_most
    return min(max(math.ceil(wait.total_seconds()), 0), at_most)
