"""
Waiting for a message: the newest match, as soon as it is stored.

The wait listens for signals first and checks the database second: a message that arrives during a check causes another
check, so none is missed. While nothing happens, the database is not queried.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from kaisoumail.errors import Problem
from kaisoumail.model.feed import BEGINNING, Cursor, PageEnd
from kaisoumail.model.mailbox import Mailbox, MailboxStatus
from kaisoumail.model.message import Matcher, Message
from kaisoumail.model.user import Viewer
from kaisoumail.operations.messages import OpenedMessage, note_opening, opened
from kaisoumail.storage.engine.signals import EVERYTHING, mailbox_topic, user_topic
from kaisoumail.storage.tables import changes, mailboxes, messages
from kaisoumail.storage.tables.messages import Arrival, ArrivalFilter, MessageFilter
from kaisoumail.workflows.context import Context

_PAGE: Final = 200
_WAITABLE: Final = (MailboxStatus.ACTIVE, MailboxStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class WaitRequest:
    """
    Which message to wait for: in one of *mailbox_ids* (if empty, in any that the viewer may see), matching *matcher*,
    and after *since*: a cursor, or an instant (exclusive). None means "from now on".
    """

    mailbox_ids: Sequence[str] = ()
    matcher: Matcher = field(default_factory=Matcher)
    since: Cursor | datetime | None = None


@dataclass(frozen=True, slots=True)
class WaitOutcome:
    """The message that came, or None at the deadline; the next wait continues from *cursor*."""

    cursor: Cursor
    opened: OpenedMessage | None = None


async def newest_cursor(context: Context) -> Cursor:
    """The cursor after everything so far. Read before a message is triggered, it is a safe start for a wait."""
    return await context.database.read(changes.newest)


async def mailbox_ids_named(context: Context, viewer: Viewer, names: Sequence[str]) -> list[str]:
    """
    The ids of the mailboxes named by address or by id.

    Raises Problem `mailbox_not_found` for one that does not exist, is destroyed or belongs to another user, so that a
    caller does not learn which.
    """
    return [(await _waitable(context, viewer, name)).id for name in names]


async def wait(
    context: Context, viewer: Viewer, awaited: WaitRequest, seconds: float, viewer_now: Callable[[], Awaitable[Viewer]]
) -> WaitOutcome:
    """
    The newest message that matches *awaited*: at once if it is stored already, else when it arrives.

    The outcome has no message after *seconds*, or when the process is about to stop; a wait that continues from its
    cursor misses nothing. *viewer_now* authenticates again before each further check, and what it raises ends the wait.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    async with context.stores.signals.listening(*_topics(viewer, awaited)) as listener:
        cursor = await newest_cursor(context)
        found = await _first_check(context, viewer, awaited, cursor)
        cursor = await _not_before(context, cursor, found)
        while found is None and await listener.woken(max(0.0, deadline - clock())):
            viewer = await viewer_now()
            cursor, found = await _next_check(context, viewer, awaited, cursor)
    if found is not None:
        await note_opening(context, viewer, found.message)
    return WaitOutcome(cursor, found)


async def _not_before(context: Context, cursor: Cursor, found: OpenedMessage | None) -> Cursor:
    """*cursor*, or the place of *found* where that became visible later: the next wait must not return it again."""
    if found is None:
        return cursor
    place = await context.database.read(partial(changes.find_place, message_id=found.message.id))
    return cursor if place is None or place.seq < cursor.seq else place


def _topics(viewer: Viewer, awaited: WaitRequest) -> list[str]:
    if awaited.mailbox_ids:
        return [mailbox_topic(mailbox_id) for mailbox_id in awaited.mailbox_ids]
    return [EVERYTHING if viewer.is_admin else user_topic(viewer.id)]


async def _waitable(context: Context, viewer: Viewer, name: str) -> Mailbox:
    if "@" in name:
        address = name.strip().lower()
        mailbox = await context.database.read(lambda connection: mailboxes.find_live(connection, address))
    else:
        mailbox = await context.database.read(lambda connection: mailboxes.find(connection, name))
    if mailbox is None or mailbox.status not in _WAITABLE or not viewer.may_open(mailbox):
        raise Problem("mailbox_not_found", "Mailbox not found")
    return mailbox


async def _first_check(context: Context, viewer: Viewer, awaited: WaitRequest, until: Cursor) -> OpenedMessage | None:
    if awaited.since is None:
        return None
    if isinstance(awaited.since, datetime):
        return await _listed(
            context, awaited, MessageFilter(mailbox_ids=awaited.mailbox_ids, after=awaited.since), viewer
        )
    if awaited.since == BEGINNING:
        return await _listed(context, awaited, MessageFilter(mailbox_ids=awaited.mailbox_ids), viewer)
    return (await _next_check(context, viewer, awaited, awaited.since, until))[1]


async def _listed(
    context: Context, awaited: WaitRequest, message_filter: MessageFilter, viewer: Viewer
) -> OpenedMessage | None:
    """The newest match by time of receipt, which the index finds at once."""
    while True:
        message_filter = replace(message_filter, limit=_PAGE)
        page = await context.database.read(partial(messages.listed, viewer=viewer, wanted=message_filter))
        found = await _first_match(context, awaited.matcher, page)
        if found is not None or len(page) < _PAGE:
            return found
        message_filter = replace(message_filter, end=PageEnd(page[-1].received_at, page[-1].id))


async def _next_check(
    context: Context, viewer: Viewer, awaited: WaitRequest, since: Cursor, until: Cursor | None = None
) -> tuple[Cursor, OpenedMessage | None]:
    """The cursor that was reached, and the newest match that became visible after *since*."""
    ids, reached = awaited.mailbox_ids, until

    def arrivals(connection: Connection, until: Cursor | None) -> tuple[Cursor, list[Arrival]]:
        end = until or changes.newest(connection)
        return end, messages.arrived(connection, viewer, ArrivalFilter(since, end, _PAGE, ids))

    while True:
        end, page = await context.database.read(partial(arrivals, until=until))
        reached = reached or end
        found = await _first_match(context, awaited.matcher, [arrival.message for arrival in page])
        if found is not None or len(page) < _PAGE:
            return reached, found
        until = Cursor(page[-1].cursor.seq - 1)


async def _first_match(context: Context, matcher: Matcher, newest_first: Sequence[Message]) -> OpenedMessage | None:
    for message in newest_first:
        if matcher.matches(message):
            try:
                return await opened(context, message)
            except Problem as problem:
                if problem.code != "raw_message_missing":
                    raise  # else it was deleted since the check: try the next one
    return None
