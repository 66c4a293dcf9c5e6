"""What `parse` returns: the content of one message."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Status = Literal["parsed", "failed"]
RecipientKind = Literal["to", "cc", "bcc", "replyTo"]
Disposition = Literal["attachment", "inline", "unknown"]


@dataclass(frozen=True, slots=True)
class Header:
    """One header field: *key* lower-cased, *value* unfolded but otherwise as it was sent."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address of a recipient or Reply-To field. *address* has the form that the API promises; *name* is decoded."""

    kind: RecipientKind
    name: str | None
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not a body. *size_bytes* is its decoded size; *content_id* includes its angle brackets."""

    filename: str | None
    content_type: str
    size_bytes: int
    content_id: str | None
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """
    The content of one message.

    *status* is "failed" when a part of the message could not be read; the fields then hold what could be read.
    *defects* names what was cut, repaired or lost, by these values: "no_headers", "headers_cut",
    "structure_repaired", "structure_unreadable", "nested_too_deep", "too_many_parts", "too_many_recipients",
    "text_cut".
    """

    status: Status
    subject: str
    from_name: str | None
    from_address: str | None
    raw_from: str | None
    message_id: str | None
    date: datetime | None
    raw_date: str | None
    html: str | None
    text: str | None
    headers: tuple[Header, ...]
    recipients: tuple[Recipient, ...]
    attachments: tuple[Attachment, ...]
    defects: tuple[str, ...] = ()
