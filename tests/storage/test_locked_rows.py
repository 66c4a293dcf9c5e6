"""A row that another transaction holds delays what needs it, and nothing else."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, make_url, select, text, update

from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.storage.engine import transactions
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.engine.schema import mailboxes as table
from kaisoumail.storage.intake import IncomingMessage, Intake
from kaisoumail.storage.tables import changes, domains, mailboxes
from tests.builders import DEMO, a_mailbox, a_message
from tests.polling import PATIENCE_SECONDS
from tests.storage.conftest import Storage

HELD, FREE = a_mailbox("held@mail.demo.example"), a_mailbox("free@mail.demo.example")


def _incoming(mailbox: Mailbox, number: int) -> IncomingMessage:
    return IncomingMessage(a_message(mailbox, b"Subject: %d\r\n\r\n" % number), b"")


def _touch(mailbox: Mailbox) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(update(table).where(table.c.id == mailbox.id).values(unread_count=7))
        return mailbox.id

    return work


@asynccontextmanager
async def _a_holder(url: str, statement: str) -> AsyncIterator["psycopg.AsyncConnection[tuple[object, ...]]"]:
    """Somebody else's transaction, in the middle, after *statement*."""
    async with await psycopg.AsyncConnection.connect(url) as holder:
        await holder.execute(statement.encode())
        yield holder
        await holder.rollback()


HOLDS_THE_ROW = f"SELECT 1 FROM mailboxes WHERE id = '{HELD.id}' FOR UPDATE"


@asynccontextmanager
async def _a_database(url: str, patience: float = 60) -> AsyncIterator[Database]:
    """Another process's."""
    database = open_database(url, patience=patience)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def url(postgres_url: str) -> str:
    storage = Storage(postgres_url)
    for mailbox in (HELD, FREE):
        storage.write(lambda c, mailbox=mailbox: mailboxes.add(c, mailbox))  # type: ignore[misc]
    storage.close()
    return postgres_url


def _run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 120))


def test_k1_a_locked_mailbox_delays_its_own_messages_and_no_others(url: str) -> None:
    async def story() -> None:
        async with _a_database(url) as database:
            intake = Intake(database)
            async with _a_holder(url, HOLDS_THE_ROW):
                delayed = [asyncio.create_task(intake.store(_incoming(HELD, n))) for n in range(3)]
                for round_number in range(20):  # the first shares its batch with the delayed ones
                    others = [_incoming(FREE, 10 * round_number + n) for n in range(8)]
                    assert await asyncio.gather(*map(intake.store, others)) == [each.message.id for each in others]
                assert not any(each.done() for each in delayed)
            assert len(set(await asyncio.gather(*delayed))) == 3

    _run(story())


def test_k1_a_mailbox_that_stays_locked_refuses_its_own_message_when_the_patience_is_over(url: str) -> None:
    async def story() -> None:
        async with _a_database(url, patience=1) as database, _a_holder(url, HOLDS_THE_ROW):
            intake, other = Intake(database), _incoming(FREE, 1)
            refused, kept = await asyncio.gather(
                intake.store(_incoming(HELD, 1)), intake.store(other), return_exceptions=True
            )
            assert isinstance(refused, Problem)
            assert (refused.code, refused.kind.status, refused.kind.smtp[:3]) == ("storage_locked", 503, "451")
            assert kept == other.message.id

    _run(story())


def test_k1_a_work_that_finds_a_row_locked_leaves_its_batch(url: str) -> None:
    async def story() -> None:
        async with _a_database(url) as database:
            async with _a_holder(url, HOLDS_THE_ROW):
                delayed = [asyncio.create_task(database.write(_touch(HELD))) for _ in range(20)]
                others = [asyncio.create_task(database.write(_touch(FREE))) for _ in range(20)]
                assert await asyncio.gather(*others) == [FREE.id] * 20
                assert not any(each.done() for each in delayed)
            assert await asyncio.gather(*delayed) == [HELD.id] * 20
            counts = select(table.c.unread_count)
            assert await database.read(lambda c: c.execute(counts).scalars().all()) == [7, 7]

    _run(story())


def test_k1_a_work_that_finds_a_row_locked_fails_by_itself_when_the_patience_is_over(url: str) -> None:
    async def story() -> None:
        async with _a_database(url, patience=0.5) as database, _a_holder(url, HOLDS_THE_ROW):
            refused, kept = await asyncio.gather(
                database.write(_touch(HELD)), database.write(_touch(FREE)), return_exceptions=True
            )
            assert isinstance(refused, Problem)
            assert refused.code == "storage_locked"
            assert kept == FREE.id

    _run(story())


def test_k1_a_statement_that_takes_too_long_leaves_its_batch(url: str) -> None:
    async def story() -> None:
        async with _a_database(url, patience=0.5) as database:
            slow = asyncio.create_task(database.write(lambda c: c.execute(text("SELECT pg_sleep(1.5)")).rowcount))
            assert await database.write(_touch(FREE)) == FREE.id
            assert not slow.done()
            assert await slow == 1

    _run(story())


def test_k1_a_batch_waits_for_the_lock_that_numbers_changes(url: str) -> None:
    async def story() -> None:
        async with _a_database(url) as database, _a_holder(url, str(transactions._LOCK)) as holder:
            noted = asyncio.create_task(database.write(lambda c: changes.note_mailbox(c, FREE.user_id, FREE.id)))
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as watching:
                met: set[object] = set()
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while len(met) < 3:  # transactions that met the lock
                        waiting = await watching.execute(
                            b"SELECT xact_start FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE NOT granted"
                        )
                        met |= {row[0] for row in await waiting.fetchall()}
            assert not noted.done()
            await holder.rollback()
            await noted

    _run(story())


HOLDING = """
import asyncio, sys
from sqlalchemy import make_url
from kaisoumail.storage.engine.postgres_sessions import connect

async def hold():
    session = await connect(make_url(sys.argv[1]))
    await session.execute("BEGIN")
    await session.execute(sys.argv[2])
    print("held", flush=True)
    await asyncio.Event().wait()

asyncio.run(hold())
"""


def test_k1_what_a_paused_process_holds_in_the_middle_of_a_transaction_is_free_within_seconds(url: str) -> None:
    async def story() -> None:
        paused = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLDING, url, HOLDS_THE_ROW, stdout=asyncio.subprocess.PIPE
        )
        assert paused.stdout is not None
        try:
            assert await paused.stdout.readline() == b"held\n"
            paused.send_signal(signal.SIGSTOP)
            async with _a_database(url) as database, asyncio.timeout(10):
                assert await database.write(_touch(HELD)) == HELD.id
        finally:
            paused.kill()
            await paused.wait()

    _run(story())


def test_a_row_that_is_locked_to_be_changed_delays_nothing_that_refers_to_it(url: str) -> None:
    """
    A foreign key needs FOR KEY SHARE of the row it refers to, which FOR UPDATE does not share.

    A change is numbered under a lock of all processes: if it then waited for the mailbox, so would everybody.
    """

    async def story() -> None:
        async with _a_database(url, patience=1) as database:
            await database.write(lambda c: changes.note_mailbox(c, HELD.user_id, HELD.id))
            await database.write(lambda c: changes.note_domain(c, DEMO.id))

    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as holder:
        assert mailboxes.find_to_change(holder, HELD.id) is not None
        assert domains.find_to_change(holder, DEMO.id) is not None
        _run(story())
    engine.dispose()
