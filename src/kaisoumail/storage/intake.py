"""
Accepting messages in the database: looks up mailboxes and stores messages, in batches.

One statement for sixty messages costs little more than one for a single message, and they share one fsync.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Integer, Select, bindparam, insert, or_, select, update

from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import Mailbox, MailboxStatus
from kaisoumail.model.message import Message
from kaisoumail.model.quota import NO_QUOTAS, Quotas, mailbox_full
from kaisoumail.storage.engine.batch_writer import Work
from kaisoumail.storage.engine.batching import Batcher, KeyedBatcher
from kaisoumail.storage.engine.compiled_sql import CompiledStatement, SelectMany
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.database_errors import locked
from kaisoumail.storage.engine.schema import mailboxes as mailboxes_table
from kaisoumail.storage.engine.schema import messages as messages_table
from kaisoumail.storage.engine.schema import raw_messages
from kaisoumail.storage.engine.upsert import insert_those_unknown
from kaisoumail.storage.tables import changes, mailboxes
from kaisoumail.storage.tables.messages import columns_of
from kaisoumail.storage.tables.usage import Usage, totals_of


def _active(mailbox_ids: Sequence[Any]) -> Select[Any]:
    """The mailboxes among *mailbox_ids* that receive, ordered by id: two processes that lock them cannot deadlock."""
    return (
        select(mailboxes_table.c.id, mailboxes_table.c.user_id, mailboxes_table.c.message_count)
        .where(
            mailboxes_table.c.id.in_(mailbox_ids),
            mailboxes_table.c.status == MailboxStatus.ACTIVE.value,
            or_(mailboxes_table.c.expires_at.is_(None), mailboxes_table.c.expires_at > bindparam("now")),
        )
        .order_by(mailboxes_table.c.id)
    )


# Built once: building them costs more than running them.
_IDS: Final[Any] = bindparam("ids", expanding=True)
_ACTIVE: Final = SelectMany(_active, mailboxes_table.c.id.type)
_LOCK_ALL: Final = SelectMany(lambda ids: _active(ids).with_for_update(key_share=True), mailboxes_table.c.id.type)
_LOCK_FREE: Final = SelectMany(
    lambda ids: _active(ids).with_for_update(key_share=True, skip_locked=True), mailboxes_table.c.id.type
)
_RECEIVED: Final = CompiledStatement(
    update(mailboxes_table)
    .where(mailboxes_table.c.id == bindparam("mailbox"))
    .values(
        last_received_at=bindparam("now"),
        unread_count=mailboxes_table.c.unread_count + bindparam("number", type_=Integer),
        message_count=mailboxes_table.c.message_count + bindparam("number", type_=Integer),
        stored_bytes=mailboxes_table.c.stored_bytes + bindparam("size", type_=BigInteger),
    )
)
_KNOWN: Final = select(messages_table.c.mailbox_id, messages_table.c.delivery_key, messages_table.c.id).where(
    messages_table.c.mailbox_id.in_(_IDS), messages_table.c.delivery_key.in_(bindparam("keys", expanding=True))
)
_ADD_RAW: Final = CompiledStatement(insert(raw_messages))


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message to store, and its raw bytes as zstd; *compressed* is None if those are in the blob store."""

    message: Message
    compressed: bytes | None

    @property
    def key(self) -> tuple[str, str]:
        """The mailbox id and delivery key, the same for each repetition of a hand-over."""
        return self.message.mailbox_id, self.message.delivery_key

    def of(self, user_id: str) -> "IncomingMessage":
        """The same for the current owner of its mailbox, which may have changed since the mailbox was looked up."""
        if self.message.user_id == user_id:
            return self
        return replace(self, message=replace(self.message, user_id=user_id))


_Write = Callable[[Work[list[str | Problem]]], Awaitable[list[str | Problem]]]


