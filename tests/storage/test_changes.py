"""Changes are numbered in the order in which they become visible: whoever goes on from a number misses nothing."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Connection, text

from kaisoumail.model.feed import BEGINNING, Cursor
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.storage.engine import schema_migration, transactions
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.engine.postgres_signals import open_signals
from kaisoumail.storage.tables import changes, domains, mailboxes, messages
from kaisoumail.storage.tables.changes import NumberedChange
from tests.builders import DEMO, a_mailbox, a_message, kept
from tests.people import ADA, BOB, MINUTE, NOON, ROOT
from tests.polling import poll
from tests.storage.conftest import Storage

_GATE = 77  # an advisory lock of the tests


def _kept(storage: Storage, mailbox: Mailbox) -> Mailbox:
    storage.write(lambda c: mailboxes.add(c, mailbox))
    return mailbox


def _seen(storage: Storage, since: Cursor, viewer: object = ROOT) -> list[NumberedChange]:
    return storage.read(lambda c: changes.after(c, viewer, since, 100))  # type: ignore[arg-type]


def _message_ids(seen: list[NumberedChange]) -> list[str | None]:
    return [each.change.message_id for each in seen if each.change.message_id]


def test_a_slow_transaction_that_commits_after_a_faster_later_one_gets_the_higher_number(
    storage: Storage, postgres_or_file: "Gate"
) -> None:
    early = a_message(_kept(storage, a_mailbox()), received_at=NOON)
    late = a_message(_kept(storage, a_mailbox("late@mail.demo.example")), received_at=NOON + MINUTE)

    async def race() -> tuple[Cursor, bool]:
        other_process = open_database(storage.url)
        try:
            slow = asyncio.create_task(postgres_or_file.held(other_process, lambda c: kept(c, early, None)))
            await postgres_or_file.until_held()
            fast = asyncio.create_task(storage.database.write(lambda c: kept(c, late, None)))
            overtook = await postgres_or_file.may_overtake(fast)
            looked = await storage.database.read(changes.newest)
            postgres_or_file.open()
            await asyncio.gather(slow, fast)
            return looked, overtook
        finally:
            postgres_or_file.open()
            await other_process.close()

    looked, overtook = storage.run(race())

    assert overtook == storage.url.startswith("postgresql")
    everything, missed_by_none = _seen(storage, BEGINNING), _seen(storage, looked)
    assert _message_ids(everything) == ([late.id, early.id] if overtook else [early.id, late.id])
    assert _message_ids(missed_by_none) == ([early.id] if overtook else [early.id, late.id])


def test_no_number_is_given_while_a_lower_one_is_not_yet_visible(postgres_url: str) -> None:
    storage = Storage(postgres_url)
    try:
        mailbox = _kept(storage, a_mailbox())

        async def race() -> bool:
            with psycopg.connect(postgres_url) as committing, psycopg.connect(postgres_url, autocommit=True) as watcher:
                committing.execute(str(transactions._LOCK))
                committing.execute("INSERT INTO changes (user_id) VALUES ('usr_ada')")  # numbered, not yet committed
                write = asyncio.create_task(storage.database.write(lambda c: kept(c, a_message(mailbox), None)))
                await asyncio.to_thread(_until_somebody_waits_for_a_lock, watcher)
                overtook = write.done()
                committing.commit()
                await write
                return overtook

        overtook = storage.run(race())

        assert not overtook
        numbers = [each.cursor for each in _seen(storage, BEGINNING)]
        assert numbers == sorted(numbers)
        assert _message_ids(_seen(storage, BEGINNING))[-1] is not None
    finally:
        storage.close()


def _until_somebody_waits_for_a_lock(watcher: "psycopg.Connection[tuple[object, ...]]") -> None:
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    poll(lambda: watcher.execute(waiting).fetchone())


def test_what_was_rolled_back_leaves_no_change_and_wakes_nobody(database_url: str) -> None:
    async def work() -> tuple[bool, list[NumberedChange]]:
        signals = await open_signals(database_url)
        database = open_database(database_url, signals.wake)
        try:
            async with signals.listening("everything") as listener:
                await _prepared(database)
                assert await listener.woken(60)  # else PostgreSQL may tell of the preparation only later
            async with signals.listening("everything") as listener:
                with pytest.raises(ZeroDivisionError):
                    await database.write(_note_and_fail)
                woken = await listener.woken(0.05)
            return woken, await database.read(lambda c: changes.after(c, ROOT, BEGINNING, 100))
        finally:
            await database.close()
            await signals.close()

    woken, seen = asyncio.run(work())

    assert not woken
    assert [each.change.domain_id for each in seen] == ["dom_demo"]


async def _prepared(database: Database) -> None:
    await schema_migration.migrate(database)
    await database.write(lambda c: domains.save(c, DEMO))


def _note_and_fail(connection: Connection) -> None:
    changes.note_domain(connection, "dom_demo")
    raise ZeroDivisionError


def test_each_sees_the_changes_of_what_is_theirs(storage: Storage) -> None:
    adas, bobs = _kept(storage, a_mailbox()), _kept(storage, a_mailbox("bob@mail.demo.example", user_id=BOB.id))
    for message in (a_message(adas), a_message(bobs)):
        storage.write(lambda c, m=message: kept(c, m, None))  # type: ignore[misc]

    assert [each.change.mailbox_id for each in _seen(storage, BEGINNING, ADA)] == [adas.id]
    assert [each.change.mailbox_id for each in _seen(storage, BEGINNING, BOB)] == [bobs.id]
    assert [each.change.mailbox_id for each in _seen(storage, BEGINNING, ROOT)] == [None, adas.id, bobs.id]


def test_a_mailbox_that_changes_again_is_told_once_at_its_new_place(storage: Storage) -> None:
    mailbox, other = _kept(storage, a_mailbox()), _kept(storage, a_mailbox("other@mail.demo.example"))
    for changed in (mailbox, other, mailbox, mailbox):
        storage.write(lambda c, m=changed: mailboxes.save(c, m))  # type: ignore[misc]
    before = storage.read(changes.newest)

    storage.write(lambda c: mailboxes.save(c, mailbox))

    assert [each.change.mailbox_id for each in _seen(storage, before)] == [mailbox.id]
    assert [each.change.mailbox_id for each in _seen(storage, BEGINNING, ADA)] == [other.id, mailbox.id]


def test_a_number_is_never_given_twice(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox())
    message = a_message(mailbox)
    storage.write(lambda c: kept(c, message, None))
    before = storage.read(changes.newest)

    storage.write(lambda c: messages.remove(c, message, NOON))

    assert storage.read(changes.newest) > before
    assert _message_ids(_seen(storage, BEGINNING)) == []


class Gate:
    """A transaction of another process held open in its middle, until it is let go."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_file = url.startswith("sqlite")
        self._inside, self._may_go = threading.Event(), threading.Event()
        self._keeper = None if self._is_file else psycopg.connect(url, autocommit=True)
        if self._keeper is not None:
            self._keeper.execute("SELECT pg_advisory_lock(%s)", (_GATE,))

    async def held(self, database: Database, work: Callable[[Connection], str]) -> str:
        def slowly(connection: Connection) -> str:
            outcome = work(connection)
            self._inside.set()
            if self._is_file:
                self._may_go.wait(30)
            else:
                connection.execute(text("SELECT pg_advisory_xact_lock(:gate)"), {"gate": _GATE})
            return outcome

        return await database.write(slowly)

    async def until_held(self) -> None:
        await asyncio.to_thread(self._inside.wait, 30)

    async def may_overtake(self, fast: "asyncio.Task[str]") -> bool:
        """Whether *fast* is committed while the held one is not. SQLite has one writer, there nobody overtakes."""
        if self._is_file:
            return False
        await asyncio.wait([fast], timeout=30)
        return fast.done()

    def open(self) -> None:
        self._may_go.set()
        if self._keeper is not None and not self._keeper.closed:
            self._keeper.close()


@pytest.fixture
def postgres_or_file(database_url: str) -> Iterator[Gate]:
    gate = Gate(database_url)
    yield gate
    gate.open()
