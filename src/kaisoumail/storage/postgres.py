"""PostgreSQL behind the calls of `database.py`: asyncpg driven through `run_sync`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any, Final

import asyncpg
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kaisoumail.storage import changes
from kaisoumail.storage.batch_writer import BatchWriter, Outcome, T, Tell, Work
from kaisoumail.storage.database_errors import TOO_MANY_CONNECTIONS, as_problem, is_trouble, sqlstate
from kaisoumail.storage.open_errors import OPEN_ERRORS
from kaisoumail.storage.postgres_sessions import ANSWER_SECONDS, connect, cut_after
from kaisoumail.storage.signals import ACCESS

READERS: Final = 5
_RELAXED_PATIENCE: Final = 0.25  # seconds for a lock: all who write so share a connection
_CONNECT_AGAIN_SECONDS: Final = 0.1


class PostgresDatabase:
    """PostgreSQL, shared by any number of processes. Each has one writing connection and a pool of readers."""

    def __init__(self, url: str, tell: Tell, patience: float) -> None:
        self.url = url
        self._tell = tell
        self._patience = patience
        place = make_url(url)
        self._write_engine = _postgres_engine(place, patience, pool_size=1)
        self._read_engine = _postgres_engine(place, patience, pool_size=READERS, isolation_level="AUTOCOMMIT")
        self._relaxed_engine = _postgres_engine(
            place,
            min(patience, _RELAXED_PATIENCE),
            pool_size=1,
            isolation_level="AUTOCOMMIT",
            settings={"synchronous_commit": "off"},
        )
        self._writer = BatchWriter(self._commit)

    async def read(self, work: Work[T]) -> T:
        try:
            async with self._connected(self._read_engine) as connection:
                return await connection.run_sync(work)
        except Exception as error:
            raise as_problem(error) from error

    async def glance(self, work: Work[T]) -> T:
        return await self.read(work)

    async def write_relaxed(self, work: Work[T]) -> T:
        try:
            async with self._connected(self._relaxed_engine) as connection:
                return await connection.run_sync(work)
        except Exception as error:
            raise as_problem(error) from error

    async def write(self, work: Work[T]) -> T:
        return await self._writer.write(work)

    async def _commit(self, works: list[Work[Any]]) -> list[Outcome]:
        # No savepoint per work: that costs six times as much as running the few failed batches again.
        try:
            values = await self._transaction(works)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for this work
            told = as_problem(error)
            if len(works) == 1 or is_trouble(error, told):
                return [Outcome(error=told)] * len(works)
        else:
            return [Outcome(value) for value in values]
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
                if sqlstate(error) != TOO_MANY_CONNECTIONS or monotonic() > deadline:
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
    url: URL, patience: float, settings: Mapping[str, str] | None = None, **options: Any
) -> AsyncEngine:
    limits = {"lock_timeout": str(round(patience * 1000)), **(settings or {})}
    engine = create_async_engine(
        "postgresql+asyncpg://",  # for the dialect alone: the URL is read by who connects
        async_creator=partial(connect, url, limits),
        max_overflow=0,
        hide_parameters=True,
        **options,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def ping(connection: Any, _record: Any, _proxy: Any) -> None:
        """SQLAlchemy's own ping would wait for ever for a server that is silent, and takes three round trips."""
        try:
            connection.run_async(_ping)
        except OPEN_ERRORS as error:
            raise DisconnectionError from error

    return engine


async def _ping(session: "asyncpg.Connection[Any]") -> None:
    with cut_after(ANSWER_SECONDS, session):
        await session.fetchrow(";")
