"""Waiting for something that tells nobody when it has come: another process, a page, a lock."""

from collections.abc import Callable
from time import monotonic
from typing import Final, TypeVar

PATIENCE_SECONDS: Final = 120.0  # for a busy machine, not a claim about speed
_Answer = TypeVar("_Answer")


def poll(
    ask: Callable[[], _Answer], is_wanted: Callable[[_Answer], object] = bool, seconds: float = PATIENCE_SECONDS
) -> _Answer:
    """
    The first answer that *is_wanted*. Raises AssertionError with the last one after *seconds*.

    Asking takes its time, so nothing is slept.
    """
    deadline = monotonic() + seconds
    while not is_wanted(answer := ask()):
        assert monotonic() < deadline, f"after {seconds:.0f} s the answer is still {answer!r}"
    return answer
