"""Pages of lists."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kaisoumail.model.feed import PageEnd

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and the *end* from which the next page continues; None when these are the last."""

    items: list[T]
    end: PageEnd | None = None


def one_more(limit: int | None) -> int | None:
    """How many rows to read: one beyond the page shows whether there is another page."""
    return None if limit is None else limit + 1


def paged(found: list[T], limit: int | None, end_of: Callable[[T], PageEnd]) -> Page[T]:
    """The page in *found*, which was read with the limit of `one_more`."""
    if limit is None or len(found) <= limit:
        return Page(found)
    return Page(found[:limit], end_of(found[limit - 1]))
