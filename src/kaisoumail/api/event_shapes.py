"""The data of each event in the stream: enough to decide whether to request more."""

from kaisoumail.api.shapes import Instant, Shape
from kaisoumail.model.clock import iso, iso_or_none
from kaisoumail.model.domain import Domain
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Message
from kaisoumail.operations.events import Event


class ReadyEvent(Shape):
    cursor: str


class MessageEvent(Shape):
    id: str
    mailbox_id: str
    address: str
    subject: str
    has_code: bool
    received_at: Instant
    cursor: str


class MailboxEvent(Shape):
    id: str
    address: str
    status: str
    expires_at: Instant | None
    unread_count: int
    cursor: str


class DomainEvent(Shape):
    id: str
    mail_domain: str
    status: str
    cursor: str


def event_shape(event: Event) -> tuple[str, Shape]:
    """The event's name and its data."""
    cursor, subject = str(event.cursor), event.subject
    if isinstance(subject, Message):
        return "message", _message_event(subject, cursor)
    if isinstance(subject, Mailbox):
        return "mailbox", _mailbox_event(subject, cursor)
    if isinstance(subject, Domain):
        status = "deleted" if subject.deleted_at else subject.status.value
        return "domain", DomainEvent(id=subject.id, mail_domain=subject.root_domain, status=status, cursor=cursor)
    return "ready", ReadyEvent(cursor=cursor)


def _message_event(message: Message, cursor: str) -> MessageEvent:
    return MessageEvent(
        id=message.id,
        mailbox_id=message.mailbox_id,
        address=message.mailbox_address,
        subject=message.subject,
        has_code=message.verification is not None,
        received_at=iso(message.received_at),
        cursor=cursor,
    )


def _mailbox_event(mailbox: Mailbox, cursor: str) -> MailboxEvent:
    return MailboxEvent(
        id=mailbox.id,
        address=str(mailbox.address),
        status=mailbox.status.value,
        expires_at=iso_or_none(mailbox.expires_at),
        unread_count=mailbox.unread_count,
        cursor=cursor,
    )