class Intake:
    """Looks up the mailbox of a recipient and stores a message; *quotas* limit how much a user may store."""

    def __init__(self, database: Database, quotas: Quotas = NO_QUOTAS) -> None:
        self._quotas = quotas
        self._usage = Usage(database, quotas.stored_bytes)

        async def find(addresses: Sequence[str]) -> Sequence[Mailbox | None]:
            mailboxes_found = await database.read_inline(partial(mailboxes.find_all_live, addresses=addresses))
            await self._usage.look_at({mailbox.user_id for mailbox in mailboxes_found if mailbox})
            return mailboxes_found

        async def store(incoming: Sequence[IncomingMessage]) -> Sequence[str | Problem]:
            try:
                return await store_batch(database.write_unless_locked, incoming)
            except Problem as problem:
                if problem.code != "storage_locked":
                    raise
            return await store_batch(database.write_unless_locked, incoming, skip_locked=True)

        async def store_when_unlocked(incoming: Sequence[IncomingMessage]) -> Sequence[str | Problem]:
            return await store_batch(database.write_when_unlocked, incoming)

        async def store_batch(
            write: _Write, incoming: Sequence[IncomingMessage], skip_locked: bool = False
        ) -> Sequence[str | Problem]:
            users = {each.message.user_id for each in incoming}
            await self._usage.look_at(users)
            quota_snapshot = QuotaSnapshot(quotas, {user: self._usage.of(user) for user in users})
            outcomes = await write(
                partial(store_all, incoming=incoming, quota_snapshot=quota_snapshot, skip_locked=skip_locked)
            )
            for each, outcome in zip(incoming, outcomes, strict=True):
                if outcome == each.message.id:
                    self._usage.add(each.message.user_id, each.message.size_bytes)
            return outcomes

        self._patience = database.patience
        self._lookups: Batcher[str, Mailbox | None] = Batcher(find)
        self._arrivals: Batcher[IncomingMessage, str] = Batcher(store)
        self._locked: KeyedBatcher[IncomingMessage, str] = KeyedBatcher(store_when_unlocked)

    async def find_live(self, address: str) -> Mailbox | None:
        """
        The one mailbox that holds *address*, in lower case, in any state but destroyed; None if there is none.

        Raises Problem `storage_unavailable`.
        """
        return await self._lookups.answer(address)

    def is_full(self, mailbox: Mailbox) -> bool:
        """True if *mailbox*, just looked up, or its owner has reached a quota."""
        return self._quotas.is_full(mailbox.message_count, self._usage.of(mailbox.user_id))

    async def store(self, incoming: IncomingMessage) -> str:
        """
        The id of the stored message, once it is durable: that of *incoming*, or of an earlier identical hand-over.

        Raises Problem `mailbox_unavailable` if its mailbox stopped receiving, `mailbox_full` if it is over quota; then
        nothing is stored. If another transaction holds the mailbox, waits for it apart from other mailboxes, up to the
        database's patience; then raises Problem `storage_locked`, and the message may still be stored.
        """
        mailbox_id = incoming.message.mailbox_id
        if mailbox_id not in self._locked:
            try:
                return await self._arrivals.answer(incoming)
            except Problem as problem:
                if problem.code != "storage_locked":
                    raise
        try:
            async with asyncio.timeout(self._patience):  # those before it in the queue may each use the whole patience
                return await self._locked.answer(mailbox_id, incoming)
        except TimeoutError:
            raise locked() from None


@dataclass(frozen=True, slots=True)
class QuotaSnapshot:
    """The *quotas*, and how many bytes each user has *stored* when a batch begins."""

    quotas: Quotas
    stored: Mapping[str, int]

    def including(self, connection: Connection, users: Iterable[str]) -> "QuotaSnapshot":
        """This snapshot, with those of *users* that it lacks: a mailbox was given to them since the batch began."""
        missing = set(users) - self.stored.keys()
        if not missing or not self.quotas.stored_bytes:
            return self
        return replace(self, stored={**self.stored, **totals_of(connection, missing)})

    def is_full_for(self, message: Message, message_count: int) -> bool:
        """Whether the mailbox of *message*, which has *message_count* messages, or its owner has reached a quota."""
        return self.quotas.is_full(message_count, self.stored.get(message.user_id, 0))


_NO_LIMITS: Final = QuotaSnapshot(NO_QUOTAS, {})


