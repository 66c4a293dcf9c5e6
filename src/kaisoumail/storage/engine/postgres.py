"""PostgreSQL as a `Database`: asyncpg driven through `run_sync`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any, Final

import asyncpg
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kaisoumail.errors import Problem
from kaisoumail.storage.engine import transactions
from kaisoumail.storage.engine.batch_writer import BatchWriter, Outcome, T, Wake, Work
from kaisoumail.storage.engine.connection_watch import ConnectionWatch
from kaisoumail.storage.engine.database_errors import (
    TOO_MANY_CONNECTIONS,
    as_problem,
    is_database_failure,
    is_locked,
    locked,
    sqlstate,
    unreachable,
)
from kaisoumail.storage.engine.lock_retries import LockRetries
from kaisoumail.storage.engine.open_errors import OPEN_ERRORS
from kaisoumail.storage.engine.postgres_sessions import ANSWER_SECONDS, connect, cut_after
from kaisoumail.storage.engine.signals import ACCESS

READERS: Final = 5
_LOCK_WAIT: Final = 0.5  # seconds: longer than a commit of ours takes, short for the other works of the batch
_NEXT_LOCK_WAIT: Final = "20ms"
_STATEMENT_SECONDS: Final = 60
_RELAXED_PATIENCE: Final = 0.25  # seconds for a lock: all relaxed writes share one connection
_CONNECT_AGAIN_SECONDS: Final = 0.1
_REFUSED_SECONDS: Final = 5.0  # so long after the server refused a connection, readiness reports it


class _LockedWork(Exception):
    """Work *number* of a transaction found a row locked."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _numbered(number: int, work: Work[Any]) -> Work[Any]:
    """*work*, which raises `_LockedWork` with its *number* when a lock stops it."""

    def run(connection: Connection) -> Any:
        try:
            return work(connection)
        except DBAPIError as error:
            if is_locked(error):
                raise _LockedWork(number) from error
            raise

    return run


