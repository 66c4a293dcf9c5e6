"""The `messages` and `raw_messages` tables."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import zstandard
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    delete,
    exists,
    select,
    update,
)

from kaisoumail.model.code import Link, Verification
from kaisoumail.model.feed import Cursor, PageEnd
from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.model.message import Envelope, Message
from kaisoumail.model.user import Viewer
from kaisoumail.storage.engine.schema import changes as changes_table
from kaisoumail.storage.engine.schema import mailboxes, messages, raw_messages
from kaisoumail.storage.tables import changes
from kaisoumail.storage.tables import mailboxes as mailboxes_by_state
from kaisoumail.storage.tables.grant_filter import within
from kaisoumail.storage.tables.paging import older_than

IN_ROW: Final = "row"
_NONE: Final = "no mailbox"
_HIDDEN: Final = (MailboxStatus.DESTROYING.value, MailboxStatus.PROVISIONING.value)

_EMPTY: Final = {
    "envelope_from": "",
    "envelope_to": "",
    "subject": "",
    "preview": "",
    "from_name": None,
    "from_address": None,
    "verification_code": None,
    "verification_source": None,
    "verification_method": None,
    "verification_evidence": None,
    "verification_word": None,
    "verification_confidence": None,
    "link": None,
}


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """
    Which messages a list holds. Empty means "any"; *after* is exclusive.

    With *statuses*, only those of mailboxes with one of these statuses at *now*. A page begins after *end* and
    has at most *limit* messages.
    """

    mailbox_ids: Sequence[str] = ()
    addresses: Sequence[str] = ()
    statuses: Sequence[MailboxStatus] = ()
    now: datetime | None = None
    after: datetime | None = None
    unread: bool = False
    end: PageEnd | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class ArrivalFilter:
    """
    The last *limit* messages that became visible after *since* and not after *until*.

    In *mailbox_ids*, or if empty, in any mailbox.
    """

    since: Cursor
    until: Cursor
    limit: int
    mailbox_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message and the cursor just after its arrival."""

    cursor: Cursor
    message: Message


def listed(connection: Connection, viewer: Viewer, wanted: MessageFilter) -> list[Message]:
    """The messages that *viewer* may see and that match *wanted*, newest first."""
    query = _READABLE
    if wanted.statuses and wanted.now is not None:
        query = query.where(_in_mailbox(mailboxes_by_state.is_in(wanted.statuses, wanted.now)))
    if wanted.after is not None:
        query = query.where(messages.c.received_at > wanted.after)
    if wanted.unread:
        query = query.where(messages.c.read_at.is_(None))
    if wanted.end is not None:
        query = query.where(older_than(wanted.end, messages.c.received_at, messages.c.id))
    query = query.order_by(messages.c.received_at.desc(), messages.c.id.desc()).limit(wanted.limit)
    ids = wanted.mailbox_ids
    if wanted.addresses and not ids:
        ids = mailboxes_by_state.ids_at(connection, wanted.addresses) or [_NONE]
    queries = _narrowed(connection, query, messages, viewer, ids)
    found = [_message_from(row) for narrowed in queries for row in connection.execute(narrowed)]
    if len(queries) > 1:
        found.sort(key=lambda message: (message.received_at, message.id), reverse=True)
    return found[: wanted.limit]


def arrived(connection: Connection, viewer: Viewer, wanted: ArrivalFilter) -> list[Arrival]:
    """The arrivals that *viewer* may see and that match *wanted*, newest first."""
    query = (
        select(messages, changes_table.c.seq)
        .join(messages, messages.c.id == changes_table.c.message_id)
        .where(changes_table.c.seq > wanted.since.seq, changes_table.c.seq <= wanted.until.seq, _shown)
        .order_by(changes_table.c.seq.desc())
        .limit(wanted.limit)
    )
    queries = _narrowed(connection, query, changes_table, viewer, wanted.mailbox_ids)
    rows = [row for narrowed in queries for row in connection.execute(narrowed)]
    found = [Arrival(Cursor(row.seq), _message_from(row)) for row in rows]
    return sorted(found, key=lambda arrival: arrival.cursor, reverse=True)[: wanted.limit]


