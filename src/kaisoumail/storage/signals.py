"""
Telling those who wait: "something happened under this topic".

A signal carries no data and may be doubled; whoever is woken looks in the database. So the rule for
a waiter is: listen first, look second, and nothing is missed. In one process a signal is a method
call; over PostgreSQL it travels by LISTEN/NOTIFY to every process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol

import asyncpg
from sqlalchemy import make_url

from kaisoumail.storage.open_errors import OPEN_ERRORS, cannot_open

CHANNEL: Final = "kaisoumail_signals"
EVERYTHING: Final = "everything"
ACCESS: Final = "access"  # who may do what is not as it was
_RECONNECT_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 1.0


def mailbox_topic(mailbox_id: str) -> str:
    """Told when a mail comes into this mailbox, or it changes itself."""
    return f"mailbox:{mailbox_id}"


def user_topic(user_id: str) -> str:
    """Told when anything changes that this user owns."""
    return f"user:{user_id}"


class Listener:
    """One waiter on some topics. Signals that arrive while nobody waits are remembered, as one."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self.is_over = False

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        """The process is about to stop: nothing will come any more."""
        self.is_over = True
        self._woken.set()

    async def woken(self, seconds: float) -> bool:
        """True as soon as a topic was signalled since the last call; False after *seconds* without, or at the end."""
        if self.is_over:
            return False
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return False
        self._woken.clear()
        return not self.is_over


class Signals(Protocol):
    """What doors and operations see of either kind."""

    def listening(self, *topics: str) -> AbstractAsyncContextManager[Listener]:
        """A listener that hears *topics* from the moment the block is entered."""
        ...

    def when(self, topic: str, act: Callable[[], None]) -> None:
        """Call *act* whenever *topic* is told, by whichever process, and when something may have been missed."""
        ...

    async def tell(self, topic: str) -> None:
        """Wake everybody who listens to *topic*, in every process that shares the database."""
        ...

    def wake(self, topics: Iterable[str]) -> None:
        """Wake who listens to any of *topics* in this process alone."""
        ...

    def end(self) -> None:
        """Nobody waits any longer: who listens now or begins to is told that it is over."""
        ...

    @property
    def waiting(self) -> int:
        """How many listen in this process now."""
        ...

    async def close(self) -> None: ...


class LocalSignals:
    """Signals within one process."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = {}
        self._all: set[Listener] = set()
        self._acts: dict[str, list[Callable[[], None]]] = {}
        self._is_over = False

    @asynccontextmanager
    async def listening(self, *topics: str) -> AsyncIterator[Listener]:
        listener = Listener()
        if self._is_over:
            listener.end()
        self._all.add(listener)
        for topic in topics:
            self._listeners.setdefault(topic, set()).add(listener)
        try:
            yield listener
        finally:
            self._all.discard(listener)
            for topic in set(topics):
                heard = self._listeners[topic]
                heard.discard(listener)
                if not heard:
                    del self._listeners[topic]

    def when(self, topic: str, act: Callable[[], None]) -> None:
        self._acts.setdefault(topic, []).append(act)

    async def tell(self, topic: str) -> None:
        self.wake([topic])

    def wake(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for act in self._acts.get(topic, ()):
                act()
            for listener in self._listeners.get(topic, ()):
                listener.wake()

    def wake_all(self) -> None:
        """Wake every listener: after a lost connection nobody knows what was missed."""
        for acts in self._acts.values():
            for act in acts:
                act()
        for listener in self._all:
            listener.wake()

    def end(self) -> None:
        self._is_over = True
        for listener in self._all:
            listener.end()

    @property
    def waiting(self) -> int:
        return len(self._all)

    async def close(self) -> None:
        return None


class PostgresSignals:
    """Signals between processes. One connection listens for all waiters of this process, and reconnects."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._here = LocalSignals()
        self._connection: asyncpg.Connection[Any] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._speaking = asyncio.Lock()

    async def open(self) -> "PostgresSignals":
        """Start to listen; raises OSError or asyncpg's own errors when the database is not there."""
        self._connection = await self._connect()
        self._keeper = asyncio.create_task(self._keep())
        return self

    @asynccontextmanager
    async def listening(self, *topics: str) -> AsyncIterator[Listener]:
        async with self._here.listening(*topics) as listener:
            yield listener

    def when(self, topic: str, act: Callable[[], None]) -> None:
        self._here.when(topic, act)

    async def tell(self, topic: str) -> None:
        if self._connection is None or self._connection.is_closed():
            self._here.wake([topic])  # others look again when their connection is back
            return
        async with self._speaking:  # asyncpg answers one question at a time
            await self._connection.execute("SELECT pg_notify($1, $2)", CHANNEL, topic)

    def wake(self, topics: Iterable[str]) -> None:
        self._here.wake(topics)

    def end(self) -> None:
        self._here.end()

    @property
    def waiting(self) -> int:
        return self._here.waiting

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._connection is not None:
            self._connection.terminate()  # not close(): it may be lost already, and has nothing left to say
            await asyncio.sleep(0)  # its socket is closed in the loop's next round

    async def _connect(self) -> "asyncpg.Connection[Any]":
        dsn = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await _whole(asyncpg.connect(dsn))
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._lost.set())
        try:
            await connection.add_listener(CHANNEL, lambda _c, _pid, _channel, topic: self._here.wake([str(topic)]))
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _keep(self) -> None:
        while True:
            await self._lost.wait()
            await _until_it_works(self._reconnect)
            self._here.wake_all()

    async def _reconnect(self) -> None:
        self._connection = await self._connect()


async def _whole(connecting: Awaitable["asyncpg.Connection[Any]"]) -> "asyncpg.Connection[Any]":
    """The connection, or none at all: asyncpg forgets to close the socket of one that is cancelled half made."""
    attempt = asyncio.ensure_future(connecting)
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        await asyncio.wait([attempt], timeout=_GRACE_SECONDS)
        if not attempt.cancel() and not attempt.cancelled() and attempt.exception() is None:
            attempt.result().terminate()
        raise


async def _until_it_works(attempt: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await attempt()
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(_RECONNECT_SECONDS)


async def open_signals(database_url: str) -> Signals:
    """
    Signals that reach as far as the database does: this process for SQLite, all of them for PostgreSQL.

    Raises Problem `storage_unavailable` when there is no listening to it.
    """
    if make_url(database_url).get_backend_name() == "sqlite":
        return LocalSignals()
    try:
        return await PostgresSignals(database_url).open()
    except OPEN_ERRORS as error:
        raise cannot_open(database_url, error) from error
