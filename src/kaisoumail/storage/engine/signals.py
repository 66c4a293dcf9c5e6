"""
Waking waiters by topic when something changed.

A signal carries no data and may be duplicated; a waiter that is woken queries the database. So a waiter
first listens, then queries, and nothing is missed. In one process a signal is a method call; with
PostgreSQL it reaches every process by LISTEN/NOTIFY.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

CHANNEL: Final = "kaisoumail_signals"
EVERYTHING: Final = "everything"
ACCESS: Final = "access"  # who may do what has changed


def mailbox_topic(mailbox_id: str) -> str:
    """The topic for a message in this mailbox, or a change of the mailbox itself."""
    return f"mailbox:{mailbox_id}"


def user_topic(user_id: str) -> str:
    """The topic for a change of anything this user owns."""
    return f"user:{user_id}"


class Listener:
    """One waiter on some topics. Signals that arrive between two calls of `woken` count as one."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self.is_over = False

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        """Wake the waiter for the last time: the process is about to stop."""
        self.is_over = True
        self._woken.set()

    async def woken(self, seconds: float) -> bool:
        """True once a topic was signalled since the last call; False after *seconds* without one, or at the end."""
        if self.is_over:
            return False
        try:
            # Not wait_for, which before Python 3.12 may swallow a cancellation (gh-86296).
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return not self.is_over


class Signals(Protocol):
    """The interface of local and PostgreSQL signals."""

    def listening(self, *topics: str) -> AbstractAsyncContextManager[Listener]:
        """A listener that receives *topics* from the moment the block is entered."""
        ...

    def when(self, topic: str, act: Callable[[], None]) -> None:
        """Call *act* whenever *topic* is signalled, by any process, and when a signal may have been missed."""
        ...

    def wake(self, topics: Iterable[str]) -> None:
        """Wake the listeners of any of *topics*, in this process alone."""
        ...

    def end(self) -> None:
        """End every listener, present and future: the process is about to stop."""
        ...

    @property
    def waiting(self) -> int:
        """How many listeners this process has now."""
        ...

    @property
    def is_connected(self) -> bool:
        """False while signals of other processes do not arrive."""
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
                listeners = self._listeners[topic]
                listeners.discard(listener)
                if not listeners:
                    del self._listeners[topic]

    def when(self, topic: str, act: Callable[[], None]) -> None:
        self._acts.setdefault(topic, []).append(act)

    def wake(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for act in self._acts.get(topic, ()):
                act()
            for listener in self._listeners.get(topic, ()):
                listener.wake()

    def wake_all(self) -> None:
        """Wake every listener: while a connection was lost, signals may have been missed."""
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

    @property
    def is_connected(self) -> bool:
        return True

    async def close(self) -> None:
        return None
