"""What clients get: the contract's objects, field for field. Fields may be added, never changed."""

from datetime import datetime
from typing import Any

import msgspec

from kaisoumail.errors import Problem
from kaisoumail.model.clock import iso, iso_or_none
from kaisoumail.model.guide_places import guide_path
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Message
from kaisoumail.model.user import User
from kaisoumail.operations.messages import Opened


class Shape(msgspec.Struct, rename="camel", kw_only=True):
    """An answer: camelCase on the wire."""


class SessionUserShape(Shape):
    id: str
    email: str
    name: str
    role: str


class SessionShape(Shape):
    user: SessionUserShape
    authenticated_at: str


class MailboxShape(Shape):
    id: str
    user_id: str
    local_part: str
    subdomain: str
    mail_domain: str
    root_domain: str
    address: str
    source: str
    status: str
    created_at: str
    last_received_at: str | None
    expires_at: str | None
    destroyed_at: str | None
    routing_rule_id: str | None


class VerificationShape(Shape):
    code: str
    source: str
    method: str


class MessageShape(Shape):
    id: str
    mailbox_id: str
    mailbox_address: str
    subject: str
    preview_text: str
    from_name: str | None
    from_address: str | None
    received_at: str
    size_bytes: int
    attachment_count: int
    has_html: bool
    verification: VerificationShape | None
    # added to the contract
    parse_status: str


class HeaderShape(Shape):
    key: str
    value: str


class RecipientShape(Shape):
    id: str
    kind: str
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
    disposition: str


class MessageDetailShape(MessageShape):
    envelope_from: str | None
    envelope_to: str
    message_id: str | None
    date_header: str | None
    html: str | None
    text: str | None
    headers: list[HeaderShape]
    recipients: RecipientsShape
    attachments: list[AttachmentShape]
    raw_download_path: str


def session_shape(user: User, now: datetime) -> SessionShape:
    shape = SessionUserShape(id=user.id, email=user.email, name=user.name, role=user.role.value)
    return SessionShape(user=shape, authenticated_at=iso(now))


def mailbox_shape(mailbox: Mailbox, now: datetime) -> MailboxShape:
    """*mailbox* as it is *now*: one whose time has passed shows as expired."""
    return MailboxShape(
        id=mailbox.id,
        user_id=mailbox.user_id,
        local_part=mailbox.address.local_part,
        subdomain=mailbox.address.subdomain,
        mail_domain=mailbox.address.root_domain,
        root_domain=mailbox.address.root_domain,
        address=str(mailbox.address),
        source=mailbox.source.value,
        status=mailbox.status_at(now).value,
        created_at=iso(mailbox.created_at),
        last_received_at=iso_or_none(mailbox.last_received_at),
        expires_at=iso_or_none(mailbox.expires_at),
        destroyed_at=iso_or_none(mailbox.destroyed_at),
        routing_rule_id=mailbox.routing_rule_id,
    )


def problem_shape(problem: Problem) -> dict[str, Any]:
    return {"error": problem.message, "details": problem_details(problem)}


def problem_details(problem: Problem) -> dict[str, Any]:
    """The details every client gets: the code, where the guide helps, and what belongs to the problem itself."""
    guide = guide_path(problem)
    return {"code": problem.code, **({"guide": guide} if guide else {}), **problem.details}


def message_shape(message: Message) -> MessageShape:
    return MessageShape(**_summary(message))


def message_detail_shape(opened: Opened) -> MessageDetailShape:
    message, parsed = opened.message, opened.parsed
    recipients: dict[str, list[RecipientShape]] = {"to": [], "cc": [], "bcc": [], "replyTo": []}
    for number, recipient in enumerate(parsed.recipients):
        shape = RecipientShape(
            id=_part_id("rcp", message, number), kind=recipient.kind, name=recipient.name, address=recipient.address
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
        headers=[HeaderShape(key=header.key, value=header.value) for header in parsed.headers],
        recipients=RecipientsShape(
            to=recipients["to"], cc=recipients["cc"], bcc=recipients["bcc"], reply_to=recipients["replyTo"]
        ),
        attachments=[
            AttachmentShape(
                id=_part_id("att", message, number),
                filename=attachment.filename,
                content_type=attachment.content_type,
                size_bytes=attachment.size_bytes,
                content_id=attachment.content_id,
                disposition=attachment.disposition,
            )
            for number, attachment in enumerate(parsed.attachments)
        ],
        raw_download_path=f"/api/messages/{message.id}/raw",
    )


def _part_id(prefix: str, message: Message, number: int) -> str:
    """A stable id for a part that lives only in the raw bytes: the message's own digits, then its place."""
    digits = message.id.removeprefix("msg_")
    return f"{prefix}_{digits[:24]}{number:08x}"


def _summary(message: Message) -> dict[str, Any]:
    found = message.verification
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
        "verification": found and VerificationShape(code=found.code, source=found.source, method=found.method),
        "parse_status": message.parse_status,
    }
