"""Messages: what is kept of a received mail, and what is read from it when somebody opens it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kaisoumail.model.code import Link, Verification


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the sending server said around the mail, as it said it. *sender* is "" for a bounce."""

    sender: str
    recipient: str


def delivery_key(envelope: Envelope, raw: bytes) -> str:
    """
    The identity of one hand-over: the same envelope and bytes give the same key, 64 hex digits.

    A sender that heard no answer sends again; both doors and both tries must come to one message.
    """
    digest = hashlib.sha256()
    for part in (envelope.sender, envelope.recipient.lower()):
        encoded = part.encode("utf-8", "surrogateescape")
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    digest.update(raw)
    return digest.hexdigest()


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
    link: Link | None = None
    """The link that confirms, signs in, resets or accepts, if the mail has one."""
