"""
Receiving mail: the one verb behind both doors.

When `receive` returns, the mail is durable, stored once, and in the list. Small raw bytes go into the
same transaction as their row, large ones to the blob store first; the transaction is shared with the
other mails of that moment.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

import zstandard

from kaisoumail.errors import Problem
from kaisoumail.model.code import Link, Verification
from kaisoumail.model.ids import new_id
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Envelope, Message, delivery_key
from kaisoumail.parsing.codes.find import Found, find_code
from kaisoumail.parsing.codes.links import find_link
from kaisoumail.parsing.mime import ParsedMessage, parse
from kaisoumail.parsing.preview import preview_of
from kaisoumail.storage import mailboxes, messages
from kaisoumail.workflows.context import Context

IN_ROW_BYTES: Final = 48 * 1024  # beyond this a file and its fsync are cheaper than the row
_INLINE_BYTES: Final = 200 * 1024  # parsing more than this would be felt by others on the event loop
_compressor: Final = zstandard.ZstdCompressor(level=1)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The message a hand-over is known by; *is_new* is False if an earlier hand-over made it."""

    message_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the raw bytes say."""

    key: str
    parsed: ParsedMessage
    verification: Verification | None
    link: Link | None
    preview: str


async def can_receive(context: Context, recipient: str) -> Mailbox:
    """
    The mailbox that takes mail for *recipient* now.

    Raises Problem `mailbox_unavailable`, the same for every reason: a stranger learns nothing from it.
    """
    address = recipient.strip().lower()
    mailbox = await context.database.read(lambda connection: mailboxes.find_live(connection, address))
    if mailbox is None or not mailbox.receives_at(context.clock()):
        raise Problem("mailbox_unavailable", "Mailbox unavailable")
    return mailbox


async def receive(context: Context, envelope: Envelope, raw: bytes) -> Receipt:
    """
    Keep one mail for one recipient; durable and visible on return.

    Raises Problem `mailbox_unavailable`, `too_large`, or one that may pass when the mail could not be
    kept just now; then nothing is left of it and the sender should try again.
    """
    if len(raw) > context.limits.max_message_bytes:
        raise Problem("too_large", f"A mail may have at most {context.limits.max_message_bytes} bytes")
    mailbox = await can_receive(context, envelope.recipient)
    message = await _read(context, mailbox, envelope, raw)
    in_row = len(raw) <= IN_ROW_BYTES
    if not in_row:
        await context.blobs.put(message.raw_location, _compressor.compress(raw))
    compressed = _compressor.compress(raw) if in_row else None
    kept_as = await context.database.write(lambda connection: messages.add(connection, message, compressed))
    is_new = kept_as == message.id
    if is_new:
        await context.signals.tell(f"mailbox:{mailbox.id}")
        await context.signals.tell(f"user:{mailbox.user_id}")
    elif not in_row:
        await context.blobs.remove(message.raw_location)
    return Receipt(kept_as, is_new)


async def _read(context: Context, mailbox: Mailbox, envelope: Envelope, raw: bytes) -> Message:
    """The message that *raw* is, for this mailbox."""
    if len(raw) > _INLINE_BYTES:
        facts = await asyncio.to_thread(_facts, envelope, raw)
    else:
        facts = _facts(envelope, raw)
    parsed = facts.parsed
    message_id = new_id("msg")
    return Message(
        id=message_id,
        user_id=mailbox.user_id,
        mailbox_id=mailbox.id,
        mailbox_address=str(mailbox.address),
        envelope=envelope,
        delivery_key=facts.key,
        subject=parsed.subject,
        preview=facts.preview,
        from_name=parsed.from_name,
        from_address=parsed.from_address,
        received_at=context.clock(),
        size_bytes=len(raw),
        attachment_count=len(parsed.attachments),
        has_html=bool(parsed.html),
        verification=facts.verification,
        parse_status=parsed.status,
        raw_location=messages.IN_ROW if len(raw) <= IN_ROW_BYTES else f"{message_id}.zst",
        link=facts.link,
    )


def _verification(found: Found) -> Verification:
    return Verification(found.code, found.source, found.method, found.evidence, found.word or None, found.confidence)


def _facts(envelope: Envelope, raw: bytes) -> _Facts:
    parsed = parse(raw)
    code = find_code(parsed.subject, parsed.text, parsed.html)
    found = None if code is None else _verification(code)
    link = find_link(parsed.subject, parsed.text, parsed.html)
    return _Facts(delivery_key(envelope, raw), parsed, found, link, preview_of(parsed.text, parsed.html))
