"""Signals over LISTEN/NOTIFY, by one connection that is looked after for as long as the process lives."""

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

    It is asked for an answer every *probe* seconds and replaced when there is none; then everybody is woken to look
    again, since nobody knows what was missed.
    """

    def __init__(self, url: URL, probe: float = _PROBE_SECONDS, reconnect: float = _RECONNECT_SECONDS) -> None:
        self._url = url
        self._probe = probe
        self._reconnect = reconnect
        self._here = LocalSignals()
        self._connection: asyncpg.Connection[Any] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()

    async def open(self) -> "PostgresSignals":
        """Start to listen; raises OSError or asyncpg's own errors when the database is not there."""
        await self._connect()
        self._keeper = asyncio.create_task(self._keep())
        return self

    @asynccontextmanager
    async def listening(self, *topics: str) -> AsyncIterator[Listener]:
        async with self._here.listening(*topics) as listener:
            yield listener

    def when(self, topic: str, act: Callable[[], None]) -> None:
        self._here.when(topic, act)

    def wake(self, topics: Iterable[str]) -> None:
        self._here.wake(topics)

    def end(self) -> None:
        self._here.end()

    @property
    def waiting(self) -> int:
        return self._here.waiting

    @property
    def is_connected(self) -> bool:
        return self._connection is not None and not self._lost.is_set()

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._connection is not None:
            self._connection.terminate()  # not close(): it may be lost already, and has nothing left to say
            await asyncio.sleep(0)  # its socket is closed in the loop's next round

    async def _connect(self) -> None:
        connection = await connect(self._url)
        lost = asyncio.Event()  # its own: an earlier connection may still be told to have ended
        connection.add_termination_listener(lambda _: lost.set())
        try:
            with cut_after(ANSWER_SECONDS, connection):
                await connection.add_listener(CHANNEL, lambda _c, _pid, _channel, topic: self._here.wake([str(topic)]))
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

    async def _keep(self) -> None:
        while True:
            try:
                await self._look_after()
            except OPEN_ERRORS as error:
                _log.warning("signals.unreachable", reason=reason(error))
                await asyncio.sleep(self._reconnect)
            except Exception as error:  # noqa: BLE001 - without its keeper this process would be deaf until a restart
                _log.error("signals.crash", exc_info=error)
                await asyncio.sleep(self._reconnect)

    async def _look_after(self) -> None:
        """Return when the connection answered, or was replaced. Raises what connecting raises."""
        if await self._is_lost_within(self._probe) or not await self._answers():
            if self._connection is not None:
                self._connection.terminate()
            await self._connect()
            _log.info("signals.back")
            self._here.wake_all()

    async def _is_lost_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):  # wait_for of Python 3.11 may swallow that the keeper is cancelled
                return await self._lost.wait()
        except TimeoutError:
            return False


async def open_signals(database_url: str) -> Signals:
    """
    Signals that reach as far as the database does: this process for SQLite, all of them for PostgreSQL.

    Raises Problem `storage_unavailable` when there is no listening to it.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return LocalSignals()
    try:
        return await PostgresSignals(url).open()
    except OPEN_ERRORS as error:
        raise cannot_open(database_url, error) from error