def store_all(
    connection: Connection,
    incoming: Sequence[IncomingMessage],
    quota_snapshot: QuotaSnapshot = _NO_LIMITS,
    skip_locked: bool = False,
) -> list[str | Problem]:
    """
    The outcome of storing each of *incoming*: the id of the stored message, or a Problem.

    The id is its own, or that of an earlier identical hand-over, and then nothing changes. The Problem is
    `mailbox_unavailable` if its mailbox stopped receiving, `mailbox_full` if it is over quota by *quota_snapshot*,
    `storage_locked` if another transaction holds the mailbox, with *skip_locked* only.
    """
    ids = list({each.message.mailbox_id for each in incoming})
    now = max(each.message.received_at for each in incoming)
    rows = (_LOCK_FREE if skip_locked else _LOCK_ALL).rows(connection, ids, now=now).all()
    counts = {row.id: row.message_count for row in rows}
    owners = {row.id: row.user_id for row in rows}
    quota_snapshot = quota_snapshot.including(connection, owners.values())
    receiving = sorted(
        (each.of(owners[each.key[0]]) for each in incoming if each.key[0] in counts), key=lambda each: each.key
    )
    within_quota: list[IncomingMessage] = []
    over_quota: list[IncomingMessage] = []
    for each in receiving:
        is_full = quota_snapshot.is_full_for(each.message, counts[each.message.mailbox_id])
        (over_quota if is_full else within_quota).append(each)
    stored_ids = _insert(connection, within_quota) if within_quota else {}
    if over_quota:  # a repeated hand-over needs no quota: its message is stored already
        stored_ids |= _stored_ids(connection, over_quota)
    active = {row.id for row in _ACTIVE.rows(connection, ids, now=now)} if skip_locked else set()
    return [stored_ids.get(each.key) or _refusal(each.message.mailbox_id, counts, active) for each in incoming]


def _insert(connection: Connection, incoming: list[IncomingMessage]) -> dict[tuple[str, str], str]:
    """The id of the stored message for the key of each of *incoming*, after inserting them."""
    if insert_those_unknown(connection, messages_table, [columns_of(each.message) for each in incoming]):
        stored_ids = {each.key: each.message.id for each in incoming}
    else:
        stored_ids = _stored_ids(connection, incoming)
    new = [each for each in incoming if stored_ids[each.key] == each.message.id]
    if new:
        _complete(connection, new)
    return stored_ids


def _stored_ids(connection: Connection, incoming: list[IncomingMessage]) -> dict[tuple[str, str], str]:
    """The id of the stored message for the key of each of *incoming*. Of two at once, the database chose one."""
    ids, keys = zip(*(each.key for each in incoming), strict=True)
    rows = connection.execute(_KNOWN, {"ids": list(set(ids)), "keys": list(keys)})
    return {(row.mailbox_id, row.delivery_key): row.id for row in rows}


def _complete(connection: Connection, new: list[IncomingMessage]) -> None:
    """Write what new messages need besides their rows: raw bytes, the counts of the mailbox, and the change."""
    raws = [{"message_id": each.message.id, "zstd": each.compressed} for each in new if each.compressed is not None]
    if raws:
        _ADD_RAW.run(connection, raws)
    now = max(each.message.received_at for each in new)
    counts = Counter(each.message.mailbox_id for each in new)
    sizes: Counter[str] = Counter()
    for each in new:
        sizes[each.message.mailbox_id] += each.message.size_bytes
    _RECEIVED.run(
        connection,
        [{"mailbox": id_, "now": now, "number": counts[id_], "size": sizes[id_]} for id_ in sorted(counts)],
    )
    for each in new:
        changes.note_message(connection, each.message.user_id, each.message.mailbox_id, each.message.id)


def _refusal(mailbox_id: str, receiving: Container[str], active: Container[str]) -> Problem:
    if mailbox_id in receiving:
        return mailbox_full()
    return locked() if mailbox_id in active else _unavailable()


def _unavailable() -> Problem:
    return Problem("mailbox_unavailable", "Mailbox unavailable")
