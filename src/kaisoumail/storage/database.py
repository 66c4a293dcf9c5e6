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
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kaisoumail.errors import Problem
from kaisoumail.model.clock import Clock, steady_now
from kaisoumail.storage import changes
from kaisoumail.storage.signals import ACCESS
from kaisoumail.storage.sqlite import sqlite_engine

T = TypeVar("T")
Work = Callable[[Connection], T]

MAX_BATCH: Final = 64
READERS: Final = 3
_RELAXED_PATIENCE: Final = 0.25  # seconds for a lock: all who write so share a connection


class Database(Protocol):
    """What the rest of the house sees of either database."""

    url: str

    async def read(self, work: Work[T]) -> T:
        """What *work* returns from a connection that cannot change anything."""
        ...

    async def glance(self, work: Work[T]) -> T:
        """As `read`, for a *work* that asks for a few rows by their index and nothing else."""
        ...

    async def write(self, work: Work[T]) -> T:
        """What *work* returned, once its changes are durable. Whatever it raised, if none of them was kept."""
        ...

    async def write_relaxed(self, work: Work[T]) -> T:
        """
        What *work* returned, which changes something that a crash may lose, by one statement.

        It shares no transaction with anybody's `write`, and gives up soon when a row is locked.
        """
        ...

    async def close(self) -> None:
        """Finish the writes already handed in, then let go of every connection."""
        ...


Tell = Callable[[Iterable[str]], None]


def _tell_nobody(_: Iterable[str]) -> None:
    return None


def open_database(url: str, tell: Tell = _tell_nobody, patience: float = 10.0, clock: Clock = steady_now) -> Database:
    """
    The database at *url*: `sqlite:///path` or `postgresql://…`. Connects on first use.

    After each commit the topics of what changed (`storage/changes.py`) are told by *tell* in this process; PostgreSQL
    tells all processes, with the commit. Who finds something locked by
    somebody else waits *patience* seconds, then hears of trouble. *clock* is SQLite's (`storage/database_clock.py`);
    PostgreSQL has its own.
    Raises Problem `invalid_request` for any other kind of URL.
    """
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return SqliteDatabase(url, tell, patience, clock)
    if backend == "postgresql":
        return PostgresDatabase(url, tell, patience)
    raise Problem("invalid_request", f"DATABASE_URL must be sqlite:///… or postgresql://…, not {backend}://…")


class _Entry:
    """One work waiting for the writer, and who waits for it."""

    __slots__ = ("done", "work")

    def __init__(self, work: Work[Any], done: "asyncio.Future[Any]") -> None:
        self.work = work
        self.done = done


class _Outcome:
    """What a work came to: a value, or the exception it raised."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value = value
        self.error = error

    def tell(self, waiting: "asyncio.Future[Any]") -> None:
        if waiting.done():  # the caller was cancelled; the work is kept all the same
            return
        if self.error is not None:
            waiting.set_exception(self.error)
        else:
            waiting.set_result(self.value)


class _Writer:
    """
    Gathers works into batches and has *commit* run each batch.

    While one batch is being made durable the next one collects: the busier it is, the larger the
    batches. Nothing waits for company.
    """

    def __init__(self, commit: Callable[[list[Work[Any]]], Awaitable[list[_Outcome]]]) -> None:
        self._commit = commit
        self._waiting: list[_Entry] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def write(self, work: Work[T]) -> T:
        if self._closed:
            raise Problem("storage_unavailable", "The database is being closed")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(work, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                outcomes = await self._commit([entry.work for entry in batch])
                for entry, outcome in zip(batch, outcomes, strict=True):
                    outcome.tell(entry.done)
        finally:
            self._task = None

    async def close(self) -> None:
        self._closed = True
        while self._task is not None:
            await asyncio.wait([self._task])


def _run_batch(works: list[Work[Any]], transaction: Callable[[list[Work[Any]]], list[Any]]) -> list[_Outcome]:
    """
    Run *works* in one transaction; if one of them fails, each in its own.

    When the database itself is in trouble all of them fail at once: sixty works that each wait ten
    seconds for a lock would keep the last sender waiting for ten minutes.
    """
    try:
        values = transaction(works)
    except Exception as error:  # noqa: BLE001 - handed to whoever waits for this work
        told = _told(error)
        if len(works) == 1 or _is_trouble(error, told):
            return [_Outcome(error=told)] * len(works)
    else:
        return [_Outcome(value) for value in values]
    return [outcome for work in works for outcome in _run_batch([work], transaction)]


class SqliteDatabase:
    """The embedded database. Everything blocking happens on its own threads, never on the event loop."""

    def __init__(self, url: str, tell: Tell, patience: float, clock: Clock) -> None:
        self.url = url
        self._tell = tell
        self._committed: set[str] = set()
        self._write_engine = sqlite_engine(url, patience, clock, connections=1, writing=True)
        self._read_engine = sqlite_engine(url, patience, clock, connections=READERS, writing=False)
        self._glance_engine = sqlite_engine(url, 0, clock, connections=READERS, writing=False)
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._mine = threading.local()
        self._connections: list[Connection] = []
        self._writer = _Writer(self._commit)

    async def read(self, work: Work[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._read_threads, self._read, work, self._read_engine)

    async def glance(self, work: Work[T]) -> T:
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
            raise _told(error) from error

    def _connection(self, engine: Engine) -> Connection:
        """This thread's own: borrowing one for each question would cost more than a short question does."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = engine.connect()
            self._connections.append(self._mine.connection)
        connection: Connection = self._mine.connection
        return connection

    async def write(self, work: Work[T]) -> T:
        return await self._writer.write(work)

    async def write_relaxed(self, work: Work[T]) -> T:
        return await self.write(work)  # no row of the embedded database is locked by anybody for long

    async def _commit(self, works: list[Work[Any]]) -> list[_Outcome]:
        loop = asyncio.get_running_loop()
        outcomes = await loop.run_in_executor(self._write_thread, _run_batch, works, self._transaction)
        topics, self._committed = self._committed, set()
        self._tell(topics)
        return outcomes

    def _transaction(self, works: list[Work[Any]]) -> list[Any]:
        connection = self._connection(self._write_engine)
        try:
            with connection.begin():
                values, topics = changes.run(connection, works)
        except BaseException:
            connection.connection.rollback()  # SQLite keeps a transaction open whose commit it refused
            raise
        self._committed |= topics  # only now: what was rolled back is told to nobody
        return values

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


