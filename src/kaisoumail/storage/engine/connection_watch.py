"""Detects and cuts PostgreSQL sessions whose answer can no longer arrive."""

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

_CHECK_SECONDS: Final = 1.5
_LONG_SECONDS: Final = 2.0  # a session in use for longer is checked
_IDLE_SECONDS: Final = 2.5  # how long the server may wait for us while we wait for it
_STATES: Final = "SELECT pid, state = 'active', state_change FROM pg_stat_activity WHERE pid = ANY($1::int[])"
_log = structlog.get_logger("kaisoumail.storage")


@dataclass(eq=False, slots=True)
class _Use:
    """
    A *session* that has been in use *since* a monotonic time.

    *idle* is set while the server reports it idle: the server's time of that state, and when we first read it.
    """

    session: "asyncpg.Connection[Any]"
    since: float
    idle: tuple[datetime, float] | None = None


class ConnectionWatch:
    """
    Checks sessions that have been in use for long, over a new connection to the server at *url*.

    One that works, or waits for a lock, is left alone however long it takes: the server's own limits end it. One that
    the server does not know, or that waits for a statement of ours, will never answer; if the server cannot be
    reached, none will.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._uses: set[_Use] = set()
        self._next: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, session: "asyncpg.Connection[Any]") -> Iterator[None]:
        """Watch *session* inside the block, where statements wait for its answers."""
        use = _Use(session, monotonic())
        self._uses.add(use)
        if self._next is None:
            self._next = asyncio.get_running_loop().call_later(_CHECK_SECONDS, self._check)
        try:
            yield
        finally:
            self._uses.discard(use)

    async def close(self) -> None:
        if self._next is not None:
            self._next.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _check(self) -> None:
        self._next = asyncio.get_running_loop().call_later(_CHECK_SECONDS, self._check) if self._uses else None
        now = monotonic()
        long = [use for use in self._uses if now - use.since >= _LONG_SECONDS]
        if long and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._check_uses(long))

    async def _check_uses(self, uses: Sequence[_Use]) -> None:
        try:
            states = await self._states([use.session.get_server_pid() for use in uses])
        except OPEN_ERRORS as error:
            if sqlstate(error) == TOO_MANY_CONNECTIONS:
                return  # the server is there, and has no free connection
            for use in uses:
                self._cut(use, reason(error))
            return
        for use in uses:
            self._cut_if_dead(use, states.get(use.session.get_server_pid()))

    async def _states(self, pids: Sequence[int]) -> dict[int, tuple[bool, datetime]]:
        connection = await connect(self._url)
        try:
            with cut_after(ANSWER_SECONDS, connection):
                return {pid: (works, changed) for pid, works, changed in await connection.fetch(_STATES, pids)}
        finally:
            connection.terminate()

    def _cut_if_dead(self, use: _Use, state: tuple[bool, datetime] | None) -> None:
        if state is None:
            return self._cut(use, "the server does not know it")
        works, changed = state
        if works:
            use.idle = None
        elif use.idle is None or use.idle[0] != changed:
            use.idle = (changed, monotonic())
        elif monotonic() - use.idle[1] >= _IDLE_SECONDS:
            self._cut(use, "the server has answered already, or never received the statement")
        return None

    def _cut(self, use: _Use, why: str) -> None:
        if use in self._uses:
            _log.warning("database.connection_cut", reason=why)
            use.session.terminate()
