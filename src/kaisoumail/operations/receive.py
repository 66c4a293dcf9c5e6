"""
Receiving messages: the one operation behind both channels, SMTP and the signed hand-over.

When `receive` returns, the message is durable, stored once, listed, and its waiters are woken. Small raw bytes go
into the same transaction as their row, large ones to the blob store first; the transaction is shared with the other
messages of that moment.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from kaisoumail.errors import Problem
from kaisoumail.mail_reading.extract import ExtractedFields
from kaisoumail.model.ids import new_id
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Channel, Envelope, Message, delivery_key
from kaisoumail.model.quota import mailbox_full
from kaisoumail.model.rejection import Rejection
from kaisoumail.storage.intake import IncomingMessage
from kaisoumail.storage.tables import messages
from kaisoumail.workflows.context import Context

IN_ROW_BYTES: Final = 48 * 1024  # beyond this a file and its fsync are cheaper than the row
_CERTAIN: Final = frozenset(("mailbox_unavailable", "mailbox_full"))  # decided by a transaction that was committed
_MAX_ADDRESS: Final = 320
_log: Final = structlog.get_logger("kaisoumail.receive")


@dataclass(frozen=True, slots=True)
class Handover:
    """The delivery of one message to one recipient: its channel, envelope and mailbox."""

    channel: Channel
    envelope: Envelope
    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class Receipt:
    """The stored message of a delivery; *is_new* is False if an earlier, equal delivery stored it."""

    message_id: str
    is_new: bool


async def can_receive(context: Context, channel: Channel, envelope: Envelope) -> Mailbox:
    """
    The mailbox that receives messages for the envelope's recipient now.

    Raises Problem `mailbox_unavailable`, the same for every reason, so that a client learns nothing from it;
    `mailbox_full`; `storage_full` when the disk is nearly full; `storage_unavailable` when the mailbox cannot be looked
    up.
    """
    context.stores.disk_guard.refuse_if_low()
    mailbox = await context.stores.intake.find_live(envelope.recipient.strip().lower())
    if mailbox is None or not mailbox.receives_at(context.clock()):
        problem = Problem("mailbox_unavailable", "Mailbox unavailable")
    elif context.stores.intake.is_full(mailbox):
        problem = mailbox_full()
    else:
        return mailbox
    note_refusal(context, channel, envelope, problem)
    raise problem


async def receive(
    context: Context, handovers: Sequence[Handover], raw: bytes, client: str = ""
) -> list[Receipt | Problem]:
    """
    Store one message for each of *handovers*; on return those with a receipt are durable and listed.

    The others get their Problem: `mailbox_unavailable` if the mailbox stopped receiving meanwhile,
    `mailbox_full` if its quota is reached by now, or `storage_locked` or `storage_unavailable` when the message could
    not be stored or the outcome is unknown; the sender should try again then. Raises Problem `too_large`,
    `storage_full`, or `overloaded` when it cannot be read now, for the message as a whole.

    The time that reading takes is charged to *client*; without one, in the signed hand-over, to the mailbox, because
    all hand-overs come from one client, Cloudflare.
    """
    if len(raw) > context.policy.limits.max_message_bytes:
        problem = Problem("too_large", f"A message may have at most {context.policy.limits.max_message_bytes} bytes")
        for handover in handovers:
            note_refusal(context, handover.channel, handover.envelope, problem)
        raise problem
    context.stores.disk_guard.refuse_if_low()
    fields = await context.readers.read(raw, client or handovers[0].mailbox.id)
    if len(handovers) == 1:
        return [await _store_or_refuse(context, handovers[0], fields)]
    return list(await asyncio.gather(*(_store_or_refuse(context, handover, fields) for handover in handovers)))


def note_refusal(context: Context, channel: Channel, envelope: Envelope, problem: Problem) -> None:
    """
    Write a permanent refusal into the rejection ledger, and `mailbox_full` too: its owner can delete messages.

    Other temporary refusals are not written: the sender tries again.
    """
    if problem.kind.retry and problem.code != "mailbox_full":
        return
    sender, recipient = (_storable(text) for text in (envelope.sender, envelope.recipient))
    context.stores.rejections.note(Rejection(new_id("rej"), context.clock(), channel, sender, recipient, problem.code))


async def _store_or_refuse(context: Context, handover: Handover, fields: ExtractedFields) -> Receipt | Problem:
    try:
        return await _store(context, handover, fields)
    except Problem as problem:
        note_refusal(context, handover.channel, handover.envelope, problem)
        return problem


async def _store(context: Context, handover: Handover, fields: ExtractedFields) -> Receipt:
    message = _message(context, handover, fields)
    in_row = message.raw_location == messages.IN_ROW
    if not in_row:
        await context.stores.blobs.put(message.raw_location, fields.compressed)
    try:
        stored_id = await context.stores.intake.store(IncomingMessage(message, fields.compressed if in_row else None))
    except Problem as problem:
        if not in_row and problem.code in _CERTAIN:
            await _discard_blob(context, message)
        elif not in_row:
            context.stores.uncertain_blobs.note(message.id, message.raw_location)
        raise
    is_new = stored_id == message.id
    if not is_new and not in_row:
        await _discard_blob(context, message)
    if is_new and fields.uncertain_codes and context.cloudflare.second_opinions is not None:
        context.cloudflare.second_opinions.ask(message, fields.uncertain_codes)
    return Receipt(stored_id, is_new)


async def _discard_blob(context: Context, message: Message) -> None:
    """Remove the bytes of a message that is not stored, now or, while the blob store fails, later."""
    try:
        await context.stores.blobs.remove(message.raw_location)
    except Problem as problem:
        _log.warning("receive.blob_not_removed", message=message.id, reason=problem.message)
        context.stores.uncertain_blobs.note(message.id, message.raw_location)


def _message(context: Context, handover: Handover, fields: ExtractedFields) -> Message:
    message_id, mailbox = new_id("msg"), handover.mailbox
    return Message(
        id=message_id,
        user_id=mailbox.user_id,
        mailbox_id=mailbox.id,
        mailbox_address=str(mailbox.address),
        channel=handover.channel,
        envelope=handover.envelope,
        delivery_key=delivery_key(handover.envelope, fields.digest),
        subject=fields.subject,
        preview=fields.preview,
        from_name=fields.from_name,
        from_address=fields.from_address,
        received_at=context.clock(),
        size_bytes=fields.size,
        attachment_count=fields.attachment_count,
        has_html=fields.has_html,
        verification=fields.verification,
        link=fields.link,
        parse_status=fields.status,
        raw_location=messages.IN_ROW if fields.size <= IN_ROW_BYTES else f"{message_id}.zst",
    )


def _storable(text: str) -> str:
    """*text* of an unauthenticated client as the ledger stores it: valid for a database, no longer than an address."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")[:_MAX_ADDRESS]
