"""
The accepting path through the database: mailboxes looked up and mails kept, those of a moment together.

One statement for sixty mails costs little more than one for a single mail, and one fsync serves them all.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
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
from kaisoumail.storage.tables.usage import Usage


def _active(these: Sequence[Any]) -> Select[Any]:
    """Of *these* mailboxes those that receive, in the order of their ids: two processes never wait in a circle."""
    return (
        select(mailboxes_table.c.id, mailboxes_table.c.user_id, mailboxes_table.c.message_count)
        .where(
            mailboxes_table.c.id.in_(these),
            mailboxes_table.c.status == MailboxStatus.ACTIVE.value,
            or_(mailboxes_table.c.expires_at.is_(None), mailboxes_table.c.expires_at > bindparam("now")),
        )
        .order_by(mailboxes_table.c.id)
    )


# Built once: building them costs more than running them.
_THESE: Final[Any] = bindparam("ids", expanding=True)
_LOOKED_AT: Final = SelectMany(_active, mailboxes_table.c.id.type)
_RECEIVING: Final = SelectMany(lambda these: _active(these).with_for_update(key_share=True), mailboxes_table.c.id.type)
_UNLOCKED: Final = SelectMany(
    lambda these: _active(these).with_for_update(key_share=True, skip_locked=True), mailboxes_table.c.id.type
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
    messages_table.c.mailbox_id.in_(_THESE), messages_table.c.delivery_key.in_(bindparam("keys", expanding=True))
)
_KEEP_RAW: Final = CompiledStatement(insert(raw_messages))


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A mail to be kept: its facts, and its raw bytes as zstd unless they are elsewhere (*compressed* None)."""

    message: Message
    compressed: bytes | None

    @property
    def key(self) -> tuple[str, str]:
        """What the same hand-over is known by."""
        return self.message.mailbox_id, self.message.delivery_key

    def of(self, user_id: str) -> "IncomingMessage":
        """The same for the owner its mailbox has now: it may have gone to somebody else since it was looked up."""
        if self.message.user_id == user_id:
            return self
        return replace(self, message=replace(self.message, user_id=user_id))


_Write = Callable[[Work[list[str | Problem]]], Awaitable[list[str | Problem]]]


class Intake:
    """The two questions that every arriving mail asks; *quotas* say how much a user may keep."""

    def __init__(self, database: Database, quotas: Quotas = NO_QUOTAS) -> None:
        self._quotas = quotas
        self._usage = Usage(database, quotas.stored_bytes)

        async def find(addresses: Sequence[str]) -> Sequence[Mailbox | None]:
            found = await database.read_inline(partial(mailboxes.find_all_live, addresses=addresses))
            await self._usage.look_at({mailbox.user_id for mailbox in found if mailbox})
            return found

        async def keep(incoming: Sequence[IncomingMessage]) -> Sequence[str | Problem]:
            try:
                return await kept(database.write_unless_locked, incoming)
            except Problem as problem:
                if problem.code != "storage_locked":
                    raise
            return await kept(database.write_unless_locked, incoming, skip_locked=True)

        async def keep_when_unlocked(incoming: Sequence[IncomingMessage]) -> Sequence[str | Problem]:
            return await kept(database.write_when_unlocked, incoming)

        async def kept(
            write: _Write, incoming: Sequence[IncomingMessage], skip_locked: bool = False
        ) -> Sequence[str | Problem]:
            users = {one.message.user_id for one in incoming}
            await self._usage.look_at(users)
            quotas_left = QuotaSnapshot(quotas, {user: self._usage.of(user) for user in users})
            outcomes = await write(
                partial(keep_all, incoming=incoming, quotas_left=quotas_left, skip_locked=skip_locked)
            )
            for one, outcome in zip(incoming, outcomes, strict=True):
                if outcome == one.message.id:
                    self._usage.add(one.message.user_id, one.message.size_bytes)
            return outcomes

        self._patience = database.patience
        self._lookups: Batcher[str, Mailbox | None] = Batcher(find)
        self._arrivals: Batcher[IncomingMessage, str] = Batcher(keep)
        self._locked: KeyedBatcher[IncomingMessage, str] = KeyedBatcher(keep_when_unlocked)

    async def find_live(self, address: str) -> Mailbox | None:
        """The one mailbox that holds *address* now, in any state but destroyed."""
        return await self._lookups.answer(address)

    def is_full(self, mailbox: Mailbox) -> bool:
        """True if *mailbox*, just found, has no quotas_left for a mail."""
        return self._quotas.is_full(mailbox.message_count, self._usage.of(mailbox.user_id))

    async def keep(self, incoming: IncomingMessage) -> str:
        """
        The id *incoming* is known by, once it is durable: its own, or that of an earlier same hand-over.

        Raises Problem `mailbox_unavailable` if its mailbox stopped receiving, `mailbox_full` if it has no quotas_left
        left; then nothing is kept. A mailbox that another transaction holds is waited for apart from all others, up to
        the database's patience; then Problem `storage_locked` is raised, and the message may still be kept.
        """
        mailbox_id = incoming.message.mailbox_id
        if mailbox_id not in self._locked:
            try:
                return await self._arrivals.answer(incoming)
            except Problem as problem:
                if problem.code != "storage_locked":
                    raise
        try:
            async with asyncio.timeout(self._patience):  # those who came before it had a patience of their own
                return await self._locked.answer(mailbox_id, incoming)
        except TimeoutError:
            raise locked() from None


