"""`limit` and `cursor`: a list by page, for who asks for pages. Who does not gets the whole list."""

from typing import Annotated, Final

import msgspec

from kaisoumail.api.fields import PageEndText, digits, page_end, whole_number
from kaisoumail.model.feed import PageEnd

_USUAL: Final = 100
_MOST: Final = 200


class Paging(msgspec.Struct, rename="camel"):
    """The fields of a query that a paged list takes beside its own."""

    limit: Annotated[str, digits(1, _MOST)] | None = None
    cursor: PageEndText | None = None

    @property
    def end(self) -> PageEnd | None:
        return None if self.cursor is None else page_end(self.cursor, "cursor")

    @property
    def most(self) -> int | None:
        """How many rows the answer may have; None for all of them."""
        if self.limit is not None:
            return whole_number(self.limit, "limit", 1, _MOST)
        return None if self.cursor is None else _USUAL


def next_cursor(end: PageEnd | None) -> str | None:
    return None if end is None else str(end)
