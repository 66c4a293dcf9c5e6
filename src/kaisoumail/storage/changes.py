"""
The `changes` table: what happened, numbered in the order in which it became visible.

A waiter remembers a number and asks for what is higher. That misses nothing only if no lower number can
become visible later. SQLite has one writer, so numbers are given in the order of commits. On PostgreSQL
two processes commit at once, so the numbers are given last in a transaction, under a lock that is held until
it is committed. What a transaction waits for while it holds the lock is its own commit and nothing else.

Works only note what they change (`note_…`); `run` gives the numbers and tells the topics, once a batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Row,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from kaisoumail.model.feed import Cursor
from kaisoumail.model.user import Viewer
from kaisoumail.storage.bounds import within
from kaisoumail.storage.prepared import Prepared
from kaisoumail.storage.signals import ACCESS, CHANNEL, EVERYTHING, mailbox_topic, user_topic
from kaisoumail.storage.tables import changes

_LOCK: Final = text(f"SELECT pg_advisory_xact_lock({0x6B61697365713})")  # any constant that nobody else locks
_NAMES: Final = ("user_id", "mailbox_id", "message_id", "domain_id")
_ADD: Final = Prepared(insert(changes), _NAMES)
_TELL: Final = select(func.pg_notify(CHANNEL, func.unnest(bindparam("topics", type_=ARRAY(Text)))))
_NOTED: Final = "changes noted by the works of this transaction"
_ACCESS: Final = "whether they changed who may do what"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed: a message that came, or a mailbox or a domain that is different now."""

    user_id: str | None = None
    mailbox_id: str | None = None
    message_id: str | None = None
    domain_id: str | None = None

    @property
    def topics(self) -> set[str]:
        """Who is to be woken; admins listen to everything."""
        told = {EVERYTHING}
        if self.mailbox_id is not None:
            told.add(mailbox_topic(self.mailbox_id))
        if self.user_id is not None:
            told.add(user_topic(self.user_id))
        return told


@dataclass(frozen=True, slots=True)
class Numbered:
    """A change and the cursor of whoever has seen it."""

    cursor: Cursor
    change: Change


def note_message(connection: Connection, user_id: str, mailbox_id: str, message_id: str) -> None:
    """A message of this user came into this mailbox."""
    _note(connection, Change(user_id, mailbox_id, message_id))


def note_mailbox(connection: Connection, user_id: str, mailbox_id: str) -> None:
    """This mailbox is different from before, or new."""
    _note(connection, Change(user_id, mailbox_id))


def note_domain(connection: Connection, domain_id: str) -> None:
    """This domain is different from before, or new. Domains are the admins' business."""
    _note(connection, Change(domain_id=domain_id))


def note_access(connection: Connection) -> None:
    """Who may do what is not as it was: nobody is believed to be who they were a moment ago."""
    connection.info[_ACCESS] = True


def run(connection: Connection, works: Sequence[Callable[[Connection], Any]]) -> tuple[list[Any], set[str]]:
    """
    What each of *works* returned, and the topics to tell once the transaction is committed.

    What they noted is numbered last. On PostgreSQL the topics are told with the commit itself, so that a
    process that dies right after it has told them too.
    """
    noted: list[Change] = []
    connection.info[_NOTED] = noted
    connection.info[_ACCESS] = False
    values = [work(connection) for work in works]
    distinct = list(dict.fromkeys(noted))
    topics = {topic for change in distinct for topic in change.topics} | (
        {ACCESS} if connection.info[_ACCESS] else set()
    )
    if distinct:
        _number(connection, distinct)
    if topics and connection.dialect.name == "postgresql":
        connection.execute(_TELL, {"topics": sorted(topics)})
    return values, topics


def newest(connection: Connection) -> Cursor:
    """The place of whoever has seen everything that is visible now."""
    return Cursor(connection.execute(select(func.coalesce(func.max(changes.c.seq), 0))).scalar_one())


def after(connection: Connection, viewer: Viewer, cursor: Cursor, limit: int) -> list[Numbered]:
    """The next changes that *viewer* may see, oldest first, at most *limit*."""
    query = select(changes).where(changes.c.seq > cursor.seq, *visible_to(viewer))
    return [_numbered(row) for row in connection.execute(query.order_by(changes.c.seq).limit(limit))]


def visible_to(viewer: Viewer) -> list[ColumnElement[bool]]:
    """What the viewer owns, an admin everything; of that, what their credential may read and is bound to."""
    conditions = [] if viewer.is_admin else [changes.c.user_id == viewer.id]
    if not viewer.grant.allows("mailboxes:read"):
        conditions.append(or_(changes.c.message_id.is_not(None), changes.c.mailbox_id.is_(None)))
    if not viewer.grant.allows("domains:read"):
        conditions.append(changes.c.domain_id.is_(None))
    return [*conditions, *within(viewer.grant, changes.c.mailbox_id)]


def hand_over(connection: Connection, user_id: str, heir_id: str) -> None:
    """What happened to one user's things happened to another's: theirs they are now."""
    connection.execute(update(changes).where(changes.c.user_id == user_id).values(user_id=heir_id))


def forget_message(connection: Connection, message_id: str) -> None:
    """Nobody is told any more that this message came."""
    connection.execute(delete(changes).where(changes.c.message_id == message_id))


def _note(connection: Connection, change: Change) -> None:
    connection.info[_NOTED].append(change)


def _number(connection: Connection, noted: list[Change]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    _forget_earlier(connection, noted)
    _ADD.run(connection, [{name: getattr(change, name) for name in _NAMES} for change in noted])


def _forget_earlier(connection: Connection, noted: list[Change]) -> None:
    """A mailbox or a domain changes place: whoever comes later hears of it once, as it is then."""
    mailbox_ids = [change.mailbox_id for change in noted if change.mailbox_id and not change.message_id]
    domain_ids = [change.domain_id for change in noted if change.domain_id]
    if mailbox_ids:
        again = delete(changes).where(changes.c.message_id.is_(None), changes.c.mailbox_id.in_(mailbox_ids))
        connection.execute(again)
    if domain_ids:
        connection.execute(delete(changes).where(changes.c.domain_id.in_(domain_ids)))


def _numbered(row: Row[Any]) -> Numbered:
    return Numbered(Cursor(row.seq), Change(row.user_id, row.mailbox_id, row.message_id, row.domain_id))
