"""Lists by page: a page begins after the last row of the one before, at the same cost for every page."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, literal, tuple_

from kaisoumail.model.feed import PageEnd
from kaisoumail.storage.engine.schema import Instant


def older_than(end: PageEnd, instant: "Column[datetime]", row_id: "Column[Any]") -> ColumnElement[bool]:
    """Condition: a row comes after *end* in a list, newest first. A pair, so that both databases use the index."""
    return tuple_(instant, row_id) < tuple_(literal(end.instant, Instant), literal(end.id))
