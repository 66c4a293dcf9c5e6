"""
Token buckets: the arithmetic of rate limits.

A bucket holds *capacity* tokens and refills evenly; each request takes one. In any time T at most
capacity + T * per_second requests pass. The whole state of a bucket is one number, the instant at which it was
empty (the theoretical arrival time of GCRA, ITU-T I.371). It and all times passed in are seconds of a clock that
never goes back.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

FULL: Final = -math.inf


@dataclass(frozen=True, slots=True)
class Rate:
    """*capacity* requests at once, as many in every *seconds*; a capacity of 0 is no limit. Clients see *name*."""

    name: str
    capacity: int
    seconds: int = 60

    @property
    def per_second(self) -> float:
        return self.capacity / self.seconds


class LimitStatus(NamedTuple):  # one or two for every request: a tuple is created in a third of the time of a dataclass
    """The outcome of a request for one *rate*: whether it *passed*, tokens *left*, seconds to *wait* for the next."""

    rate: Rate
    passed: bool
    left: float
    wait: float

    @property
    def seconds(self) -> int:
        """How long until another request may pass, in whole seconds, at least 1."""
        return max(1, math.ceil(self.wait))


def level(rate: Rate, empty_since: float, now: float) -> float:
    """How many tokens are in the bucket at *now*; less than 0 when more were taken than it held."""
    return min(float(rate.capacity), (now - empty_since) * rate.per_second)


def after(rate: Rate, tokens: float, now: float) -> float:
    """The instant at which a bucket that holds *tokens* at *now* was empty."""
    return now - tokens / rate.per_second


def wait_for(rate: Rate, tokens: float) -> float:
    """How many seconds until the number of whole tokens in a bucket with *tokens* grows by one."""
    return (math.floor(max(0.0, tokens)) + 1 - tokens) / rate.per_second
