"""Parses a message. Malformed input is no exception: the result names its defects."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Final

from kaisoumail.parsing.addresses import ParsedMailbox, mailboxes_in
from kaisoumail.parsing.bodies import MAX_TEXT_BYTES, Bodies, bodies_of
from kaisoumail.parsing.charsets import decode, one_line
from kaisoumail.parsing.encoded_words import decode_words
from kaisoumail.parsing.fast_tree import fast_tree
from kaisoumail.parsing.filenames import cleaned_filename
from kaisoumail.parsing.headers import HeaderBlock, read_headers
from kaisoumail.parsing.parameters import MAX_VALUE
from kaisoumail.parsing.parsed_message import (
    Attachment,
    Disposition,
    Header,
    ParsedMessage,
    Recipient,
    RecipientKind,
)
from kaisoumail.parsing.part import Part
from kaisoumail.parsing.tolerant_tree import tolerant_tree

__all__ = ["NO_SUBJECT", "Attachment", "Header", "ParsedMessage", "Recipient", "find_attachment", "parse"]

NO_SUBJECT: Final = "(no subject)"
MAX_SUBJECT: Final = 998
MAX_RECIPIENTS: Final = 1000
MAX_ENTRIES: Final = 2000  # of the recipient fields, with those that have no address

_MIME_FIELDS: Final = ("content-type", "content-transfer-encoding", "content-disposition")
_RECIPIENT_FIELDS: Final[dict[RecipientKind, str]] = {"to": "to", "cc": "cc", "bcc": "bcc", "replyTo": "reply-to"}
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]+>")
_LOSSES: Final = frozenset(("no_headers", "structure_unreadable", "nested_too_deep"))


def parse(raw: bytes) -> ParsedMessage:
    """
    The content of the message *raw*. Never raises; time and memory grow linearly with its length.

    *status* is "failed" when there is no header or a body could not be reached. Of duplicate single fields the last
    one counts, except for the MIME fields, where the first does. Strings are cut at lengths that no legitimate message
    reaches, and contain no characters that a database refuses.
    """
    raw = _with_line_feeds(raw)
    block = read_headers(raw)
    defects = ["headers_cut"] if block.cut else []
    if not block.fields:
        defects.append("no_headers")
    bodies = _bodies(block, raw, defects)
    recipients, has_more = _recipients(block)
    if has_more:
        defects.append("too_many_recipients")
    raw_from, raw_date = block.last("from"), block.last("date")
    sender = _sender(raw_from)
    return ParsedMessage(
        status="failed" if _LOSSES.intersection(defects) else "parsed",
        subject=_subject(block.last("subject")),
        from_name=sender.name,
        from_address=sender.address,
        raw_from=raw_from,
        message_id=_message_id(block.last("message-id")),
        date=_instant(raw_date),
        raw_date=raw_date,
        html=bodies.html,
        text=bodies.text,
        headers=block.fields,
        recipients=recipients,
        attachments=tuple(_attachment(part) for part in bodies.files),
        defects=tuple(defects),
    )


def find_attachment(raw: bytes, number: int) -> tuple[Attachment, bytes] | None:
    """Attachment *number* of *raw*, an index into `ParsedMessage.attachments`, and its decoded bytes; else None."""
    raw = _with_line_feeds(raw)
    files = _bodies(read_headers(raw), raw, []).files
    if not 0 <= number < len(files):
        return None
    return _attachment(files[number]), files[number].load()


def _with_line_feeds(raw: bytes) -> bytes:
    """*raw*, with line feeds for carriage returns if its lines end in carriage returns only."""
    return raw if b"\n" in raw else raw.replace(b"\r", b"\n")


def _bodies(block: HeaderBlock, raw: bytes, defects: list[str]) -> Bodies:
    try:
        tree = fast_tree(_mime_fields(block), raw, block.body_start) or tolerant_tree(block, raw)
        bodies = bodies_of(tree.root)
    except Exception:  # noqa: BLE001 - hostile bytes must never lose the message; the defect records it
        defects.append("structure_unreadable")
        shown = raw[block.body_start : block.body_start + MAX_TEXT_BYTES]
        return Bodies(decode(shown, None) or None, None, ())
    defects.extend(tree.defects)
    if bodies.cut:
        defects.append("text_cut")
    return bodies


def _attachment(part: Part) -> Attachment:
    is_default = not part.declared and part.content_type == "text/plain"
    return Attachment(
        filename=cleaned_filename(part.filename),
        content_type="application/octet-stream" if is_default else part.content_type,
        size_bytes=part.size,
        content_id=one_line(part.content_id or "")[:MAX_SUBJECT] or None,
        disposition=_disposition(part.disposition or ""),
    )


def _disposition(value: str) -> Disposition:
    if "inline" in value:
        return "inline"
    return "attachment" if "attachment" in value else "unknown"


def _mime_fields(block: HeaderBlock) -> bytes:
    """The fields that the tree needs; others cost the library time, and hostile ones much of it."""
    fields = [(name, block.first(name)) for name in _MIME_FIELDS]
    return b"".join(f"{name}: {value[:MAX_VALUE]}\r\n".encode() for name, value in fields if value is not None)


def _subject(value: str | None) -> str:
    # Cut before decoding to bound the cost; an encoded-word is seldom more than eight times as long as its text.
    return one_line(decode_words((value or "")[: MAX_SUBJECT * 8]))[:MAX_SUBJECT] or NO_SUBJECT


def _sender(value: str | None) -> ParsedMailbox:
    found = islice(mailboxes_in(value), MAX_RECIPIENTS) if value else ()
    return next((mailbox for mailbox in found if mailbox.name or mailbox.address), ParsedMailbox(None, None))


def _recipients(block: HeaderBlock) -> tuple[tuple[Recipient, ...], bool]:
    """The recipients up to the limits, and whether there is anything beyond them."""
    named = (
        (kind, mailbox)
        for kind, key in _RECIPIENT_FIELDS.items()
        for value in block.all(key)
        for mailbox in mailboxes_in(value)
    )
    # Entries without an address are counted as well: reading 40,000 empty ones takes a quarter of a second.
    considered = islice(named, MAX_ENTRIES)
    found = [Recipient(kind, mailbox.name, mailbox.address) for kind, mailbox in considered if mailbox.address]
    return tuple(found[:MAX_RECIPIENTS]), len(found) > MAX_RECIPIENTS or next(named, None) is not None


def _message_id(value: str | None) -> str | None:
    if not value:
        return None
    found = _MESSAGE_ID.search(value)
    if found:
        return found[0][:MAX_SUBJECT]
    bare = value.strip("<> ")
    return f"<{bare}>" if bare and len(bare) < MAX_SUBJECT and " " not in bare else None


def _instant(value: str | None) -> datetime | None:
    """The date and time in a Date field, in UTC; None if it has none. A date without an offset is read as UTC."""
    if not value:
        return None
    value = value[:128]
    for reader in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = reader(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
            continue
    return None
