"""
The database: one writer with group commit, and readers that cannot write.

A *work* is a plain function of a connection. `write` gathers the works of the moment into one
transaction and answers when it is durable, so sixteen mails cost one fsync. If one of them fails,
the transaction is rolled back and each is run again alone: a work may therefore run more than once
and must do nothing but talk to its connection.

SQLite (WAL, synchronous=FULL): one writer thread, a few reader threads with query_only. PostgreSQL:
asyncpg driven through `run_sync`; one writing connection, pooled readers in AUTOCOMMIT. Both offer
the same two calls, and one test suite runs on both.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, make_url

from kaisoumail.errors import Problem
from kaisoumail.model.clock import Clock, steady_now
from kaisoumail.storage.engine import transactions
from kaisoumail.storage.engine.batch_writer import BatchWriter, Outcome, T, Tell, Work
from kaisoumail.storage.engine.database_errors import as_problem, is_trouble
from kaisoumail.storage.engine.postgres import PostgresDatabase
from kaisoumail.storage.engine.sqlite import sqlite_engine

READERS: Final = 3


class Database(Protocol):
    """What the rest of the house sees of either database."""

    url: str
    patience: float
    """How many seconds a work waits for what another transaction has locked."""

    async def read(self, work: Work[T]) -> T:
        """What *work* returns from a connection that cannot change anything."""
        ...

    async def read_inline(self, work: Work[T]) -> T:
        """As `read`, for a *work* that asks for a few rows by their index and nothing else."""
        ...

    async def write(self, work: Work[T]) -> T:
        """What *work* returned, once its changes are durable. Whatever it raised, if none of them was kept."""
        ...

    async def write_unless_locked(self, work: Work[T]) -> T:
        """As `write`; but raises Problem `storage_locked` soon when another transaction holds a row it needs."""
        ...

    async def write_when_unlocked(self, work: Work[T]) -> T:
        """As `write`, for a *work* known to need such a row: apart from others, which would wait as well."""
        ...

    async def write_relaxed(self, work: Work[T]) -> T:
        """
        What *work* returned, which changes something that a crash may lose, by one statement.

        It shares no transaction with anybody's `write`, and gives up soon when a row is locked.
        """
        ...

    @property
    def faults(self) -> list[str]:
        """What keeps it from working now, as codes of readiness, as far as it is known without asking."""
        ...

    async def close(self) -> None:
        """Finish the writes already handed in, then let go of every connection."""
        ...


def _tell_nobody(_: Iterable[str]) -> None:
    return None


def open_database(url: str, tell: Tell = _tell_nobody, patience: float = 10.0, clock: Clock = steady_now) -> Database:
    """
    The database at *url*: `sqlite:///path` or `postgresql://…`. Connects on first use.

    After each commit the topics of what changed (`storage/tables/changes.py`) are told by *tell* in this process;
    PostgreSQL tells all processes, with the commit. Who finds something locked by somebody else waits *patience*
    seconds, then hears of trouble. *clock* is SQLite's (`storage/engine/database_clock.py`); PostgreSQL has its own.
    Raises Problem `invalid_request` for any other kind of URL.
    """
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return SqliteDatabase(url, tell, patience, clock)
    if backend == "postgresql":
        return PostgresDatabase(url, tell, patience)
    raise Problem("invalid_request", f"DATABASE_URL must be sqlite:///… or postgresql://…, not {backend}://…")


def _run_batch(works: list[Work[Any]], transaction: Callable[[list[Work[Any]]], list[Any]]) -> list[Outcome]:
    """
    Run *works* in one transaction; if one of them fails, each in its own.

    When the database itself is in trouble all of them fail at once: sixty works that each wait ten
    seconds for a lock would keep the last sender waiting for ten minutes.
    """
    try:
        values = transaction(works)
    except Exception as error:  # noqa: BLE001 - handed to whoever waits for this work
        told = as_problem(error)
        if len(works) == 1 or is_trouble(error, told):
            return [Outcome(error=told)] * len(works)
    else:
        return [Outcome(value) for value in values]
    return [outcome for work in works for outcome in _run_batch([work], transaction)]


class SqliteDatabase:
    """The embedded database. Everything blocking happens on its own threads, never on the event loop."""

    def __init__(self, url: str, tell: Tell, patience: float, clock: Clock) -> None:
        self.url = url
        self.patience = patience
        self._tell = tell
        self._committed: set[str] = set()
        self._write_engine = sqlite_engine(url, patience, clock, connections=1, writing=True)
        self._read_engine = sqlite_engine(url, patience, clock, connections=READERS, writing=False)
        self._glance_engine = sqlite_engine(url, 0, clock, connections=READERS, writing=False)
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._mine = threading.local()
        self._connections: list[Connection] = []
        self._writer = BatchWriter(self._commit)

    async def read(self, work: Work[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._read_threads, self._read, work, self._read_engine)

    async def read_inline(self, work: Work[T]) -> T:
        # On the event loop (docs/decisions/0011): the way to another thread and back takes longer than the answer.
        # Nobody waits for a lock here; what finds one is asked again where it may.
        try:
            return self._read(work, self._glance_engine)
        except Problem:
            return await self.read(work)

    def _read(self, work: Work[T], engine: Engine) -> T:
        try:
            connection = self._connection(engine)
            try:
                return work(connection)
            finally:
                connection.rollback()  # ends nothing in the database, where each statement is its own transaction
        except Exception as error:
            raise as_problem(error) from error

    def _connection(self, engine: Engine) -> Connection:
        """This thread's own: borrowing one for each question would cost more than a short question does."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = engine.connect()
            self._connections.append(self._mine.connection)
        connection: Connection = self._mine.connection
        return connection

    async def write(self, work: Work[T]) -> T:
        return await self._writer.write(work)

    async def write_unless_locked(self, work: Work[T]) -> T:
        return await self.write(work)

    async def write_when_unlocked(self, work: Work[T]) -> T:
        return await self.write(work)

    async def write_relaxed(self, work: Work[T]) -> T:
        return await self.write(work)  # no row of the embedded database is locked by anybody for long

    async def _commit(self, works: list[Work[Any]]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        outcomes = await loop.run_in_executor(self._write_thread, _run_batch, works, self._transaction)
        topics, self._committed = self._committed, set()
        self._tell(topics)
        return outcomes

    def _transaction(self, works: list[Work[Any]]) -> list[Any]:
        connection = self._connection(self._write_engine)
        try:
            with connection.begin():
                values, topics = transactions.run(connection, works)
        except BaseException:
            connection.connection.rollback()  # SQLite keeps a transaction open whose commit it refused
            raise
        self._committed |= topics  # only now: what was rolled back is told to nobody
        return values

    @property
    def faults(self) -> list[str]:
        return ["writer_stuck"] if self._writer.is_stuck else []

    async def close(self) -> None:
        await self._writer.close()
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._read_threads.shutdown()
        self._write_thread.shutdown()
        for connection in self._connections:
            connection.close()
        self._read_engine.dispose()
        self._glance_engine.dispose()
        self._write_engine.dispose()
