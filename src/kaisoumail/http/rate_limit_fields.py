"""
The header fields `RateLimit-Policy` and `RateLimit`, which inform a client of its limits.

Both as in draft-ietf-httpapi-ratelimit-headers-10.
"""

import math
from collections.abc import Sequence

from kaisoumail.model.token_bucket import LimitStatus


def rate_limit_fields(statuses: Sequence[LimitStatus]) -> list[tuple[bytes, bytes]]:
    """Both header fields; an empty list for a request that was charged to no limit."""
    if not statuses:
        return []
    return [
        (b"ratelimit-policy", policy_field(statuses).encode()),
        (b"ratelimit", state_field(statuses).encode()),
    ]


def policy_field(statuses: Sequence[LimitStatus]) -> str:
    """`RateLimit-Policy`: the quota (q) in a window of seconds (w)."""
    return ", ".join(f'"{each.rate.name}";q={each.rate.capacity};w={each.rate.seconds}' for each in statuses)


def state_field(statuses: Sequence[LimitStatus]) -> str:
    """`RateLimit`: the requests that remain (r), and the seconds until there is one more (t)."""
    return ", ".join(
        f'"{each.rate.name}";r={max(0, math.floor(each.left + 1e-6))};t={each.seconds}' for each in statuses
    )