def find(connection: Connection, message_id: str) -> Message | None:
    """The message, unless it was deleted or its mailbox is hidden. The caller checks who may see it."""
    query = _READABLE.where(messages.c.id == message_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _message_from(row)


def raw_in_row(connection: Connection, message_id: str) -> bytes | None:
    """The raw bytes of a message, None if they are not in the database."""
    compressed = connection.execute(
        select(raw_messages.c.zstd).where(raw_messages.c.message_id == message_id)
    ).scalar_one_or_none()
    return None if compressed is None else zstandard.ZstdDecompressor().decompress(compressed)


def with_ids(connection: Connection, ids: Sequence[str]) -> list[Message]:
    """The messages with *ids* that are not deleted or hidden, in no order."""
    return [_message_from(row) for row in connection.execute(_READABLE.where(messages.c.id.in_(ids)))]


def mark(connection: Connection, message: Message, read_at: datetime | None) -> bool:
    """Mark it as read, or with None as unread; False if it was already, or is deleted."""
    was = messages.c.read_at.is_not(None) if read_at is None else messages.c.read_at.is_(None)
    row = update(messages).where(messages.c.id == message.id, messages.c.deleted_at.is_(None), was)
    if connection.execute(row.values(read_at=read_at)).rowcount == 0:
        return False
    mailboxes_by_state.count(connection, message.mailbox_id, unread=1 if read_at is None else -1)
    changes.note_mailbox(connection, message.user_id, message.mailbox_id)
    return True


def add_verification(connection: Connection, message_id: str, found: Verification) -> bool:
    """
    Add a code that was found after the message was stored; False if it has one already, or is deleted.

    The arrival of the message gets a new number in `changes`, so that waiters for a code are woken by it.
    """
    row = update(messages).where(
        messages.c.id == message_id, messages.c.deleted_at.is_(None), messages.c.verification_code.is_(None)
    )
    owner = row.values(_columns_of_code(found)).returning(messages.c.user_id, messages.c.mailbox_id)
    changed = connection.execute(owner).one_or_none()
    if changed is None:
        return False
    changes.forget_message(connection, message_id)
    changes.note_message(connection, changed.user_id, changed.mailbox_id, message_id)
    return True


def remove(connection: Connection, message: Message, now: datetime) -> bool:
    """
    Delete the message and its content; False if it was deleted before.

    Its row stays, emptied, so that a repeated hand-over does not store it again. The row keeps the location of
    its blob until `forget_raw`.
    """
    row = update(messages).where(messages.c.id == message.id, messages.c.deleted_at.is_(None))
    was_unread = connection.execute(row.where(messages.c.read_at.is_(None)).values(read_at=now)).rowcount
    if connection.execute(row.values(deleted_at=now, **_EMPTY)).rowcount == 0:
        return False
    connection.execute(delete(raw_messages).where(raw_messages.c.message_id == message.id))
    changes.forget_message(connection, message.id)
    mailboxes_by_state.count(
        connection, message.mailbox_id, unread=-was_unread, messages=-1, stored_bytes=-message.size_bytes
    )
    changes.note_mailbox(connection, message.user_id, message.mailbox_id)
    return True


def change_owner(connection: Connection, user_id: str, heir_id: str) -> None:
    """Give every message of one user, and the changes about their things, to another."""
    connection.execute(update(messages).where(messages.c.user_id == user_id).values(user_id=heir_id))
    changes.change_owner(connection, user_id, heir_id)


def forget_raw(connection: Connection, location: str) -> None:
    """Note that the blob of a deleted message was removed."""
    connection.execute(update(messages).where(messages.c.raw_location == location).values(raw_location=IN_ROW))


def forget_raws(connection: Connection, locations: Sequence[str]) -> None:
    """As `forget_raw`, for several blobs."""
    removed = update(messages).where(messages.c.raw_location.in_(locations))
    connection.execute(removed.values(raw_location=IN_ROW))


def blobs_in(connection: Connection, mailbox_id: str, limit: int) -> list[str]:
    """At most *limit* locations of blobs of messages in this mailbox."""
    query = select(messages.c.raw_location).where(
        messages.c.mailbox_id == mailbox_id, messages.c.raw_location != IN_ROW
    )
    return list(connection.execute(query.limit(limit)).scalars())


def forget_some(connection: Connection, mailbox_id: str, limit: int) -> bool:
    """
    Delete *limit* rows of a mailbox that is being destroyed, with raw bytes and changes; False if none was left.

    Unlike `remove` it deletes the rows: a new mailbox at this address has no use for the old delivery keys.
    """
    some = select(messages.c.id).where(messages.c.mailbox_id == mailbox_id).limit(limit)
    return connection.execute(delete(messages).where(messages.c.id.in_(some))).rowcount > 0


def deleted_blobs(connection: Connection, limit: int) -> list[str]:
    """At most *limit* locations of blobs of deleted messages, which a process died before removing."""
    query = select(messages.c.raw_location).where(messages.c.deleted_at.is_not(None), messages.c.raw_location != IN_ROW)
    return list(connection.execute(query.limit(limit)).scalars())


def locations_of(connection: Connection, ids: Sequence[str]) -> set[str]:
    """The locations of the blobs of the messages with *ids* that exist, deleted ones too."""
    query = select(messages.c.raw_location).where(messages.c.id.in_(ids), messages.c.raw_location != IN_ROW)
    return set(connection.execute(query).scalars())


def _in_mailbox(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The mailbox of the message meets *condition*. A subquery, not a join, so that a list always uses its index."""
    return exists(select(1).where(mailboxes.c.id == messages.c.mailbox_id, condition))


_shown: Final = and_(messages.c.deleted_at.is_(None), _in_mailbox(mailboxes.c.status.not_in(_HIDDEN)))
_READABLE: Final = select(messages).where(_shown)


def _narrowed(
    connection: Connection, query: Select[Any], table: Table, viewer: Viewer, mailbox_ids: Sequence[str]
) -> list[Select[Any]]:
    """
    *query* of *table* limited to what *viewer* may see: one query for each of *mailbox_ids*, if there are any.

    Each then uses the index of that mailbox. A query for several mailboxes would have to sort; a query for a
    mailbox and its owner may scan everything else the owner has.
    """
    if mailbox_ids:
        visible = mailboxes_by_state.visible_ids(connection, viewer, mailbox_ids)
        return [query.where(table.c.mailbox_id == each) for each in visible]
    owned = query if viewer.is_admin else query.where(table.c.user_id == viewer.id)
    return [owned.where(*within(viewer.grant, table.c.mailbox_id))]


def columns_of(message: Message) -> dict[str, Any]:
    """The row of *message*."""
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
        **_columns_of_code(message.verification),
        "link": message.link and asdict(message.link),
        "parse_status": message.parse_status,
        "raw_location": message.raw_location,
        "door": message.channel,
        "read_at": message.read_at,
    }


def _columns_of_code(found: Verification | None) -> dict[str, Any]:
    return {
        "verification_code": found and found.code,
        "verification_source": found and found.source,
        "verification_method": found and found.method,
        "verification_evidence": found and found.evidence,
        "verification_word": found and found.word,
        "verification_confidence": found and found.confidence,
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
        channel=row.door,
        read_at=row.read_at,
        link=row.link and Link(**row.link),
    )
