"""
What a client is told of its limits: `RateLimit-Policy` and `RateLimit`.

Both as in draft-ietf-httpapi-ratelimit-headers-10.
"""

import math
from collections.abc import Sequence

from kaisoumail.model.token_bucket import LimitStatus


def rate_limit_fields(standings: Sequence[LimitStatus]) -> list[tuple[bytes, bytes]]:
    """Both header fields; none for a request that was charged to no limit."""
    if not standings:
        return []
    return [
        (b"ratelimit-policy", policy_field(standings).encode()),
        (b"ratelimit", state_field(standings).encode()),
    ]


def policy_field(standings: Sequence[LimitStatus]) -> str:
    """`RateLimit-Policy`: how many (q) in how many seconds (w)."""
    return ", ".join(f'"{one.rate.name}";q={one.rate.capacity};w={one.rate.seconds}' for one in standings)


def state_field(standings: Sequence[LimitStatus]) -> str:
    """`RateLimit`: how many are left (r), and in how many seconds there is one more (t)."""
    return ", ".join(f'"{one.rate.name}";r={max(0, math.floor(one.left + 1e-6))};t={one.seconds}' for one in standings)
