"""Which calls were made to Cloudflare meanwhile, and what it answered: for histories and pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from kaisoumail.cloudflare.errors import Answer

_recorded: Final[ContextVar[list[Answer] | None]] = ContextVar("recorded", default=None)


@contextmanager
def recording() -> Iterator[list[Answer]]:
    """The calls made inside the block, in order, as they come in; those of a block within it are not among them."""
    answers: list[Answer] = []
    token = _recorded.set(answers)
    try:
        yield answers
    finally:
        _recorded.reset(token)


def record(answer: Answer) -> None:
    """Add a call to the recording that is going on, if one is."""
    answers = _recorded.get()
    if answers is not None:
        answers.append(answer)