class PostgresDatabase:
    """PostgreSQL, shared by any number of processes. Each has one writing connection and a pool of readers."""

    def __init__(self, url: str, tell: Tell, patience: float) -> None:
        self.url = url
        self._tell = tell
        self._patience = patience
        asynchronous = make_url(url).set(drivername="postgresql+asyncpg")
        self._write_engine = _postgres_engine(asynchronous, patience, pool_size=1)
        self._read_engine = _postgres_engine(
            asynchronous, patience, pool_size=READERS + 2, isolation_level="AUTOCOMMIT"
        )
        self._relaxed_engine = _postgres_engine(
            asynchronous,
            min(patience, _RELAXED_PATIENCE),
            pool_size=1,
            isolation_level="AUTOCOMMIT",
            settings={"synchronous_commit": "off"},
        )
        self._writer = _Writer(self._commit)

    async def read(self, work: Work[T]) -> T:
        try:
            async with self._connected(self._read_engine) as connection:
                return await connection.run_sync(work)
        except Exception as error:
            raise _told(error) from error

    async def glance(self, work: Work[T]) -> T:
        return await self.read(work)

    async def write_relaxed(self, work: Work[T]) -> T:
        try:
            async with self._connected(self._relaxed_engine) as connection:
                return await connection.run_sync(work)
        except Exception as error:
            raise _told(error) from error

    async def write(self, work: Work[T]) -> T:
        return await self._writer.write(work)

    async def _commit(self, works: list[Work[Any]]) -> list[_Outcome]:
        # No savepoint per work: that costs six times as much as running the few failed batches again.
        try:
            values = await self._transaction(works)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for this work
            told = _told(error)
            if len(works) == 1 or _is_trouble(error, told):
                return [_Outcome(error=told)] * len(works)
        else:
            return [_Outcome(value) for value in values]
        return [outcome for work in works for outcome in await self._commit([work])]

    async def _transaction(self, works: list[Work[Any]]) -> list[Any]:
        async with self._connected(self._write_engine) as connection, connection.begin():
            values, topics = await connection.run_sync(changes.run, works)
        if ACCESS in topics:  # all else comes back as a notification; this must be known before it is answered
            self._tell([ACCESS])
        return values

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """
        A connection of *engine*'s pool. That the server has none free just now is waited out, up to the patience.

        Other processes take and give back connections all the time; each of ours that is made is kept.
        """
        deadline = monotonic() + self._patience
        while True:
            connection = engine.connect()
            try:
                await connection.start()
            except Exception as error:
                if _sqlstate(error) != _TOO_MANY_CONNECTIONS or monotonic() > deadline:
                    raise
                await asyncio.sleep(_CONNECT_AGAIN_SECONDS)
            else:
                break
        try:
            yield connection
        finally:
            await connection.close()

    async def close(self) -> None:
        await self._writer.close()
        await self._write_engine.dispose()
        await self._read_engine.dispose()
        await self._relaxed_engine.dispose()


def _postgres_engine(
    url: Any, patience: float, settings: Mapping[str, str] | None = None, **options: Any
) -> AsyncEngine:
    waits = {"server_settings": {"lock_timeout": str(round(patience * 1000)), **(settings or {})}}
    return create_async_engine(
        url, max_overflow=0, pool_pre_ping=True, hide_parameters=True, connect_args=waits, **options
    )


# PostgreSQL, Appendix A: connection gone, refused, database missing, out of resources, lock not available, shutting
# down, disk, read-only.
_TROUBLE_STATES: Final = ("08", "28", "3D", "53", "55P03", "57", "58", "25006")
_UNKEEPABLE_STATE: Final = "22021"
_TOO_MANY_CONNECTIONS: Final = "53300"
_CONNECT_AGAIN_SECONDS: Final = 0.1


def _sqlstate(error: BaseException) -> str:
    """PostgreSQL's code behind *error*, "" without one."""
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")


def _is_trouble(error: Exception, told: Exception) -> bool:
    """True if *error*, *told* as it is, is trouble of the database itself, which is everybody's."""
    return told is not error and isinstance(told, Problem) and told.kind.retry


def _told(error: Exception) -> Exception:
    """
    *error* in the house's words: a database that is locked, full or gone is a Problem that may pass.

    PostgreSQL keeps no NUL in a text; who sent one hears that. Everything else, a violated constraint above
    all, stays what it is: that is the caller's business.
    """
    trouble = isinstance(error, OperationalError | InterfaceError | OSError | PoolTimeout)
    if isinstance(error, DBAPIError):
        state = _sqlstate(error)
        if state == _UNKEEPABLE_STATE:
            return Problem("invalid_request", "Invalid request", formErrors=["A text has a NUL in it"], fieldErrors={})
        trouble = trouble or error.connection_invalidated or state.startswith(_TROUBLE_STATES)
        trouble = trouble or type(error) is DatabaseError  # SQLite's for a file that is damaged, or no database
    if not trouble:
        return error
    problem = Problem("storage_unavailable", "The database cannot be reached just now")
    problem.__cause__ = error
    return problem
