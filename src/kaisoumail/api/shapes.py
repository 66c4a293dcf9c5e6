"""Response bodies: the contract's objects, field for field. Fields may be added, never changed."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

from kaisoumail.model.clock import iso, iso_or_none
from kaisoumail.model.feed import Cursor
from kaisoumail.model.mailbox import UNKNOWN_RULE, Mailbox, MailboxSource
from kaisoumail.model.message import Message, part_id
from kaisoumail.operations.message_parts import Attachment, Authentication, Finding
from kaisoumail.operations.messages import OpenedMessage

NO_STORE: Final = {"cache-control": "no-store"}
ShownStatus = Literal["active", "expired", "destroying", "destroyed"]
Instant = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


def one_of(*words: str) -> msgspec.Meta:
    """Field metadata: the OpenAPI document shows the text as one of *words*."""
    return msgspec.Meta(extra_json_schema={"enum": list(words)})


class Shape(msgspec.Struct, rename="camel", kw_only=True):
    """A response body: camelCase on the wire."""


class MailboxShape(Shape):
    id: str
    user_id: str
    local_part: str
    subdomain: str
    mail_domain: str
    root_domain: str
    address: str
    source: Annotated[str, one_of(*MailboxSource)]
    status: Annotated[str, one_of(*get_args(ShownStatus))]
    created_at: Instant
    last_received_at: Instant | None
    expires_at: Instant | None
    destroyed_at: Instant | None
    routing_rule_id: str | None
    # added to the contract
    unread_count: int


class MailboxNowShape(MailboxShape):
    cursor: str


class MailboxListShape(Shape):
    mailboxes: list[MailboxShape]
    # added to the contract
    next_cursor: str | None


class LinkShape(Shape):
    url: str
    host: str
    text: str
    kind: Annotated[str, one_of("confirm", "sign_in", "reset", "invite")]


class VerificationShape(Shape):
    code: str
    source: Annotated[str, one_of("subject", "body")]
    method: Annotated[str, one_of("rules", "ai")]
    # added to the contract
    evidence: str | None
    word: str | None
    confidence: float | None
    link: LinkShape | None


class MessageShape(Shape):
    id: str
    mailbox_id: str
    mailbox_address: str
    subject: str
    preview_text: str
    from_name: str | None
    from_address: str | None
    received_at: Instant
    size_bytes: int
    attachment_count: int
    has_html: bool
    verification: VerificationShape | None
    # added to the contract
    parse_status: Annotated[str, one_of("parsed", "failed")]
    is_read: bool
    read_at: Instant | None
    link: LinkShape | None


class MessageListShape(Shape):
    messages: list[MessageShape]
    # added to the contract
    next_cursor: str | None


class MarkedMessageShape(Shape):
    message: MessageShape


class MailHeaderShape(Shape):
    key: str
    value: str


class RecipientShape(Shape):
    id: str
    kind: Annotated[str, one_of("to", "cc", "bcc", "replyTo")]
    name: str | None
    address: str


class RecipientsShape(Shape):
    to: list[RecipientShape]
    cc: list[RecipientShape]
    bcc: list[RecipientShape]
    reply_to: list[RecipientShape]


class AttachmentShape(Shape):
    id: str
    filename: str | None
    content_type: str
    size_bytes: int
    content_id: str | None
    disposition: Annotated[str, one_of("attachment", "inline", "unknown")]
    # added to the contract
    download_path: str


class FindingShape(Shape):
    result: str
    domain: str | None


class AuthenticationShape(Shape):
    spf: FindingShape | None
    dkim: FindingShape | None
    dmarc: FindingShape | None


class MessageDetailShape(MessageShape):
    envelope_from: str | None
    envelope_to: str
    message_id: str | None
    date_header: Instant | None
    html: str | None
    text: str | None
    headers: list[MailHeaderShape]
    recipients: RecipientsShape
    attachments: list[AttachmentShape]
    raw_download_path: str
    # added to the contract
    html_path: str | None
    parse_defects: list[str]
    authentication: AuthenticationShape | None


class OpenedMessageShape(Shape):
    message: MessageDetailShape


class AwaitedMessageShape(Shape):
    message: MessageDetailShape
    cursor: str


def mailbox_shape(mailbox: Mailbox, now: datetime) -> MailboxShape:
    """*mailbox* at the instant *now*: one whose lifetime has ended is shown as expired."""
    return MailboxShape(**_mailbox_fields(mailbox, now))


def mailbox_now_shape(mailbox: Mailbox, now: datetime, cursor: Cursor) -> MailboxNowShape:
    """`mailbox_shape` with the cursor from which to wait for messages that it receives from now on."""
    return MailboxNowShape(**_mailbox_fields(mailbox, now), cursor=str(cursor))


def _mailbox_fields(mailbox: Mailbox, now: datetime) -> dict[str, Any]:
    return {
        "id": mailbox.id,
        "user_id": mailbox.user_id,
        "local_part": mailbox.address.local_part,
        "subdomain": mailbox.address.subdomain,
        "mail_domain": mailbox.address.root_domain,
        "root_domain": mailbox.address.root_domain,
        "address": str(mailbox.address),
        "source": mailbox.source.value,
        "status": mailbox.status_at(now).value,
        "created_at": iso(mailbox.created_at),
        "last_received_at": iso_or_none(mailbox.last_received_at),
        "expires_at": iso_or_none(mailbox.expires_at),
        "destroyed_at": iso_or_none(mailbox.destroyed_at),
        "routing_rule_id": None if mailbox.routing_rule_id == UNKNOWN_RULE else mailbox.routing_rule_id,
        "unread_count": mailbox.unread_count,
    }


def message_shape(message: Message) -> MessageShape:
    return MessageShape(**_summary(message))


def message_detail_shape(opened: OpenedMessage) -> MessageDetailShape:
    message, parsed = opened.message, opened.parsed
    recipients: dict[str, list[RecipientShape]] = {"to": [], "cc": [], "bcc": [], "replyTo": []}
    for number, recipient in enumerate(parsed.recipients):
        shape = RecipientShape(
            id=part_id("rcp", message.id, number), kind=recipient.kind, name=recipient.name, address=recipient.address
        )
        recipients[recipient.kind].append(shape)
    return MessageDetailShape(
        **_summary(message),
        envelope_from=message.envelope.sender,
        envelope_to=message.envelope.recipient,
        message_id=parsed.message_id,
        date_header=iso_or_none(parsed.date),
        html=parsed.html,
        text=parsed.text,
        headers=[MailHeaderShape(key=header.key, value=header.value) for header in parsed.headers],
        recipients=RecipientsShape(
            to=recipients["to"], cc=recipients["cc"], bcc=recipients["bcc"], reply_to=recipients["replyTo"]
        ),
        attachments=[_attachment(message.id, number, each) for number, each in enumerate(parsed.attachments)],
        raw_download_path=f"/api/messages/{message.id}/raw",
        html_path=f"/api/messages/{message.id}/html" if parsed.html else None,
        parse_defects=list(parsed.defects),
        authentication=_authentication(opened.authentication),
    )


def _attachment(message_id: str, number: int, attachment: Attachment) -> AttachmentShape:
    attachment_id = part_id("att", message_id, number)
    return AttachmentShape(
        id=attachment_id,
        filename=attachment.filename,
        content_type=attachment.content_type,
        size_bytes=attachment.size_bytes,
        content_id=attachment.content_id,
        disposition=attachment.disposition,
        download_path=f"/api/messages/{message_id}/attachments/{attachment_id}",
    )


def _authentication(found: Authentication | None) -> AuthenticationShape | None:
    def finding_shape(finding: Finding | None) -> FindingShape | None:
        return None if finding is None else FindingShape(result=finding.result, domain=finding.domain)

    if found is None:
        return None
    return AuthenticationShape(
        spf=finding_shape(found.spf), dkim=finding_shape(found.dkim), dmarc=finding_shape(found.dmarc)
    )


def _summary(message: Message) -> dict[str, Any]:
    found = message.verification
    link = None if message.link is None else LinkShape(**asdict(message.link))
    return {
        "id": message.id,
        "mailbox_id": message.mailbox_id,
        "mailbox_address": message.mailbox_address,
        "subject": message.subject,
        "preview_text": message.preview,
        "from_name": message.from_name,
        "from_address": message.from_address,
        "received_at": iso(message.received_at),
        "size_bytes": message.size_bytes,
        "attachment_count": message.attachment_count,
        "has_html": message.has_html,
        "verification": found
        and VerificationShape(
            code=found.code,
            source=found.source,
            method=found.method,
            evidence=found.evidence,
            word=found.word,
            confidence=found.confidence,
            link=link,
        ),
        "parse_status": message.parse_status,
        "is_read": message.read_at is not None,
        "read_at": iso_or_none(message.read_at),
        "link": link,
    }
