"""How long Cloudflare asks us to wait, within reason."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from kaisoumail.model.clock import utc_now


def seconds_to_wait(headers: Mapping[str, str], at_most: int) -> int:
    """
    Seconds for a Retry-After: whole seconds or an HTTP date, *at_most*, which is also the answer to nonsense.

    A date is one of the clock that also wrote `Date` (RFC 9110, 6.6.1); ours may be another.
    """
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return min(int(given[:9]), at_most)
    try:
        said_at = parsedate_to_datetime(headers["date"]) if "date" in headers else utc_now()
        wait = parsedate_to_datetime(given) - said_at
    except (TypeError, ValueError, OverflowError):
        return at_most
    return min(max(math.ceil(wait.total_seconds()), 0), at_most)
