"""
One transaction for a batch of works, and the numbers of what they change (table `changes`).

A waiter stores a number as its cursor and queries for higher ones. That misses nothing only if no lower
number can become visible later. SQLite has one writer, so numbers are assigned in the order of commits. On
PostgreSQL two processes commit at once, so the numbers are assigned last in a transaction, under a lock that
is held until it is committed. While it holds the lock, a transaction waits for its own commit and nothing else.

Works only note what they change (`note_change`, `note_access`); `run` assigns numbers and signals topics, once a batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, Connection, Text, bindparam, delete, func, insert, select, text

from kaisoumail.storage.engine.compiled_sql import CompiledStatement
from kaisoumail.storage.engine.schema import changes
from kaisoumail.storage.engine.signals import ACCESS, CHANNEL, EVERYTHING, mailbox_topic, user_topic

_LOCK: Final = text(f"SELECT pg_advisory_xact_lock({0x6B61697365713})")  # any constant that nothing else locks
_NAMES: Final = ("user_id", "mailbox_id", "message_id", "domain_id")
_ADD: Final = CompiledStatement(insert(changes), _NAMES)
_NOTIFY: Final = select(func.pg_notify(CHANNEL, func.unnest(bindparam("topics", type_=ARRAY(Text)))))
_NOTED: Final = "changes noted by the works of this transaction"
_ACCESS: Final = "whether they changed who may do what"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: a message arrived, or a mailbox or a domain changed."""

    user_id: str | None = None
    mailbox_id: str | None = None
    message_id: str | None = None
    domain_id: str | None = None

    @property
    def topics(self) -> set[str]:
        """The topics to signal; admins listen to `EVERYTHING`."""
        topics = {EVERYTHING}
        if self.mailbox_id is not None:
            topics.add(mailbox_topic(self.mailbox_id))
        if self.user_id is not None:
            topics.add(user_topic(self.user_id))
        return topics


def note_change(connection: Connection, change: Change) -> None:
    """Add *change* to this transaction; `run` numbers it."""
    connection.info[_NOTED].append(change)


def note_access(connection: Connection) -> None:
    """Note that who may do what has changed: after the commit every process drops its cached viewers."""
    connection.info[_ACCESS] = True


def run(connection: Connection, works: Sequence[Callable[[Connection], Any]]) -> tuple[list[Any], set[str]]:
    """
    What each of *works* returned, and the topics to signal once the transaction is committed.

    The changes they noted are numbered last. On PostgreSQL the topics are signalled by the commit itself, so
    that no signal is lost when the process dies right after it.
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
        connection.execute(_NOTIFY, {"topics": sorted(topics)})
    return values, topics


def _number(connection: Connection, noted: list[Change]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    _forget_earlier(connection, noted)
    _ADD.run(connection, [{name: getattr(change, name) for name in _NAMES} for change in noted])


def _forget_earlier(connection: Connection, noted: list[Change]) -> None:
    """Drop earlier changes of the same mailboxes and domains: a later query finds each once, at its newest number."""
    mailbox_ids = [change.mailbox_id for change in noted if change.mailbox_id and not change.message_id]
    domain_ids = [change.domain_id for change in noted if change.domain_id]
    if mailbox_ids:
        earlier = delete(changes).where(changes.c.message_id.is_(None), changes.c.mailbox_id.in_(mailbox_ids))
        connection.execute(earlier)
    if domain_ids:
        connection.execute(delete(changes).where(changes.c.domain_id.in_(domain_ids)))
