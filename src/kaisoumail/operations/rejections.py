"""Listing the ledger of refused messages."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from kaisoumail.errors import InvalidValue
from kaisoumail.model.rejection import Rejection
from kaisoumail.model.user import Viewer
from kaisoumail.storage.tables import rejections
from kaisoumail.storage.tables.rejections import RejectionPageEnd
from kaisoumail.workflows.context import Context

CURSOR_PATTERN: Final = r"^([0-9]{1,14})-(rej_[0-9a-f]{32})$"
_CURSOR: Final = re.compile(CURSOR_PATTERN)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page:
    """Some refusals, newest first; *next_cursor* is where the older ones begin, None at the end."""

    rejections: list[Rejection]
    next_cursor: str | None


async def list_rejections(
    context: Context, viewer: Viewer, limit: int, cursor: str | None = None, domain: str | None = None
) -> Page:
    """
    The refused messages, newest first, at most *limit*; of recipients under *domain* if one is given.

    For admins, who own the domains. Raises Problem `admin_required`, or InvalidValue for an unknown cursor.
    """
    viewer.must_be_admin()
    after = None if cursor is None else _place(cursor)
    await context.stores.rejections.written()
    normalised = domain.strip().lower().strip(".") if domain else None
    found = await context.database.read(
        partial(rejections.listed, limit=limit + 1, after=after, domain=normalised),
    )
    shown = found[:limit]
    return Page(shown, _cursor(shown[-1]) if len(found) > limit else None)


def _cursor(rejection: Rejection) -> str:
    return f"{(rejection.at - _EPOCH) // timedelta(milliseconds=1)}-{rejection.id}"


def _place(cursor: str) -> RejectionPageEnd:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidValue("page end", "Unknown cursor")
    return RejectionPageEnd(_EPOCH + timedelta(milliseconds=int(found[1])), found[2])
