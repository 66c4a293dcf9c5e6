"""Messages: what is kept of a received mail, and what is read from it when somebody opens it."""

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
    """What the sending server said around the mail, as it said it. *sender* is "" for a bounce."""

    sender: str
    recipient: str


def digest_of(raw: bytes) -> bytes:
    """SHA-256 of a mail's bytes, for `delivery_key`: taken once, however many recipients the mail has."""
    return hashlib.sha256(raw).digest()


def delivery_key(envelope: Envelope, digest: bytes) -> str:
    """
    The identity of one hand-over: the same envelope and bytes give the same key, 64 hex digits.

    A sender that heard no answer sends again; both doors and both tries must come to one message.
    """
    identity = hashlib.sha256()
    for part in (envelope.sender, envelope.recipient.lower()):
        encoded = part.encode("utf-8", "surrogateescape")
        identity.update(len(encoded).to_bytes(4, "big") + encoded)
    identity.update(digest)
    return identity.hexdigest()


@dataclass(frozen=True, slots=True)
class Message:
    """One stored mail, with what lists show of it."""

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
    """How it came in: by SMTP, from anybody, or by the hand-over that the Email Worker at Cloudflare signs."""
    read_at: datetime | None = None
    """When somebody said they had read it; None while it is unread."""
    link: Link | None = None
    """The link that confirms, signs in, resets or accepts, if the mail has one."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a message somebody waits for is like. Empty parts match anything; letter case does not matter."""

    sender: str = ""
    subject: str = ""
    has_code: bool = False

    def matches(self, message: Message) -> bool:
        """
        True if the message has a code (where one is wanted) and contains both texts.

        The sender is looked for in the From name, the From address and the envelope's sender, since any of
        them is what somebody may know the sender by.
        """
        if self.has_code and message.verification is None:
            return False
        senders = (message.from_name, message.from_address, message.envelope.sender)
        sender, subject = self.sender.casefold(), self.subject.casefold()
        return subject in message.subject.casefold() and any(sender in (text or "").casefold() for text in senders)


def part_id(prefix: str, message_id: str, number: int) -> str:
    """A stable id for a part that lives only in the raw bytes: the message's own digits, then its place."""
    return f"{prefix}_{message_id.removeprefix('msg_')[:24]}{number:08x}"


def attachment_number(message_id: str, attachment_id: str) -> int | None:
    """Which attachment of the message *attachment_id* means, counted from 0; None if it is none of its ids."""
    digits = attachment_id[-8:]
    if not _DIGITS.fullmatch(digits) or part_id("att", message_id, int(digits, 16)) != attachment_id:
        return None
    return int(digits, 16)
