"""Messages: listing, opening, marking and deleting them, and their raw bytes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import zstandard
from sqlalchemy import Connection

from kaisoumail.errors import Problem
from kaisoumail.model.audit import Target, audit_entry
from kaisoumail.model.feed import PageEnd
from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.model.message import Message
from kaisoumail.model.user import Viewer
from kaisoumail.operations.audit import note
from kaisoumail.operations.mailboxes import narrowed
from kaisoumail.operations.pages import Page, one_more, paged
from kaisoumail.parsing.authentication import Authentication, authentication_of
from kaisoumail.parsing.mime import ParsedMessage, parse
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.tables import audit, mailboxes, messages
from kaisoumail.storage.tables.messages import MessageFilter
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message and the content parsed from its raw bytes just now: bodies and headers are not stored a second time."""

    message: Message
    parsed: ParsedMessage

    @property
    def authentication(self) -> Authentication | None:
        """The result of Cloudflare's check of the sender; None for a message that did not come from Cloudflare."""
        return authentication_of(self.parsed.headers) if self.message.channel == "worker" else None


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """
    Which messages to list; an empty field means "any". *after* is exclusive.

    With *limit* the result is a page that begins after *end*; without it, everything.
    """

    mailbox_ids: Sequence[str] = ()
    addresses: Sequence[str] = ()
    statuses: Sequence[MailboxStatus] = ()
    workspace: bool = False
    after: datetime | None = None
    unread: bool = False
    end: PageEnd | None = None
    limit: int | None = None


async def list_messages(context: Context, viewer: Viewer, query: MessageQuery) -> list[Message]:
    """
    The messages that the viewer may see, newest first; an admin sees those of all users.

    *workspace* and *statuses* select by the state of the mailbox, which also separates the messages of an
    earlier mailbox at the same address. Ids win over addresses.
    """
    return (await page_of_messages(context, viewer, query)).items


async def page_of_messages(context: Context, viewer: Viewer, query: MessageQuery) -> Page[Message]:
    """As `list_messages`, one page, with the end from which the next page continues."""
    statuses = narrowed(query.statuses, query.workspace)
    if statuses == ():
        return Page([])
    message_filter = MessageFilter(
        mailbox_ids=query.mailbox_ids,
        addresses=[address.strip().lower() for address in query.addresses],
        statuses=statuses or (),
        now=context.clock(),
        after=query.after,
        unread=query.unread,
        end=query.end,
        limit=one_more(query.limit),
    )
    found = await context.database.read(lambda connection: messages.listed(connection, viewer, message_filter))
    return paged(found, query.limit, lambda message: PageEnd(message.received_at, message.id))


async def open_message(
    context: Context, viewer: Viewer, message_id: str, *, hide_foreign: bool = False
) -> OpenedMessage:
    """
    The message with its bodies, headers and parts.

    Raises Problem `message_not_found`, `raw_message_missing`, and `forbidden` for a message of another user; with
    *hide_foreign* that is `message_not_found` too.
    """
    message, raw = await _with_raw(context, viewer, message_id, hide_foreign=hide_foreign)
    return await _parsed(message, raw)


async def opened(context: Context, message: Message) -> OpenedMessage:
    """As `open_message`, for a message that the viewer is known to see. Raises Problem `raw_message_missing`."""
    return await _parsed(message, await _raw_of(context, message))


async def _parsed(message: Message, raw: bytes) -> OpenedMessage:
    return OpenedMessage(message, await asyncio.to_thread(parse, raw))


async def raw_message(context: Context, viewer: Viewer, message_id: str, *, hide_foreign: bool = False) -> bytes:
    """The bytes as they arrived. Raises Problem as `open_message`."""
    return (await _with_raw(context, viewer, message_id, hide_foreign=hide_foreign))[1]


async def raw_unasked(context: Context, message_id: str) -> bytes:
    """
    The bytes as they arrived, for a caller that has checked permission.

    Raises Problem `message_not_found` or `raw_message_missing`.
    """
    return await _raw_of(context, await _message(context, message_id))


