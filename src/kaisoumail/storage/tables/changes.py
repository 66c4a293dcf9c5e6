"""The `changes` table, in the order in which changes became visible (`storage/engine/transactions.py`)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, or_, select, update

from kaisoumail.model.feed import Cursor
from kaisoumail.model.user import Viewer
from kaisoumail.storage.engine.schema import changes
from kaisoumail.storage.engine.transactions import Change, note_change
from kaisoumail.storage.tables.grant_filter import within


@dataclass(frozen=True, slots=True)
class NumberedChange:
    """A change and the cursor just after it."""

    cursor: Cursor
    change: Change


def note_message(connection: Connection, user_id: str, mailbox_id: str, message_id: str) -> None:
    """Note that a message of this user arrived in this mailbox."""
    note_change(connection, Change(user_id, mailbox_id, message_id))


def note_mailbox(connection: Connection, user_id: str, mailbox_id: str) -> None:
    """Note that this mailbox was changed or created."""
    note_change(connection, Change(user_id, mailbox_id))


def note_domain(connection: Connection, domain_id: str) -> None:
    """Note that this domain was changed or created. It has no user: only admins see domains."""
    note_change(connection, Change(domain_id=domain_id))


def newest(connection: Connection) -> Cursor:
    """The cursor after every change that is visible now."""
    return Cursor(connection.execute(select(func.coalesce(func.max(changes.c.seq), 0))).scalar_one())


def find_place(connection: Connection, message_id: str) -> Cursor | None:
    """The place of the message among the changes; None once it is deleted."""
    seq = connection.execute(select(changes.c.seq).where(changes.c.message_id == message_id)).scalar_one_or_none()
    return None if seq is None else Cursor(seq)


def after(connection: Connection, viewer: Viewer, cursor: Cursor, limit: int) -> list[NumberedChange]:
    """The next changes that *viewer* may see, oldest first, at most *limit*."""
    query = select(changes).where(changes.c.seq > cursor.seq, *visible_to(viewer))
    return [_numbered(row) for row in connection.execute(query.order_by(changes.c.seq).limit(limit))]


def visible_to(viewer: Viewer) -> list[ColumnElement[bool]]:
    """Conditions for what *viewer* owns, or everything for an admin, as far as their credential allows reading it."""
    conditions = [] if viewer.is_admin else [changes.c.user_id == viewer.id]
    if not viewer.grant.allows("mailboxes:read"):
        conditions.append(or_(changes.c.message_id.is_not(None), changes.c.mailbox_id.is_(None)))
    if not viewer.grant.allows("domains:read"):
        conditions.append(changes.c.domain_id.is_(None))
    return [*conditions, *within(viewer.grant, changes.c.mailbox_id)]


def change_owner(connection: Connection, user_id: str, heir_id: str) -> None:
    """Give the changes of one user to another, who owns what they are about now."""
    connection.execute(update(changes).where(changes.c.user_id == user_id).values(user_id=heir_id))


def forget_message(connection: Connection, message_id: str) -> None:
    """Delete the change for the arrival of this message."""
    connection.execute(delete(changes).where(changes.c.message_id == message_id))


def _numbered(row: Row[Any]) -> NumberedChange:
    return NumberedChange(Cursor(row.seq), Change(row.user_id, row.mailbox_id, row.message_id, row.domain_id))
