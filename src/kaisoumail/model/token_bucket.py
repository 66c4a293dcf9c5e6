"""
How often something may be done: token buckets.

A bucket holds *capacity* tokens and is filled evenly; each request takes one. In any time T at most
capacity + T * per_second requests pass. All there is to know about a bucket is one number, the instant at
which it was empty (the theoretical arrival time of GCRA, ITU-T I.371): seconds, as the times passed in, of a clock
that never goes back.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

FULL: Final = -math.inf


@dataclass(frozen=True, slots=True)
class Rate:
    """*capacity* requests at once, and as many in every *seconds*; 0 is no limit. *name* is told to clients."""

    name: str
    capacity: int
    seconds: int = 60

    @property
    def per_second(self) -> float:
        return self.capacity / self.seconds


class LimitStatus(NamedTuple):  # made for every request, and a tuple is made in a third of the time
    """How a request stands with one *rate*: whether it *passed*, how many are *left*, and for how long to *wait*."""

    rate: Rate
    passed: bool
    left: float
    wait: float

    @property
    def seconds(self) -> int:
        """How long until one more may pass, in whole seconds, at least 1."""
        return max(1, math.ceil(self.wait))


def level(rate: Rate, empty_since: float, now: float) -> float:
    """How many tokens are in the bucket at *now*; less than 0 after what was taken without asking."""
    return min(float(rate.capacity), (now - empty_since) * rate.per_second)


def after(rate: Rate, tokens: float, now: float) -> float:
    """When a bucket that holds *tokens* at *now* was empty."""
    return now - tokens / rate.per_second


def wait_for(rate: Rate, tokens: float) -> float:
    """How many seconds until there is a whole token more than the whole ones in *tokens*."""
    return (math.floor(max(0.0, tokens)) + 1 - tokens) / rate.per_second