@dataclass(frozen=True, slots=True)
class QuotaSnapshot:
    """The *quotas*, and how many bytes each user has *stored*."""

    quotas: Quotas
    stored: Mapping[str, int]

    def is_full_for(self, message: Message, message_count: int) -> bool:
        return self.quotas.is_full(message_count, self.stored.get(message.user_id, 0))


_NO_LIMITS: Final = QuotaSnapshot(NO_QUOTAS, {})


def keep_all(
    connection: Connection,
    incoming: Sequence[IncomingMessage],
    quotas_left: QuotaSnapshot = _NO_LIMITS,
    skip_locked: bool = False,
) -> list[str | Problem]:
    """
    Keep each of *incoming*.

    Returns, for each, the id it is known by: its own, or that of the message this same hand-over made
    before, and then nothing changes; or Problem `mailbox_unavailable` if its mailbox stopped receiving,
    `mailbox_full` if there is no *quotas_left*, `storage_locked` with *skip_locked* if another transaction holds it.
    """
    ids = list({one.message.mailbox_id for one in incoming})
    now = max(one.message.received_at for one in incoming)
    rows = (_UNLOCKED if skip_locked else _RECEIVING).rows(connection, ids, now=now).all()
    counts = {row.id: row.message_count for row in rows}
    owners = {row.id: row.user_id for row in rows}
    receiving = sorted(
        (one.of(owners[one.key[0]]) for one in incoming if one.key[0] in counts), key=lambda one: one.key
    )
    welcome: list[IncomingMessage] = []
    beyond: list[IncomingMessage] = []
    for one in receiving:
        (beyond if quotas_left.is_full_for(one.message, counts[one.message.mailbox_id]) else welcome).append(one)
    known = _insert(connection, welcome) if welcome else {}
    if beyond:  # what was kept before is no burden now
        known |= _stored_ids(connection, beyond)
    held = {row.id for row in _LOOKED_AT.rows(connection, ids, now=now)} if skip_locked else set()
    return [known.get(one.key) or _refusal(one.message.mailbox_id, counts, held) for one in incoming]


def _insert(connection: Connection, welcome: list[IncomingMessage]) -> dict[tuple[str, str], str]:
    """Which id each of *welcome* is known by, now that they are kept."""
    if insert_those_unknown(connection, messages_table, [columns_of(one.message) for one in welcome]):
        known = {one.key: one.message.id for one in welcome}
    else:
        known = _stored_ids(connection, welcome)
    new = [one for one in welcome if known[one.key] == one.message.id]
    if new:
        _complete(connection, new)
    return known


def _stored_ids(connection: Connection, incoming: list[IncomingMessage]) -> dict[tuple[str, str], str]:
    """Which id each is known by now. The database settled who of two that came at once is the message."""
    ids, keys = zip(*(one.key for one in incoming), strict=True)
    rows = connection.execute(_KNOWN, {"ids": list(set(ids)), "keys": list(keys)})
    return {(row.mailbox_id, row.delivery_key): row.id for row in rows}


def _complete(connection: Connection, new: list[IncomingMessage]) -> None:
    """What belongs to new messages beside their rows: raw bytes, the mailbox's counts, and that they came."""
    raws = [{"message_id": one.message.id, "zstd": one.compressed} for one in new if one.compressed is not None]
    if raws:
        _KEEP_RAW.run(connection, raws)
    now = max(one.message.received_at for one in new)
    counts = Counter(one.message.mailbox_id for one in new)
    sizes: Counter[str] = Counter()
    for one in new:
        sizes[one.message.mailbox_id] += one.message.size_bytes
    _RECEIVED.run(
        connection,
        [{"mailbox": each, "now": now, "number": counts[each], "size": sizes[each]} for each in sorted(counts)],
    )
    for one in new:
        changes.note_message(connection, one.message.user_id, one.message.mailbox_id, one.message.id)


def _refusal(mailbox_id: str, receiving: Container[str], held: Container[str]) -> Problem:
    if mailbox_id in receiving:
        return mailbox_full()
    return locked() if mailbox_id in held else _unavailable()


def _unavailable() -> Problem:
    return Problem("mailbox_unavailable", "Mailbox unavailable")
