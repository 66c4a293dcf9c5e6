"""
Receiving mail: the one verb behind both doors.

When `receive` returns, the mail is durable, stored once, in the list, and who waits for it was told. Small
raw bytes go into the same transaction as their row, large ones to the blob store first; the transaction is
shared with the other mails of that moment.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import zstandard

from kaisoumail.errors import Problem
from kaisoumail.model.code import Link, Verification
from kaisoumail.model.ids import new_id
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Door, Envelope, Message, delivery_key, digest_of
from kaisoumail.model.rejection import Rejection
from kaisoumail.parsing.codes.find import Found, find_code
from kaisoumail.parsing.codes.links import find_link
from kaisoumail.parsing.mime import ParsedMessage, parse
from kaisoumail.parsing.preview import preview_of
from kaisoumail.storage import messages
from kaisoumail.storage.intake import Incoming
from kaisoumail.workflows.context import Context

IN_ROW_BYTES: Final = 48 * 1024  # beyond this a file and its fsync are cheaper than the row
INLINE_BYTES: Final = 16 * 1024  # reading more than this might be felt by others on the event loop
_MAX_ADDRESS: Final = 320
# Two at once: a large mail in parts takes several times its size.
_readers: Final = ThreadPoolExecutor(2, thread_name_prefix="mail-reader")


@dataclass(frozen=True, slots=True)
class Handover:
    """One mail for one recipient: by which door, with which envelope, for which mailbox."""

    door: Door
    envelope: Envelope
    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class Receipt:
    """The message a hand-over is known by; *is_new* is False if an earlier hand-over made it."""

    message_id: str
    is_new: bool


async def can_receive(context: Context, door: Door, envelope: Envelope) -> Mailbox:
    """
    The mailbox that takes mail for the envelope's recipient now.

    Raises Problem `mailbox_unavailable`, the same for every reason: a stranger learns nothing from it;
    or one that may pass when there is no room just now, or nobody can be looked up.
    """
    context.water_mark.refuse_if_low()
    mailbox = await context.intake.find_live(envelope.recipient.strip().lower())
    if mailbox is None or not mailbox.receives_at(context.clock()):
        problem = Problem("mailbox_unavailable", "Mailbox unavailable")
        note_refusal(context, door, envelope, problem)
        raise problem
    return mailbox


async def receive(context: Context, handovers: Sequence[Handover], raw: bytes) -> list[Receipt | Problem]:
    """
    Keep one mail for each of *handovers*; those with a receipt are durable and visible on return.

    The others get their Problem: `mailbox_unavailable` if a mailbox stopped receiving meanwhile, or one
    that may pass when the mail could not be kept just now; then nothing is left of it and the sender
    should try again. Raises Problem `too_large` or `storage_full` for the mail as a whole.
    """
    if len(raw) > context.limits.max_message_bytes:
        problem = Problem("too_large", f"A mail may have at most {context.limits.max_message_bytes} bytes")
        for handover in handovers:
            note_refusal(context, handover.door, handover.envelope, problem)
        raise problem
    context.water_mark.refuse_if_low()
    facts = await _facts_of(raw)
    if len(handovers) == 1:
        return [await _kept_or_not(context, handovers[0], facts)]
    return list(await asyncio.gather(*(_kept_or_not(context, handover, facts) for handover in handovers)))


def note_refusal(context: Context, door: Door, envelope: Envelope, problem: Problem) -> None:
    """Have a refusal for good written into the ledger; one that may pass is no news to anybody."""
    if problem.kind.retry:
        return
    sender, recipient = (_as_written(words) for words in (envelope.sender, envelope.recipient))
    context.ledger.note(Rejection(new_id("rej"), context.clock(), door, sender, recipient, problem.code))


async def _kept_or_not(context: Context, handover: Handover, facts: "_Facts") -> Receipt | Problem:
    try:
        return await _keep(context, handover, facts)
    except Problem as problem:
        note_refusal(context, handover.door, handover.envelope, problem)
        return problem


async def _keep(context: Context, handover: Handover, facts: "_Facts") -> Receipt:
    message = _message(context, handover, facts)
    in_row = message.raw_location == messages.IN_ROW
    if not in_row:
        await context.blobs.put(message.raw_location, facts.compressed)
    try:
        kept_as = await context.intake.keep(Incoming(message, facts.compressed if in_row else None))
    except Problem:
        if not in_row:
            await context.blobs.remove(message.raw_location)
        raise
    is_new = kept_as == message.id
    if not is_new and not in_row:
        await context.blobs.remove(message.raw_location)
    return Receipt(kept_as, is_new)


def _message(context: Context, handover: Handover, facts: "_Facts") -> Message:
    message_id, mailbox = new_id("msg"), handover.mailbox
    return Message(
        id=message_id,
        user_id=mailbox.user_id,
        mailbox_id=mailbox.id,
        mailbox_address=str(mailbox.address),
        door=handover.door,
        envelope=handover.envelope,
        delivery_key=delivery_key(handover.envelope, facts.digest),
        subject=facts.parsed.subject,
        preview=facts.preview,
        from_name=facts.parsed.from_name,
        from_address=facts.parsed.from_address,
        received_at=context.clock(),
        size_bytes=facts.size,
        attachment_count=len(facts.parsed.attachments),
        has_html=bool(facts.parsed.html),
        verification=facts.verification,
        link=facts.link,
        parse_status=facts.parsed.status,
        raw_location=messages.IN_ROW if facts.size <= IN_ROW_BYTES else f"{message_id}.zst",
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is read off a mail once, however many recipients it has. *compressed* is all of it, as zstd."""

    size: int
    digest: bytes
    parsed: ParsedMessage
    verification: Verification | None
    link: Link | None
    preview: str
    compressed: bytes


async def _facts_of(raw: bytes) -> _Facts:
    if len(raw) <= INLINE_BYTES:
        return _read(raw)
    return await asyncio.get_running_loop().run_in_executor(_readers, _read, raw)


def _read(raw: bytes) -> _Facts:
    parsed = parse(raw)
    code = find_code(parsed.subject, parsed.text, parsed.html)
    return _Facts(
        size=len(raw),
        digest=digest_of(raw),
        parsed=parsed,
        verification=None if code is None else _verification(code),
        link=find_link(parsed.subject, parsed.text, parsed.html),
        preview=preview_of(parsed.text, parsed.html),
        compressed=zstandard.ZstdCompressor(level=1).compress(raw),
    )


def _verification(found: Found) -> Verification:
    return Verification(found.code, found.source, found.method, found.evidence, found.word or None, found.confidence)


def _as_written(words: str) -> str:
    """A stranger's words as the ledger keeps them: what a database takes, no longer than an address."""
    return words.encode("utf-8", "replace").decode("utf-8").replace("\0", "")[:_MAX_ADDRESS]