async def mark(context: Context, viewer: Viewer, message_id: str, *, is_read: bool) -> Message:
    """
    The message, marked. Marking it as read again does not change when it was read.

    Raises Problem `message_not_found`, also for a message of another user.
    """
    message = await _visible(context, viewer, message_id)
    now = context.clock()
    read_at = now if is_read else None

    entry = audit_entry(viewer, "message.mark", now, _target(message), isRead=is_read)

    def mark(connection: Connection) -> bool:
        is_changed = messages.mark(connection, message, read_at)
        if is_changed:
            audit.add(connection, entry)
        return is_changed

    if await context.database.write(mark):
        return replace(message, read_at=read_at)
    return await _visible(context, viewer, message_id)  # another request marked it first, or it was marked already


async def delete_message(context: Context, viewer: Viewer, message_id: str) -> None:
    """
    Delete the content and the bytes of the message for good.

    Raises Problem `message_not_found`, also for a message of another user and for one deleted before.

    The same delivery sent again does not restore it. Bytes in the blob store are removed after the commit, so that
    a listed message always has its bytes; those that a crash leaves behind are removed within the hour.
    """
    message = await _visible(context, viewer, message_id)
    now = context.clock()

    def remove(connection: Connection) -> Problem | None:
        if not messages.remove(connection, message, now):
            return _not_found()
        audit.add(connection, audit_entry(viewer, "message.delete", now, _target(message)))
        return None

    await write_or_raise(context.database, remove)
    if message.raw_location != messages.IN_ROW:
        await _drop_blob(context, message.raw_location)


async def remove_bytes_of_deleted(context: Context) -> int:
    """Remove blobs of deleted messages that are left because a process died after the commit; how many."""
    removed = 0
    while locations := await context.database.read(lambda connection: messages.deleted_blobs(connection, 100)):
        for location in locations:
            await _drop_blob(context, location)
        removed += len(locations)
    return removed


async def _drop_blob(context: Context, location: str) -> None:
    await context.stores.blobs.remove(location)
    await context.database.write(lambda connection: messages.forget_raw(connection, location))


async def _visible(context: Context, viewer: Viewer, message_id: str) -> Message:
    """The message, if the viewer may see it. Raises Problem `message_not_found` otherwise."""
    message = await context.database.read(lambda connection: messages.find(connection, message_id))
    if message is None or not await _may_read(context, viewer, message):
        raise _not_found()
    return message


async def _with_raw(context: Context, viewer: Viewer, message_id: str, *, hide_foreign: bool) -> tuple[Message, bytes]:
    message = await _message(context, message_id)
    if not await _may_read(context, viewer, message):
        raise _not_found() if hide_foreign else Problem("forbidden", "Forbidden")
    raw = await _raw_of(context, message)
    await note_opening(context, viewer, message)
    return message, raw


async def note_opening(context: Context, viewer: Viewer, message: Message) -> None:
    """Write an audit line if *viewer* opened a message of another user, as admins may."""
    if message.user_id != viewer.id:
        await note(context, viewer, "message.open", _target(message))


def _target(message: Message) -> Target:
    return Target(message.id, message.mailbox_address, message.user_id)


async def _may_read(context: Context, viewer: Viewer, message: Message) -> bool:
    if not viewer.may_see(message.user_id) or not viewer.grant.is_bound:
        return viewer.may_see(message.user_id)
    ids = [message.mailbox_id]
    return bool(await context.database.read(lambda connection: mailboxes.visible_ids(connection, viewer, ids)))


async def _message(context: Context, message_id: str) -> Message:
    message = await context.database.read(lambda connection: messages.find(connection, message_id))
    if message is None:
        raise _not_found()
    return message


async def _raw_of(context: Context, message: Message) -> bytes:
    if message.raw_location == messages.IN_ROW:
        raw = await context.database.read(lambda connection: messages.raw_in_row(connection, message.id))
    else:
        blob = await context.stores.blobs.find(message.raw_location)
        raw = None if blob is None else await asyncio.to_thread(zstandard.decompress, blob)
    if raw is None:
        raise Problem("raw_message_missing", "Raw message not found")
    return raw


def _not_found() -> Problem:
    return Problem("message_not_found", "Message not found")
