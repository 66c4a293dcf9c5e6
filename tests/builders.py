"""Things to test with, complete and valid; say only what matters to the test."""

from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from sqlalchemy import Connection

from kaisoumail.errors import Problem
from kaisoumail.model.address import Address
from kaisoumail.model.domain import BindingSource, Domain, DomainStatus
from kaisoumail.model.ids import new_id
from kaisoumail.model.mailbox import Mailbox, MailboxStatus
from kaisoumail.model.message import Envelope, Message, delivery_key, digest_of
from kaisoumail.storage.intake import IncomingMessage, store_all
from tests.people import ADA, HOUR, NOON

DEMO = Domain(
    id="dom_demo",
    root_domain="demo.example",
    zone_id="0" * 32,
    binding_source=BindingSource.PROJECT_BIND,
    status=DomainStatus.ACTIVE,
    created_at=NOON,
    updated_at=NOON,
)


def a_mailbox(address: str = "ada@mail.demo.example", **changes: Any) -> Mailbox:
    local_part, _, host = address.partition("@")
    subdomain, _, root = host.partition(".")
    mailbox = Mailbox(
        id=new_id("mbx"),
        user_id=ADA.id,
        domain_id=DEMO.id,
        address=Address(local_part, subdomain, root),
        status=MailboxStatus.ACTIVE,
        created_at=NOON,
        expires_at=NOON + HOUR,
    )
    return replace(mailbox, **changes)


def an_email(
    to: str = "ada@mail.demo.example",
    subject: str = "Your verification code is 842911",
    text: str = "Welcome. Enter it within ten minutes.",
    sender: str = "Shop <no-reply@shop.example>",
    html: str | None = None,
    attachment: bytes | None = None,
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<{new_id('m')}@shop.example>"
    mail["Date"] = "Fri, 03 Apr 2026 11:59:58 +0000"
    mail.set_content(text)
    if html is not None:
        mail.add_alternative(html, subtype="html")
    if attachment is not None:
        mail.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="file.bin")
    return mail.as_bytes(policy=SMTP)


def a_message(mailbox: Mailbox, raw: bytes = b"Subject: hello\r\n\r\nhello\r\n", **changes: Any) -> Message:
    envelope = Envelope("no-reply@shop.example", str(mailbox.address))
    message = Message(
        id=new_id("msg"),
        user_id=mailbox.user_id,
        mailbox_id=mailbox.id,
        mailbox_address=str(mailbox.address),
        envelope=envelope,
        delivery_key=delivery_key(envelope, digest_of(raw)),
        subject="hello",
        preview="hello",
        from_name=None,
        from_address=None,
        received_at=NOON,
        size_bytes=len(raw),
        attachment_count=0,
        has_html=False,
        verification=None,
        parse_status="parsed",
        raw_location="row",
    )
    return replace(message, **changes)


def kept(connection: Connection, message: Message, compressed: bytes | None = None) -> str:
    """The id *message* is known by, kept as one that arrived alone. Raises the Problem it is refused with."""
    [outcome] = store_all(connection, [IncomingMessage(message, compressed)])
    if isinstance(outcome, Problem):
        raise outcome
    return outcome
