"""
A session of PostgreSQL as this product opens it.

Its limits are the session's own, sent with the connect and not left to `postgresql.conf`: a process that is paused or
whose host is gone loses its row locks within 5 s, and a connection that is half open ends by itself at both ends.
"""

import asyncio
import socket
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import asyncpg
from sqlalchemy import URL, make_url

from kaisoumail.errors import Problem

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 4.0
"""Longest that a server takes to answer what costs it nothing; who takes longer is not there."""
_GRACE_SECONDS: Final = 1.0
_KEEPALIVE_IDLE: Final = 2  # seconds of silence, then so many probes, so many seconds apart
_KEEPALIVE_INTERVAL: Final = 1
_KEEPALIVE_COUNT: Final = 3
_UNACKNOWLEDGED_MS: Final = 5000

# PostgreSQL 14 or later (config, "Client Connection Defaults" and "TCP Settings").
_LIMITS: Final = {
    "idle_in_transaction_session_timeout": "4000",
    "client_connection_check_interval": "2000",  # also while a statement waits for a lock
    "tcp_keepalives_idle": str(_KEEPALIVE_IDLE),
    "tcp_keepalives_interval": str(_KEEPALIVE_INTERVAL),
    "tcp_keepalives_count": str(_KEEPALIVE_COUNT),
    "tcp_user_timeout": str(_UNACKNOWLEDGED_MS),
}
# What libpq calls the limits of the client's own socket; asyncpg would send them to the server as settings.
_OF_LIBPQ: Final = {
    "connect_timeout": str(round(CONNECT_SECONDS)),
    "keepalives": "1",
    "keepalives_idle": str(_KEEPALIVE_IDLE),
    "keepalives_interval": str(_KEEPALIVE_INTERVAL),
    "keepalives_count": str(_KEEPALIVE_COUNT),
    "tcp_user_timeout": str(_UNACKNOWLEDGED_MS),
}
_OF_THE_SOCKET: Final = {
    "TCP_KEEPIDLE": _KEEPALIVE_IDLE,
    "TCP_KEEPINTVL": _KEEPALIVE_INTERVAL,
    "TCP_KEEPCNT": _KEEPALIVE_COUNT,
    "TCP_USER_TIMEOUT": _UNACKNOWLEDGED_MS,
}


async def connect(url: URL, settings: Mapping[str, str] | None = None) -> "asyncpg.Connection[Any]":
    """
    A new session on the database at *url*, with our limits and *settings*.

    Raises Problem `storage_unavailable` for a URL that means nothing, a server that does not answer and a database
    that is not UTF8, and whatever asyncpg raises for a server that refuses.
    """
    mine = url.set(drivername="postgresql").difference_update_query(_OF_LIBPQ)
    connecting = asyncpg.connect(
        mine.render_as_string(hide_password=False),
        timeout=CONNECT_SECONDS,
        server_settings=_LIMITS | dict(settings or {}),
        connection_class=_Session,
    )
    try:
        session = await _whole(connecting)
    except TimeoutError:
        raise Problem("storage_unavailable", f"it did not answer within {CONNECT_SECONDS:.0f} s") from None
    except ValueError as error:  # asyncpg's for a query it cannot read
        raise Problem("storage_unavailable", f"its URL cannot be read: {error}") from None
    encoding = session.get_settings().server_encoding
    if encoding != "UTF8":
        session.terminate()
        raise Problem(
            "storage_unavailable",
            f"its encoding is {encoding} and must be UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )
    return session


def with_limits_of_libpq(url: str) -> str:
    """The same limits in a URL of PostgreSQL, for a program that connects by libpq; any other URL as it is."""
    place = make_url(url)
    if place.get_backend_name() != "postgresql":
        return url
    given = place.query.get("options", ())
    options = [
        *([given] if isinstance(given, str) else given),
        *(f"-c {name}={value}" for name, value in _LIMITS.items()),
    ]
    limited = place.update_query_dict({**_OF_LIBPQ, "options": " ".join(options)})
    return limited.render_as_string(hide_password=False)


@contextmanager
def cut_after(seconds: float, session: "asyncpg.Connection[Any]") -> Iterator[None]:
    """
    Cut the connection of *session* if the block takes longer than *seconds*.

    Whoever waits for an answer on it hears asyncpg's ConnectionDoesNotExistError at once: a cancelled wait would first
    ask the server to cancel the statement, which is what a silent one never answers.
    """
    cut = asyncio.get_running_loop().call_later(seconds, session.terminate)
    try:
        yield
    finally:
        cut.cancel()


class _Session(asyncpg.Connection):
    """A connection whose socket notices that nobody is there."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        limit_socket(transport.get_extra_info("socket"))


def limit_socket(of: socket.socket) -> None:
    """Have the kernel end *of* when its other end says nothing for 5 s; a socket of this machine needs no limit."""
    if of.family == socket.AF_UNIX:
        return
    of.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OF_THE_SOCKET.items():
        if hasattr(socket, name):  # macOS has not all of them
            of.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


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
