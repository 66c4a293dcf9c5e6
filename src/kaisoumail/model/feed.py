"""
Positions that clients hold: a place among the changes, and the end of a page of a list.

Both are opaque to clients. A `Cursor` is a number of the `changes` table, assigned in the order in which
changes became visible: a client that continues from one misses nothing and sees nothing twice. An instant cannot
promise that, because a message stamped earlier may become visible later. A `PageEnd` is the last row of a page.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CURSOR_PATTERN: Final = r"^c([0-9]{1,18})$"
PAGE_END_PATTERN: Final = r"^p([0-9]{1,14})\.([a-z]{3}_[0-9a-zA-Z_-]{1,44})$"
_CURSOR: Final = re.compile(CURSOR_PATTERN)
_PAGE_END: Final = re.compile(PAGE_END_PATTERN)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place among the changes: everything up to number *seq* has been seen."""

    seq: int

    def __str__(self) -> str:
        return f"c{self.seq}"


BEGINNING: Final = Cursor(0)


def find_cursor(text: str) -> Cursor | None:
    """The cursor written as *text*, or None."""
    found = _CURSOR.fullmatch(text)
    return None if found is None else Cursor(int(found[1]))


@dataclass(frozen=True, slots=True)
class PageEnd:
    """The last row of a page: its instant, and its id, since several rows may share that millisecond."""

    instant: datetime
    id: str

    def __str__(self) -> str:
        return f"p{(self.instant - _EPOCH) // timedelta(milliseconds=1)}.{self.id}"


def find_page_end(text: str) -> PageEnd | None:
    """The page end written as *text*, or None."""
    found = _PAGE_END.fullmatch(text)
    return None if found is None else PageEnd(_EPOCH + timedelta(milliseconds=int(found[1])), found[2])
