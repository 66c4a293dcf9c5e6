"""How the cost of one step of reading grows with the length of what it is given: an exponent, never a time."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import log2
from typing import Final

STEEP: Final = 1.5  # between linear and quadratic; n log n over these lengths is 1.1
_TRIALS: Final = 4
_FELT: Final = 0.01  # seconds; below this a clock that ticks and a cache that is cold say more than the step does


@dataclass(frozen=True, slots=True)
class Step:
    """One step of reading by its *name*: *run* on a text of up to *longest* characters."""

    name: str
    run: Callable[[str], object]
    longest: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Repeated:
    """A text that can be had in any length: *unit* over and over between *begin* and *end*."""

    begin: str
    unit: str
    end: str = ""

    def text(self, length: int) -> str:
        return self.begin + self.unit * (length // len(self.unit)) + self.end


def exponent(step: Step, repeated: Repeated) -> float:
    """
    The steepest over two doublings, from a sixteenth of the longest text on: 1 is linear, 2 is quadratic.

    A step that reads only so much is steep below that and flat above. A steep one is measured again, each time by more
    runs: another process on the machine makes a run slower and never faster, so that the least of all runs is what the
    step itself does.
    """
    texts = [repeated.text(step.longest // part) for part in (16, 8, 4, 2, 1)]
    costs = [1e9] * len(texts)
    steepest = 0.0
    for trial in range(1, _TRIALS + 1):
        costs = [min(cost, _cost(step, text, 2 * trial - 1)) for cost, text in zip(costs, texts, strict=True)]
        doublings = zip(costs, costs[2:], strict=False)
        steepest = max((log2(long / short) / 2 for short, long in doublings if long > _FELT), default=0.0)
        if steepest <= STEEP:
            break
    return steepest


def _cost(step: Step, text: str, runs: int) -> float:
    """The least seconds of the thread that *runs* took."""
    costs = []
    gc.disable()
    try:
        for _ in range(runs):
            begun = time.thread_time()
            step.run(text)
            costs.append(time.thread_time() - begun)
    finally:
        gc.enable()
    return max(min(costs), 1e-6)