class PostgresDatabase:
    """
    PostgreSQL, shared by any number of processes.

    Each has a writing connection, one for works that wait for a lock, one for relaxed writes, and a pool of readers.
    """

    def __init__(self, url: str, wake: Wake, patience: float) -> None:
        self.url = url
        self._wake = wake
        self.patience = patience
        parsed_url = make_url(url)
        in_batch = {"statement_timeout": _milliseconds(patience)}
        self._write_engine = _postgres_engine(parsed_url, min(patience, _LOCK_WAIT), pool_size=1, settings=in_batch)
        self._retry_engine = _postgres_engine(parsed_url, min(patience, _LOCK_WAIT), pool_size=1)
        self._read_engine = _postgres_engine(
            parsed_url,
            patience,
            pool_size=READERS,
            isolation_level="AUTOCOMMIT",
            settings={"default_transaction_read_only": "on"},
        )
        self._relaxed_engine = _postgres_engine(
            parsed_url,
            min(patience, _RELAXED_PATIENCE),
            pool_size=1,
            isolation_level="AUTOCOMMIT",
            settings={"synchronous_commit": "off"},
        )
        self._refused_at = float("-inf")
        self._watch = ConnectionWatch(parsed_url)
        self._writer = BatchWriter(self._commit)
        self._lock_retries = LockRetries(self._attempt, patience)

    async def read(self, work: Work[T]) -> T:
        try:
            async with self._connection(self._read_engine) as connection:
                return await connection.run_sync(work)
        except Exception as error:
            raise as_problem(error) from error

    async def read_inline(self, work: Work[T]) -> T:
        return await self.read(work)

    async def write_relaxed(self, work: Work[T]) -> T:
        try:
            async with self._connection(self._relaxed_engine) as connection:
                return await connection.run_sync(work)
        except Exception as error:
            raise as_problem(error) from error

    async def write(self, work: Work[T]) -> T:
        try:
            return await self._writer.write(work)
        except Problem as problem:
            if problem.code != "storage_locked":
                raise
        return await self._lock_retries.write(work)

    async def write_unless_locked(self, work: Work[T]) -> T:
        return await self._writer.write(work)

    async def write_when_unlocked(self, work: Work[T]) -> T:
        return await self._lock_retries.write(work)

    async def _commit(self, works: list[Work[Any]]) -> list[Outcome]:
        """The outcomes of *works*, run in one transaction; a work that finds a row locked drops out of it."""
        outcomes: dict[int, Outcome] = {}
        remaining = list(range(len(works)))
        deadline = monotonic() + self.patience
        while remaining:
            lock_wait = _NEXT_LOCK_WAIT if outcomes else None  # the waits of many locked works must not add up
            try:
                values = await self._transaction(self._write_engine, [works[n] for n in remaining], lock_wait)
            except _LockedWork as locked_work:
                outcomes[remaining.pop(locked_work.number)] = Outcome(error=locked())
            except Exception as error:  # noqa: BLE001 - raised to the callers of these works
                if is_locked(error) and monotonic() < deadline:
                    continue  # no work found it: another process holds the lock under which changes are numbered
                failed = await self._outcomes_after(error, [works[n] for n in remaining])
                outcomes |= zip(remaining, failed, strict=True)
                break
            else:
                outcomes |= {n: Outcome(value) for n, value in zip(remaining, values, strict=True)}
                break
        return [outcomes[n] for n in range(len(works))]

    async def _outcomes_after(self, error: Exception, works: list[Work[Any]]) -> list[Outcome]:
        """The outcomes of *works* after their transaction failed with *error*."""
        # No savepoint per work: that costs six times as much as running the few failed batches again.
        raised = as_problem(error)
        if len(works) == 1 or is_database_failure(error, raised):
            return [Outcome(error=raised)] * len(works)
        return [outcome for work in works for outcome in await self._commit([work])]

    async def _attempt(self, work: Work[Any]) -> Outcome:
        """The outcome of *work*, run in a transaction of its own."""
        try:
            [value] = await self._transaction(self._retry_engine, [work])
        except _LockedWork:
            return Outcome(error=locked())
        except Exception as error:  # noqa: BLE001 - raised to the callers of these works
            return Outcome(error=locked() if is_locked(error) else as_problem(error))
        return Outcome(value)

    async def _transaction(
        self, engine: AsyncEngine, works: list[Work[Any]], lock_wait: str | None = None
    ) -> list[Any]:
        numbered = [_numbered(number, work) for number, work in enumerate(works)]
        async with self._connection(engine) as connection, connection.begin():
            if lock_wait:
                await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{lock_wait}'")
            values, topics = await connection.run_sync(transactions.run, numbered)
        if ACCESS in topics:  # other topics come back as notifications; this one must act before the caller returns
            self._wake([ACCESS])
        return values

    @asynccontextmanager
    async def _connection(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """
        A connection of *engine*'s pool. While the server has none free, tries again for up to `patience` seconds.

        Other processes open and close connections all the time; one that we have opened stays in its pool.
        """
        deadline = monotonic() + self.patience
        while True:
            connection = engine.connect()
            try:
                await connection.start()
            except InvalidRequestError as error:  # from SQLAlchemy when the connection it reopened was lost at once
                raise unreachable() from error
            except Exception as error:
                if sqlstate(error) != TOO_MANY_CONNECTIONS:
                    raise
                self._refused_at = monotonic()
                if self._refused_at > deadline:
                    raise
                await asyncio.sleep(_CONNECT_AGAIN_SECONDS)
            else:
                break
        with self._watch.watching(_session_of(connection)):
            try:
                yield connection
            finally:
                await connection.close()

    @property
    def faults(self) -> list[str]:
        found = ["writer_stuck"] if self._writer.is_stuck else []
        if monotonic() - self._refused_at < _REFUSED_SECONDS:
            found.append("connections_exhausted")
        return found

    async def close(self) -> None:
        await self._writer.close()
        await self._lock_retries.close()
        await self._write_engine.dispose()
        await self._retry_engine.dispose()
        await self._read_engine.dispose()
        await self._relaxed_engine.dispose()
        await self._watch.close()


def _session_of(connection: AsyncConnection) -> "asyncpg.Connection[Any]":
    sync_connection = connection.sync_connection
    assert sync_connection is not None
    session: asyncpg.Connection[Any] = sync_connection.connection.driver_connection  # type: ignore[assignment]
    return session


def _postgres_engine(
    url: URL, patience: float, settings: Mapping[str, str] | None = None, **options: Any
) -> AsyncEngine:
    limits = {
        "lock_timeout": _milliseconds(patience),
        "statement_timeout": f"{_STATEMENT_SECONDS}s",
        **(settings or {}),
    }
    engine = create_async_engine(
        "postgresql+asyncpg://",  # for the dialect alone: `connect` uses the URL
        async_creator=partial(connect, url, limits),
        max_overflow=0,
        hide_parameters=True,
        **options,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def ping(connection: Any, _record: Any, _proxy: Any) -> None:
        """SQLAlchemy's own ping waits for ever for a server that does not answer, and takes three round trips."""
        try:
            connection.run_async(_ping)
        except OPEN_ERRORS as error:
            raise DisconnectionError from error

    return engine


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))  # PostgreSQL reads 0 as no limit


async def _ping(session: "asyncpg.Connection[Any]") -> None:
    with cut_after(ANSWER_SECONDS, session):
        await session.fetchrow(";")
