"""Records the calls to Cloudflare and its answers, for histories and pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from kaisoumail.cloudflare.errors import Answer

_recorded: Final[ContextVar[list[Answer] | None]] = ContextVar("recorded", default=None)


@contextmanager
def recording() -> Iterator[list[Answer]]:
    """A list that grows with each call made inside the block, in order; without those of a nested block."""
    answers: list[Answer] = []
    token = _recorded.set(answers)
    try:
        yield answers
    finally:
        _recorded.reset(token)


def record(answer: Answer) -> None:
    """Add a call to the current recording, if there is one."""
    answers = _recorded.get()
    if answers is not None:
        answers.append(answer)
