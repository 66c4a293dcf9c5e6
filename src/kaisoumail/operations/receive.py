"""
Receiving mail: the one verb behind both doors.

When `receive` returns, the mail is durable, stored once, in the list, and who waits for it was told. Small
raw bytes go into the same transaction as their row, large ones to the blob store first; the transaction is
shared with the other mails of that moment.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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
_CERTAIN: Final = frozenset(("mailbox_unavailable", "mailbox_full"))  # said by a transaction that was committed
_MAX_ADDRESS: Final = 320


@dataclass(frozen=True, slots=True)
class Handover:
    """One mail for one recipient: by which channel, with which envelope, for which mailbox."""

    channel: Channel
    envelope: Envelope
    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class Receipt:
    """The message a hand-over is known by; *is_new* is False if an earlier hand-over made it."""

    message_id: str
    is_new: bool


async def can_receive(context: Context, channel: Channel, envelope: Envelope) -> Mailbox:
    """
    The mailbox that takes mail for the envelope's recipient now.

    Raises Problem `mailbox_unavailable`, the same for every reason: a stranger learns nothing from it;
    `mailbox_full`; or another that may pass when there is no room just now, or nobody can be looked up.
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
    Keep one mail for each of *handovers*; those with a receipt are durable and visible on return.

    The others get their Problem: `mailbox_unavailable` if a mailbox stopped receiving meanwhile,
    `mailbox_full` if its last room is gone, or another that may pass when the mail could not be kept just
    now; then nothing is left of it and the sender should try again. Raises Problem `too_large` or
    `storage_full` for the mail as a whole.

    The time that reading takes counts as that of *client*; for a hand-over, as that of the mailbox: all of those come
    from one client, Cloudflare.
    """
    if len(raw) > context.policy.limits.max_message_bytes:
        problem = Problem("too_large", f"A mail may have at most {context.policy.limits.max_message_bytes} bytes")
        for handover in handovers:
            note_refusal(context, handover.channel, handover.envelope, problem)
        raise problem
    context.stores.disk_guard.refuse_if_low()
    facts = await context.readers.read(raw, client or handovers[0].mailbox.id)
    if len(handovers) == 1:
        return [await _store_or_refuse(context, handovers[0], facts)]
    return list(await asyncio.gather(*(_store_or_refuse(context, handover, facts) for handover in handovers)))


def note_refusal(context: Context, channel: Channel, envelope: Envelope, problem: Problem) -> None:
    """
    Have a refusal for good written into the ledger, and that there is no room in a mailbox: its owner can make some.

    Others that may pass are no news to anybody.
    """
    if problem.kind.retry and problem.code != "mailbox_full":
        return
    sender, recipient = (_as_written(words) for words in (envelope.sender, envelope.recipient))
    context.stores.rejections.note(Rejection(new_id("rej"), context.clock(), channel, sender, recipient, problem.code))


async def _store_or_refuse(context: Context, handover: Handover, facts: ExtractedFields) -> Receipt | Problem:
    try:
        return await _keep(context, handover, facts)
    except Problem as problem:
        note_refusal(context, handover.channel, handover.envelope, problem)
        return problem


async def _keep(context: Context, handover: Handover, facts: ExtractedFields) -> Receipt:
    message = _message(context, handover, facts)
    in_row = message.raw_location == messages.IN_ROW
    if not in_row:
        await context.stores.blobs.put(message.raw_location, facts.compressed)
    try:
        kept_as = await context.stores.intake.keep(IncomingMessage(message, facts.compressed if in_row else None))
    except Problem as problem:
        if not in_row:
            await _let_go(context, message, problem)
        raise
    is_new = kept_as == message.id
    if not is_new and not in_row:
        await context.stores.blobs.remove(message.raw_location)
    if is_new and facts.doubts and context.cloudflare.second_opinions is not None:
        context.cloudflare.second_opinions.ask(message, facts.doubts)
    return Receipt(kept_as, is_new)


async def _let_go(context: Context, message: Message, problem: Problem) -> None:
    """The bytes of what was not kept are removed; but where the database is in trouble, nobody knows what it kept."""
    if problem.code in _CERTAIN:
        await context.stores.blobs.remove(message.raw_location)
    else:
        context.stores.uncertain_blobs.note(message.id, message.raw_location)


def _message(context: Context, handover: Handover, facts: ExtractedFields) -> Message:
    message_id, mailbox = new_id("msg"), handover.mailbox
    return Message(
        id=message_id,
        user_id=mailbox.user_id,
        mailbox_id=mailbox.id,
        mailbox_address=str(mailbox.address),
        channel=handover.channel,
        envelope=handover.envelope,
        delivery_key=delivery_key(handover.envelope, facts.digest),
        subject=facts.subject,
        preview=facts.preview,
        from_name=facts.from_name,
        from_address=facts.from_address,
        received_at=context.clock(),
        size_bytes=facts.size,
        attachment_count=facts.attachment_count,
        has_html=facts.has_html,
        verification=facts.verification,
        link=facts.link,
        parse_status=facts.status,
        raw_location=messages.IN_ROW if facts.size <= IN_ROW_BYTES else f"{message_id}.zst",
    )


def _as_written(words: str) -> str:
    """A stranger's words as the ledger keeps them: what a database takes, no longer than an address."""
    return words.encode("utf-8", "replace").decode("utf-8").replace("\0", "")[:_MAX_ADDRESS]
