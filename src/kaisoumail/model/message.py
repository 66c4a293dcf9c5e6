"""Messages: their identity, the stored row, matching for waiters, and the ids of their parts."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from kaisoumail.model.code import Link, Verification

Channel = Literal["smtp", "worker"]

_DIGITS: Final = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The SMTP envelope (RFC 5321), exactly as the sending server gave it. *sender* is "" for a bounce."""

    sender: str
    recipient: str


def digest_of(raw: bytes) -> bytes:
    """SHA-256 of a message's bytes, for `delivery_key`: computed once, however many recipients there are."""
    return hashlib.sha256(raw).digest()


def delivery_key(envelope: Envelope, digest: bytes) -> str:
    """
    The identity of one delivery: the same envelope and bytes give the same key, 64 hex digits.

    A sender that got no answer sends again: both attempts, on either channel, must become one message.
    """
    identity = hashlib.sha256()
    for part in (envelope.sender, envelope.recipient.lower()):
        encoded = part.encode("utf-8", "surrogateescape")
        identity.update(len(encoded).to_bytes(4, "big") + encoded)
    identity.update(digest)
    return identity.hexdigest()


@dataclass(frozen=True, slots=True)
class Message:
    """One stored message, with the fields that lists show."""

    id: str
    user_id: str
    mailbox_id: str
    mailbox_address: str
    envelope: Envelope
    delivery_key: str
    subject: str
    preview: str
    from_name: str | None
    from_address: str | None
    received_at: datetime
    size_bytes: int
    attachment_count: int
    has_html: bool
    verification: Verification | None
    parse_status: Literal["parsed", "failed"]
    raw_location: str
    """Where the raw bytes are: `row` (in the database, compressed) or a name in the blob store."""
    channel: Channel = "smtp"
    """How it came in: by SMTP, from any client, or by the hand-over that the Email Worker at Cloudflare signs."""
    read_at: datetime | None = None
    """When a user marked it as read; None while it is unread."""
    link: Link | None = None
    """The link that confirms, signs in, resets or accepts, if the message has one."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """The conditions on an awaited message. Empty fields match anything; letter case does not matter."""

    sender: str = ""
    subject: str = ""
    has_code: bool = False

    def matches(self, message: Message) -> bool:
        """
        True if the message has a code (where one is required) and contains both texts.

        The sender is searched for in the From name, the From address and the envelope's sender, since a user may
        know the sender by any of them.
        """
        if self.has_code and message.verification is None:
            return False
        senders = (message.from_name, message.from_address, message.envelope.sender)
        sender, subject = self.sender.casefold(), self.subject.casefold()
        return subject in message.subject.casefold() and any(sender in (text or "").casefold() for text in senders)


def part_id(prefix: str, message_id: str, number: int) -> str:
    """A stable id for a part that exists only in the raw bytes: digits of the message's id, then the part's number."""
    return f"{prefix}_{message_id.removeprefix('msg_')[:24]}{number:08x}"


def attachment_number(message_id: str, attachment_id: str) -> int | None:
    """The number of the attachment *attachment_id*, counted from 0; None if it is no attachment id of this message."""
    digits = attachment_id[-8:]
    if not _DIGITS.fullmatch(digits) or part_id("att", message_id, int(digits, 16)) != attachment_id:
        return None
    return int(digits, 16)
