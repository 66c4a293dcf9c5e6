"""Messages: listing them, opening one, and its raw bytes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import zstandard

from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.model.message import Message
from kaisoumail.model.user import Viewer
from kaisoumail.operations.mailboxes import list_mailboxes
from kaisoumail.parsing.authentication import Authentication, authentication_of
from kaisoumail.parsing.mime import ParsedMessage, parse
from kaisoumail.storage import messages
from kaisoumail.storage.messages import Wanted
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class Opened:
    """A message and what its bytes say, read now: the bytes are the truth, nothing is kept twice."""

    message: Message
    parsed: ParsedMessage

    @property
    def authentication(self) -> Authentication | None:
        """What Cloudflare found out about the sender; None for a mail that did not come from there."""
        return authentication_of(self.parsed.headers) if self.message.door == "worker" else None


@dataclass(frozen=True, slots=True)
class Question:
    """Which messages somebody wants to see; empty means "any". *after* is exclusive."""

    mailbox_ids: Sequence[str] = ()
    addresses: Sequence[str] = ()
    statuses: Sequence[MailboxStatus] = ()
    workspace: bool = False
    after: datetime | None = None


async def list_messages(context: Context, viewer: Viewer, question: Question) -> list[Message]:
    """
    What the viewer may see, newest first; an admin sees everybody's.

    With *workspace* or *statuses* only mailboxes of that kind count, which also keeps the mails of an
    earlier mailbox at the same address apart. Ids win over addresses.
    """
    addresses = [address.strip().lower() for address in question.addresses]
    wanted = Wanted(question.mailbox_ids, () if question.mailbox_ids else addresses, question.after)
    if question.workspace or question.statuses:
        kept = await list_mailboxes(context, viewer, workspace=question.workspace, statuses=question.statuses)
        ids = [
            mailbox.id
            for mailbox in kept
            if (not question.mailbox_ids or mailbox.id in question.mailbox_ids)
            and (question.mailbox_ids or not addresses or str(mailbox.address) in addresses)
        ]
        if not ids:
            return []
        wanted = Wanted(ids, (), question.after)
    return await context.database.read(lambda connection: messages.listed(connection, viewer, wanted))


async def open_message(context: Context, viewer: Viewer, message_id: str) -> Opened:
    """The message with its bodies, headers and parts. Raises Problem `message_not_found` or `forbidden`."""
    message, raw = await _with_raw(context, viewer, message_id)
    return Opened(message, await asyncio.to_thread(parse, raw))


async def raw_message(context: Context, viewer: Viewer, message_id: str) -> bytes:
    """The bytes as they arrived. Raises Problem `message_not_found`, `forbidden` or `raw_message_missing`."""
    return (await _with_raw(context, viewer, message_id))[1]


async def raw_unasked(context: Context, message_id: str) -> bytes:
    """The bytes as they arrived, for a caller that has asked already who may see them. Raises as `raw_message`."""
    return await _raw_of(context, await _message(context, message_id))


async def _with_raw(context: Context, viewer: Viewer, message_id: str) -> tuple[Message, bytes]:
    message = await _message(context, message_id)
    if not viewer.may_see(message.user_id):
        raise Problem("forbidden", "Forbidden")
    return message, await _raw_of(context, message)


async def _message(context: Context, message_id: str) -> Message:
    message = await context.database.read(lambda connection: messages.find(connection, message_id))
    if message is None:
        raise Problem("message_not_found", "Message not found")
    return message


async def _raw_of(context: Context, message: Message) -> bytes:
    if message.raw_location == messages.IN_ROW:
        raw = await context.database.read(lambda connection: messages.raw_in_row(connection, message.id))
    else:
        blob = await context.blobs.find(message.raw_location)
        raw = None if blob is None else await asyncio.to_thread(zstandard.decompress, blob)
    if raw is None:
        raise Problem("raw_message_missing", "Raw message not found")
    return raw
