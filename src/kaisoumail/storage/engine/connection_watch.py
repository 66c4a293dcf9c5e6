"""Sessions of PostgreSQL whose answer cannot come any more are noticed and cut."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Final

import asyncpg
import structlog
from sqlalchemy import URL

from kaisoumail.storage.engine.database_errors import TOO_MANY_CONNECTIONS, sqlstate
from kaisoumail.storage.engine.open_errors import OPEN_ERRORS, reason
from kaisoumail.storage.engine.postgres_sessions import ANSWER_SECONDS, connect, cut_after

_LOOK_SECONDS: Final = 1.5
_LONG_SECONDS: Final = 2.0  # in use for longer, a session is asked about
_IDLE_SECONDS: Final = 2.5  # that the server has waited for us, while we wait for it
_STATES: Final = "SELECT pid, state = 'active', state_change FROM pg_stat_activity WHERE pid = ANY($1::int[])"
_log = structlog.get_logger("kaisoumail.storage")


@dataclass(eq=False, slots=True)
class _Use:
    """A *session* that somebody has used *since* then; *idle* is what the server last said of it, and when we asked."""

    session: "asyncpg.Connection[Any]"
    since: float
    idle: tuple[datetime, float] | None = None


class ConnectionWatch:
    """
    Asks the server at *url*, by a new connection, about sessions that have been in use for long.

    One that works, or waits for a lock, is left alone however long it takes: the server's own limits end it. One that
    the server does not know, or that waits for a question of ours, will never answer; without a server, none will.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._uses: set[_Use] = set()
        self._next: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, session: "asyncpg.Connection[Any]") -> Iterator[None]:
        """Inside the block an answer of *session* is waited for, now and again."""
        use = _Use(session, monotonic())
        self._uses.add(use)
        if self._next is None:
            self._next = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)
        try:
            yield
        finally:
            self._uses.discard(use)

    async def close(self) -> None:
        if self._next is not None:
            self._next.cancel()
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _look(self) -> None:
        self._next = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look) if self._uses else None
        now = monotonic()
        long = [use for use in self._uses if now - use.since >= _LONG_SECONDS]
        if long and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask(long))

    async def _ask(self, uses: Sequence[_Use]) -> None:
        try:
            states = await self._states([use.session.get_server_pid() for use in uses])
        except OPEN_ERRORS as error:
            if sqlstate(error) == TOO_MANY_CONNECTIONS:
                return  # there is a server, and it had no time for us
            for use in uses:
                self._cut(use, reason(error))
            return
        for use in uses:
            self._judge(use, states.get(use.session.get_server_pid()))

    async def _states(self, pids: Sequence[int]) -> dict[int, tuple[bool, datetime]]:
        asking = await connect(self._url)
        try:
            with cut_after(ANSWER_SECONDS, asking):
                return {pid: (works, changed) for pid, works, changed in await asking.fetch(_STATES, pids)}
        finally:
            asking.terminate()

    def _judge(self, use: _Use, state: tuple[bool, datetime] | None) -> None:
        if state is None:
            return self._cut(use, "the server does not know it")
        works, changed = state
        if works:
            use.idle = None
        elif use.idle is None or use.idle[0] != changed:
            use.idle = (changed, monotonic())
        elif monotonic() - use.idle[1] >= _IDLE_SECONDS:
            self._cut(use, "the server has answered, or never heard")
        return None

    def _cut(self, use: _Use, why: str) -> None:
        if use in self._uses:
            _log.warning("database.connection_cut", reason=why)
            use.session.terminate()
