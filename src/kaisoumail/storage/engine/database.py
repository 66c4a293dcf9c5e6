"""
The database: one writer with group commit, and readers.

A *work* is a plain function of a connection. `write` collects concurrent works into one transaction
and returns when it is durable, so sixteen messages cost one fsync. If one of them fails, the
transaction is rolled back and each is run again alone: a work may therefore run more than once and
must use nothing but its connection.

SQLite (WAL, synchronous=FULL): one writer thread, a few reader threads with query_only. PostgreSQL:
asyncpg driven through `run_sync`; one writing connection, pooled readers in AUTOCOMMIT. Both implement
the protocol `Database`, and one test suite runs on both.
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
from kaisoumail.storage.engine.batch_writer import BatchWriter, Outcome, T, Wake, Work
from kaisoumail.storage.engine.database_errors import as_problem, is_database_failure
from kaisoumail.storage.engine.postgres import PostgresDatabase
from kaisoumail.storage.engine.sqlite import sqlite_engine

READERS: Final = 3


class Database(Protocol):
    """The interface of both databases."""

    url: str
    patience: float
    """How many seconds a work waits for a lock that another transaction holds."""

    async def read(self, work: Work[T]) -> T:
        """
        What *work* returns, which only reads. Each of its statements sees the newest commit.

        The database refuses a write here. Raises Problem `storage_unavailable`.
        """
        ...

    async def read_inline(self, work: Work[T]) -> T:
        """As `read`, for a *work* that only selects a few rows by an index."""
        ...

    async def write(self, work: Work[T]) -> T:
        """
        What *work* returned, once its changes are durable. Raises what *work* raised, with nothing changed.

        After Problem `storage_unavailable` the changes may be durable all the same: the connection can be lost during
        the commit. Raises Problem `storage_locked` when another transaction holds a row for longer than `patience`.
        """
        ...

    async def write_unless_locked(self, work: Work[T]) -> T:
        """As `write`, but soon raises Problem `storage_locked` when another transaction holds a row it needs."""
        ...

    async def write_when_unlocked(self, work: Work[T]) -> T:
        """As `write`, for a *work* known to need a locked row: run apart from other works, which would wait as well."""
        ...

    async def write_relaxed(self, work: Work[T]) -> T:
        """
        What *work* returned. *work* is one statement, and a crash may lose what it changed.

        It shares no transaction with `write`. Raises Problem `storage_unavailable`, soon when a row is locked.
        """
        ...

    @property
    def faults(self) -> list[str]:
        """Readiness codes of current failures, as far as they are known without a query."""
        ...

    async def close(self) -> None:
        """Finish the writes already queued, then close every connection."""
        ...


async def write_or_raise(database: Database, work: Work[T | Problem]) -> T:
    """
    As `Database.write`, for a *work* that may refuse. Raises the Problem that it returned.

    A work returns its refusal, before it changes anything: one that raised it would have the other works of its
    transaction run again, each alone.
    """
    outcome = await database.write(work)
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


def _wake_none(_: Iterable[str]) -> None:
    return None


def open_database(url: str, wake: Wake = _wake_none, patience: float = 10.0, clock: Clock = steady_now) -> Database:
    """
    The database at *url*: `sqlite:///path` or `postgresql://…`. Connects on first use.

    After each commit *wake* is called with the topics of what changed (`storage/tables/changes.py`) in this process;
    PostgreSQL notifies all processes, with the commit. A work waits up to *patience* seconds for a lock, then fails.
    *clock* is used by SQLite (`storage/engine/database_clock.py`); PostgreSQL has its own.
    Raises Problem `invalid_request` for any other kind of URL.
    """
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return SqliteDatabase(url, wake, patience, clock)
    if backend == "postgresql":
        return PostgresDatabase(url, wake, patience)
    raise Problem("invalid_request", f"DATABASE_URL must be sqlite:///… or postgresql://…, not {backend}://…")


def _run_batch(works: list[Work[Any]], transaction: Callable[[list[Work[Any]]], list[Any]]) -> list[Outcome]:
    """
    The outcomes of *works*, run in one transaction; if one of them fails, each in its own.

    When the database itself fails, all of them fail at once: if sixty works each waited ten seconds for
    a lock, the last sender would wait for ten minutes.
    """
    try:
        values = transaction(works)
    except Exception as error:  # noqa: BLE001 - raised to the callers of these works
        raised = as_problem(error)
        if len(works) == 1 or is_database_failure(error, raised):
            return [Outcome(error=raised)] * len(works)
    else:
        return [Outcome(value) for value in values]
    return [outcome for work in works for outcome in _run_batch([work], transaction)]


class SqliteDatabase:
    """The embedded database. It blocks on threads of its own, on the event loop only in `read_inline`."""

    def __init__(self, url: str, wake: Wake, patience: float, clock: Clock) -> None:
        self.url = url
        self.patience = patience
        self._wake = wake
        self._committed: set[str] = set()
        self._write_engine = sqlite_engine(url, patience, clock, connections=1, writing=True)
        self._read_engine = sqlite_engine(url, patience, clock, connections=READERS, writing=False)
        self._inline_engine = sqlite_engine(url, 0, clock, connections=READERS, writing=False)
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._thread_local = threading.local()
        self._connections: list[Connection] = []
        self._writer = BatchWriter(self._commit)

    async def read(self, work: Work[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._read_threads, self._read, work, self._read_engine)

    async def read_inline(self, work: Work[T]) -> T:
        # On the event loop (docs/decisions/0011): handing it to a thread and back takes longer than the query.
        # This engine does not wait for locks; a work that finds one is run again on a reader thread, which does.
        try:
            return self._read(work, self._inline_engine)
        except Problem:
            return await self.read(work)

    def _read(self, work: Work[T], engine: Engine) -> T:
        try:
            connection = self._connection(engine)
            try:
                return work(connection)
            finally:
                connection.rollback()  # only in SQLAlchemy: in the database each statement is its own transaction
        except Exception as error:
            raise as_problem(error) from error

    def _connection(self, engine: Engine) -> Connection:
        """The connection of this thread: a checkout from the pool would cost more than a short query."""
        if not hasattr(self._thread_local, "connection"):
            self._thread_local.connection = engine.connect()
            self._connections.append(self._thread_local.connection)
        connection: Connection = self._thread_local.connection
        return connection

    async def write(self, work: Work[T]) -> T:
        return await self._writer.write(work)

    async def write_unless_locked(self, work: Work[T]) -> T:
        return await self.write(work)

    async def write_when_unlocked(self, work: Work[T]) -> T:
        return await self.write(work)

    async def write_relaxed(self, work: Work[T]) -> T:
        return await self.write(work)  # no row of the embedded database stays locked for long

    async def _commit(self, works: list[Work[Any]]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        outcomes = await loop.run_in_executor(self._write_thread, _run_batch, works, self._transaction)
        topics, self._committed = self._committed, set()
        self._wake(topics)
        return outcomes

    def _transaction(self, works: list[Work[Any]]) -> list[Any]:
        connection = self._connection(self._write_engine)
        try:
            with connection.begin():
                values, topics = transactions.run(connection, works)
        except BaseException:
            connection.connection.rollback()  # SQLite leaves a transaction open whose commit failed
            raise
        self._committed |= topics  # only now: a rolled back transaction wakes nobody
        return values

    @property
    def faults(self) -> list[str]:
        return ["writer_stuck"] if self._writer.is_stuck else []

    async def close(self) -> None:
        await self._writer.close()
        await asyncio.to_thread(self._close_connections)

    def _close_connections(self) -> None:
        self._read_threads.shutdown()
        self._write_thread.shutdown()
        for connection in self._connections:
            connection.close()
        self._read_engine.dispose()
        self._inline_engine.dispose()
        self._write_engine.dispose()
