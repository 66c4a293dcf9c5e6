"""Lists by page: each begins after the row the last one ended with, however many lie before."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, literal, tuple_

from kaisoumail.model.feed import PageEnd
from kaisoumail.storage.engine.schema import Instant


def older_than(end: PageEnd, instant: "Column[datetime]", row_id: "Column[Any]") -> ColumnElement[bool]:
    """What a list, newest first, holds after *end*. Compared as a pair, so that both databases walk the index."""
    return tuple_(instant, row_id) < tuple_(literal(end.instant, Instant), literal(end.id))
