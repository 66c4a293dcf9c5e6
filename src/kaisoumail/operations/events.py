"""
The stream of events about everything a viewer may see.

A stream has no queue: it holds the cursor of its reader and reads on from the database, a page at a time. A reader
that is slow or disconnected costs nothing, and continues from its last cursor without a gap.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection

from kaisoumail.model.domain import Domain
from kaisoumail.model.feed import Cursor
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Message
from kaisoumail.model.user import Viewer
from kaisoumail.storage.engine.signals import EVERYTHING, user_topic
from kaisoumail.storage.engine.transactions import Change
from kaisoumail.storage.tables import changes, domains, mailboxes, messages
from kaisoumail.storage.tables.changes import NumberedChange
from kaisoumail.workflows.context import Context

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Event:
    """
    One change: a message that arrived, or a mailbox or a domain as it is now.

    With *subject* None only the position *cursor* is reported: the first event of every stream.
    """

    cursor: Cursor
    subject: Message | Mailbox | Domain | None = None


async def events(
    context: Context, viewer: Viewer, since: Cursor | None, find_viewer: Callable[[], Awaitable[Viewer | None]]
) -> AsyncGenerator[Event | None, None]:
    """
    Everything after *since* (None: from now on), oldest first, for as long as it is read.

    Yields None when nothing happened for `limits.heartbeat_seconds`. Ends when the process is about to stop, and
    when *find_viewer* finds nobody signed in any more, another user or other rights: it is called before each page of
    events. A cursor from the future (of a restored database) counts as "from now on".
    """
    topic = EVERYTHING if viewer.is_admin else user_topic(viewer.id)
    async with context.stores.signals.listening(topic) as listener:
        newest = await context.database.read(changes.newest)
        cursor = newest if since is None else min(since, newest)
        yield Event(cursor)
        while not listener.is_over:
            page = await context.database.read(partial(changes.after, viewer=viewer, cursor=cursor, limit=_PAGE))
            if page and not _is_same(viewer, await find_viewer()):
                return
            for event in await _events(context, page):
                yield event
            if page:
                cursor = page[-1].cursor
            elif not await listener.woken(context.policy.limits.heartbeat_seconds) and not listener.is_over:
                yield None


def _is_same(viewer: Viewer, now: Viewer | None) -> bool:
    return now is not None and (now.id, now.is_admin, now.grant) == (viewer.id, viewer.is_admin, viewer.grant)


async def _events(context: Context, page: list[NumberedChange]) -> list[Event]:
    """The events of *page*, without subjects that were removed since or are not shown yet."""
    if not page:
        return []
    subjects = await context.database.read(lambda connection: _subjects(connection, [each.change for each in page]))
    found = ((each.cursor, subjects.get(_id_of(each.change))) for each in page)
    return [Event(cursor, subject) for cursor, subject in found if subject is not None]


def _subjects(connection: Connection, page_changes: list[Change]) -> dict[str, Message | Mailbox | Domain]:
    """The message, mailbox or domain of each change, by id."""
    of_messages = [change.message_id for change in page_changes if change.message_id]
    of_mailboxes = [change.mailbox_id for change in page_changes if change.mailbox_id and not change.message_id]
    of_domains = [change.domain_id for change in page_changes if change.domain_id]
    return {
        subject.id: subject
        for subject in (
            *(messages.with_ids(connection, of_messages) if of_messages else ()),
            *(mailboxes.with_ids(connection, of_mailboxes) if of_mailboxes else ()),
            *(domains.with_ids(connection, of_domains) if of_domains else ()),
        )
    }


def _id_of(change: Change) -> str:
    return change.message_id or change.mailbox_id or change.domain_id or ""
