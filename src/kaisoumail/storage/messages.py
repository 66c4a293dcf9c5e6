"""The `messages` and `raw_messages` tables."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import zstandard
from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from kaisoumail.errors import Problem
from kaisoumail.model.code import Link, Verification
from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.model.message import Envelope, Message
from kaisoumail.model.user import Viewer
from kaisoumail.storage.inserts import insert_unless_known
from kaisoumail.storage.tables import mailboxes, messages, raw_messages

IN_ROW: Final = "row"
_HIDDEN: Final = (MailboxStatus.DESTROYING.value, MailboxStatus.PROVISIONING.value)


# Statements of the accepting path are built once: building them costs more than running them.
_RECEIVES: Final = (
    update(mailboxes)
    .where(mailboxes.c.id == bindparam("mailbox"), mailboxes.c.status == MailboxStatus.ACTIVE.value)
    .values(last_received_at=bindparam("now"))
)
_KEEP_RAW: Final = insert(raw_messages)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages a list should hold. Empty means "any"; *after* is exclusive."""

    mailbox_ids: Sequence[str] = ()
    addresses: Sequence[str] = ()
    after: datetime | None = None


def add(connection: Connection, message: Message, compressed: bytes | None) -> str:
    """
    Keep *message*, and its raw bytes as zstd unless they are elsewhere (*compressed* None).

    Returns the id it is known by: its own, or that of the message this same hand-over made before,
    and then nothing changes. Raises Problem `mailbox_unavailable` if the mailbox stopped receiving.
    """
    about = {"mailbox": message.mailbox_id, "now": message.received_at}
    if connection.execute(_RECEIVES, about).rowcount == 0:
        raise Problem("mailbox_unavailable", "Mailbox unavailable")
    if not insert_unless_known(connection, messages, _columns(message)):
        return _known(connection, message)
    if compressed is not None:
        connection.execute(_KEEP_RAW, {"message_id": message.id, "zstd": compressed})
    return message.id


def _known(connection: Connection, message: Message) -> str:
    query = select(messages.c.id).where(
        messages.c.mailbox_id == message.mailbox_id, messages.c.delivery_key == message.delivery_key
    )
    message_id: str = connection.execute(query).scalar_one()
    return message_id


def listed(connection: Connection, viewer: Viewer, wanted: Wanted) -> list[Message]:
    """What *viewer* may see of what is *wanted*, newest first."""
    query = _visible(viewer)
    if wanted.mailbox_ids:
        query = query.where(messages.c.mailbox_id.in_(wanted.mailbox_ids))
    if wanted.addresses:
        query = query.where(messages.c.mailbox_address.in_(wanted.addresses))
    if wanted.after is not None:
        query = query.where(messages.c.received_at > wanted.after)
    rows = connection.execute(query.order_by(messages.c.received_at.desc(), messages.c.id.desc()))
    return [_message_from(row) for row in rows]


def find(connection: Connection, message_id: str) -> Message | None:
    """The message, unless its mailbox is being destroyed. Whose it is, is for the caller to ask."""
    query = _readable().where(messages.c.id == message_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _message_from(row)


def raw_in_row(connection: Connection, message_id: str) -> bytes | None:
    """The raw bytes of a message that keeps them in the database."""
    compressed = connection.execute(
        select(raw_messages.c.zstd).where(raw_messages.c.message_id == message_id)
    ).scalar_one_or_none()
    return None if compressed is None else zstandard.ZstdDecompressor().decompress(compressed)


def _readable() -> Select[Any]:
    return (
        select(messages)
        .join(mailboxes, mailboxes.c.id == messages.c.mailbox_id)
        .where(mailboxes.c.status.not_in(_HIDDEN))
    )


def _visible(viewer: Viewer) -> Select[Any]:
    return _readable() if viewer.is_admin else _readable().where(messages.c.user_id == viewer.id)


def _columns(message: Message) -> dict[str, Any]:
    found = message.verification
    return {
        "id": message.id,
        "user_id": message.user_id,
        "mailbox_id": message.mailbox_id,
        "mailbox_address": message.mailbox_address,
        "delivery_key": message.delivery_key,
        "envelope_from": message.envelope.sender,
        "envelope_to": message.envelope.recipient,
        "subject": message.subject,
        "preview": message.preview,
        "from_name": message.from_name,
        "from_address": message.from_address,
        "received_at": message.received_at,
        "size_bytes": message.size_bytes,
        "attachment_count": message.attachment_count,
        "has_html": message.has_html,
        "verification_code": found and found.code,
        "verification_source": found and found.source,
        "verification_method": found and found.method,
        "verification_evidence": found and found.evidence,
        "verification_word": found and found.word,
        "verification_confidence": found and found.confidence,
        "link": message.link and asdict(message.link),
        "parse_status": message.parse_status,
        "raw_location": message.raw_location,
    }


def _message_from(row: Row[Any]) -> Message:
    found = None
    if row.verification_code is not None:
        found = Verification(
            row.verification_code,
            row.verification_source,
            row.verification_method,
            row.verification_evidence,
            row.verification_word,
            row.verification_confidence,
        )
    return Message(
        id=row.id,
        user_id=row.user_id,
        mailbox_id=row.mailbox_id,
        mailbox_address=row.mailbox_address,
        envelope=Envelope(row.envelope_from, row.envelope_to),
        delivery_key=row.delivery_key,
        subject=row.subject,
        preview=row.preview,
        from_name=row.from_name,
        from_address=row.from_address,
        received_at=row.received_at,
        size_bytes=row.size_bytes,
        attachment_count=row.attachment_count,
        has_html=row.has_html,
        verification=found,
        parse_status=row.parse_status,
        raw_location=row.raw_location,
        link=row.link and Link(**row.link),
    )
