"""
PostgreSQL sessions with the limits this product needs.

The limits are sent when connecting and do not depend on `postgresql.conf`: a process that is paused or whose host is
gone loses its row locks within 5 s, and a half-open connection is closed at both ends.
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
"""The longest a server may take to answer a trivial statement; after that it counts as gone."""
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
# libpq's names for the limits of the client's socket; asyncpg would send them to the server as settings.
_LIBPQ_OPTIONS: Final = {
    "connect_timeout": str(round(CONNECT_SECONDS)),
    "keepalives": "1",
    "keepalives_idle": str(_KEEPALIVE_IDLE),
    "keepalives_interval": str(_KEEPALIVE_INTERVAL),
    "keepalives_count": str(_KEEPALIVE_COUNT),
    "tcp_user_timeout": str(_UNACKNOWLEDGED_MS),
}
_SOCKET_OPTIONS: Final = {
    "TCP_KEEPIDLE": _KEEPALIVE_IDLE,
    "TCP_KEEPINTVL": _KEEPALIVE_INTERVAL,
    "TCP_KEEPCNT": _KEEPALIVE_COUNT,
    "TCP_USER_TIMEOUT": _UNACKNOWLEDGED_MS,
}


async def connect(url: URL, settings: Mapping[str, str] | None = None) -> "asyncpg.Connection[Any]":
    """
    A new session on the database at *url*, with our limits and *settings*.

    Raises Problem `storage_unavailable` for an invalid URL, a server that does not answer and a database that is not
    UTF8, and asyncpg's error for a server that refuses.
    """
    asyncpg_url = url.set(drivername="postgresql").difference_update_query(_LIBPQ_OPTIONS)
    connecting = asyncpg.connect(
        asyncpg_url.render_as_string(hide_password=False),
        timeout=CONNECT_SECONDS,
        server_settings=_LIMITS | dict(settings or {}),
        connection_class=_Session,
    )
    try:
        session = await _connect_or_close(connecting)
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
    """A PostgreSQL *url* with the same limits, for a program that connects by libpq; any other *url* unchanged."""
    parsed_url = make_url(url)
    if parsed_url.get_backend_name() != "postgresql":
        return url
    url_options = parsed_url.query.get("options", ())
    options = [
        *([url_options] if isinstance(url_options, str) else url_options),
        *(f"-c {name}={value}" for name, value in _LIMITS.items()),
    ]
    limited = parsed_url.update_query_dict({**_LIBPQ_OPTIONS, "options": " ".join(options)})
    return limited.render_as_string(hide_password=False)


@contextmanager
def cut_after(seconds: float, session: "asyncpg.Connection[Any]") -> Iterator[None]:
    """
    Cut the connection of *session* if the block takes longer than *seconds*.

    A statement waiting on it raises asyncpg's ConnectionDoesNotExistError at once: a cancelled wait would first ask
    the server to cancel the statement, and a silent server never answers that.
    """
    cut = asyncio.get_running_loop().call_later(seconds, session.terminate)
    try:
        yield
    finally:
        cut.cancel()


class _Session(asyncpg.Connection):
    """A connection whose socket detects a dead peer."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        limit_socket(transport.get_extra_info("socket"))


def limit_socket(connection: socket.socket) -> None:
    """Have the kernel close *connection* when its peer is silent for 5 s; a Unix socket needs no limit."""
    if connection.family == socket.AF_UNIX:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SOCKET_OPTIONS.items():
        if hasattr(socket, name):  # macOS lacks some
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _connect_or_close(connecting: Awaitable["asyncpg.Connection[Any]"]) -> "asyncpg.Connection[Any]":
    """The connection; when cancelled, closes it: asyncpg leaves the socket of a half-made connection open."""
    attempt = asyncio.ensure_future(connecting)
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        await asyncio.wait([attempt], timeout=_GRACE_SECONDS)
        if not attempt.cancel() and not attempt.cancelled() and attempt.exception() is None:
            attempt.result().terminate()
        raise
