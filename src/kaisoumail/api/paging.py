"""`limit` and `cursor` of a paged list. A request with neither gets the whole list."""

from typing import Annotated, Final

import msgspec

from kaisoumail.api.fields import PageEndText, digits, page_end, whole_number
from kaisoumail.model.feed import PageEnd

_DEFAULT_LIMIT: Final = 100
_MAX_LIMIT: Final = 200


class Paging(msgspec.Struct, rename="camel"):
    """Base of the query forms of paged lists."""

    limit: Annotated[str, digits(1, _MAX_LIMIT)] | None = None
    cursor: PageEndText | None = None

    @property
    def end(self) -> PageEnd | None:
        """The end of the page before, None for the first page. Raises Problem `invalid_request` naming `cursor`."""
        return None if self.cursor is None else page_end(self.cursor, "cursor")

    @property
    def max_rows(self) -> int | None:
        """
        How many rows the answer may have: `limit`, 100 with a cursor alone, None for all of them.

        Raises Problem `invalid_request` unless `limit` is from 1 to 200.
        """
        if self.limit is not None:
            return whole_number(self.limit, "limit", 1, _MAX_LIMIT)
        return None if self.cursor is None else _DEFAULT_LIMIT


def next_cursor(end: PageEnd | None) -> str | None:
    return None if end is None else str(end)
