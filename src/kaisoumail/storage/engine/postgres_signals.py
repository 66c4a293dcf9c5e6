"""Signals over LISTEN/NOTIFY, on one connection that is checked and replaced while the process lives."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import structlog
from sqlalchemy import URL, make_url

from kaisoumail.storage.engine.open_errors import OPEN_ERRORS, cannot_open, reason
from kaisoumail.storage.engine.postgres_sessions import ANSWER_SECONDS, connect, cut_after
from kaisoumail.storage.engine.signals import CHANNEL, Listener, LocalSignals, Signals

_PROBE_SECONDS: Final = 3.0
_RECONNECT_SECONDS: Final = 1.0
_log = structlog.get_logger("kaisoumail.signals")


class PostgresSignals:
    """
    Signals between processes. One connection listens for all waiters of this process.

    It is probed every *probe* seconds and replaced when it does not answer; then every listener is woken to query the
    database, because signals may have been lost.
    """

    def __init__(self, url: URL, probe: float = _PROBE_SECONDS, reconnect: float = _RECONNECT_SECONDS) -> None:
        self._url = url
        self._probe = probe
        self._reconnect = reconnect
        self._local = LocalSignals()
        self._connection: asyncpg.Connection[Any] | None = None
        self._maintenance: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()

    async def open(self) -> "PostgresSignals":
        """Start to listen. Raises Problem, OSError or asyncpg's errors when the database cannot be reached."""
        await self._connect()
        self._maintenance = asyncio.create_task(self._maintain())
        return self

    @asynccontextmanager
    async def listening(self, *topics: str) -> AsyncIterator[Listener]:
        async with self._local.listening(*topics) as listener:
            yield listener

    def when(self, topic: str, act: Callable[[], None]) -> None:
        self._local.when(topic, act)

    def wake(self, topics: Iterable[str]) -> None:
        self._local.wake(topics)

    def end(self) -> None:
        self._local.end()

    @property
    def waiting(self) -> int:
        return self._local.waiting

    @property
    def is_connected(self) -> bool:
        return self._connection is not None and not self._lost.is_set()

    async def close(self) -> None:
        if self._maintenance is not None:
            self._maintenance.cancel()
            await asyncio.gather(self._maintenance, return_exceptions=True)
        if self._connection is not None:
            self._connection.terminate()  # not close(): it may be lost already, and nothing is left to send
            await asyncio.sleep(0)  # its socket is closed in the next iteration of the event loop

    async def _connect(self) -> None:
        connection = await connect(self._url)
        lost = asyncio.Event()  # one per connection: the listener of an earlier one may still be called
        connection.add_termination_listener(lambda _: lost.set())
        try:
            with cut_after(ANSWER_SECONDS, connection):
                await connection.add_listener(CHANNEL, lambda _c, _pid, _channel, topic: self._local.wake([str(topic)]))
        except BaseException:
            connection.terminate()
            raise
        self._connection, self._lost = connection, lost

    async def _answers(self) -> bool:
        """True once the connection has answered a query; False if it is lost."""
        if self._connection is None or self._lost.is_set():
            return False
        try:
            with cut_after(ANSWER_SECONDS, self._connection):
                await self._connection.execute("SELECT 1")
        except OPEN_ERRORS as error:
            self._lose(error)
            return False
        return True

    def _lose(self, error: BaseException) -> None:
        if not self._lost.is_set():
            _log.warning("signals.lost", reason=reason(error))
            self._lost.set()

    async def _maintain(self) -> None:
        while True:
            try:
                await self._check()
            except OPEN_ERRORS as error:
                _log.warning("signals.unreachable", reason=reason(error))
                await asyncio.sleep(self._reconnect)
            except Exception as error:  # noqa: BLE001 - without this task no signal arrives until a restart
                _log.error("signals.crash", exc_info=error)
                await asyncio.sleep(self._reconnect)

    async def _check(self) -> None:
        """Return when the connection has answered or was replaced. Raises what connecting raises."""
        if await self._is_lost_within(self._probe) or not await self._answers():
            if self._connection is not None:
                self._connection.terminate()
            await self._connect()
            _log.info("signals.back")
            self._local.wake_all()

    async def _is_lost_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):  # Python 3.11's wait_for may swallow the cancellation of this task
                return await self._lost.wait()
        except TimeoutError:
            return False


async def open_signals(database_url: str) -> Signals:
    """
    The signals for *database_url*: within this process for SQLite, between all processes for PostgreSQL.

    Raises Problem `storage_unavailable` when it cannot listen to the database.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return LocalSignals()
    try:
        return await PostgresSignals(url).open()
    except OPEN_ERRORS as error:
        raise cannot_open(database_url, error) from error
