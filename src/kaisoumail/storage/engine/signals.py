"""
Telling those who wait: "something happened under this topic".

A signal carries no data and may be doubled; whoever is woken looks in the database. So the rule for
a waiter is: listen first, look second, and nothing is missed. In one process a signal is a method
call; over PostgreSQL it travels by LISTEN/NOTIFY to every process.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

CHANNEL: Final = "kaisoumail_signals"
EVERYTHING: Final = "everything"
ACCESS: Final = "access"  # who may do what is not as it was


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

    @property
    def is_connected(self) -> bool:
        """False while what other processes tell is not heard here."""
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

    @property
    def is_connected(self) -> bool:
        return True

    async def close(self) -> None:
        return None
