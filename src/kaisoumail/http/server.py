"""The HTTP listener: uvicorn with bounded connections, started and stopped by the caller."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final

import structlog
import uvicorn

from kaisoumail.http.limits import HttpLimits
from kaisoumail.http.protocol import BoundedHttpProtocol
from kaisoumail.network.listening import copies_of

_SHUTDOWN_SECONDS: Final = 10
_BACKLOG: Final = 1024
_log = structlog.get_logger("kaisoumail.http")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError when the port cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Because IPPROTO_TCP is given explicitly, asyncio switches Nagle's algorithm off, which delays small answers 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def serving(
    app: Any, listener: socket.socket, limits: HttpLimits, end_streams: Callable[[], None]
) -> AsyncIterator[None]:
    """Serves *app* inside the block; then *end_streams* ends long polls and streams, which would delay the shutdown."""
    config = uvicorn.Config(
        app,
        http=partial(BoundedHttpProtocol, limits),  # type: ignore[arg-type]  # called like a class
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # uvicorn would trust every peer on this host; ours are TRUSTED_PROXIES
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener, *copies_of([listener])]))
    checking = asyncio.create_task(_check_connections(server, limits.bounds.check))
    try:
        await server.ready.wait()
        yield
    finally:
        end_streams()
        server.should_exit = True
        await task
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the caller decides when to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _check_connections(server: uvicorn.Server, seconds: float) -> None:
    """Check all connections every *seconds*, instead of a timer for each phase of each request."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(seconds)
        for connection in tuple(server.server_state.connections):
            try:
                if isinstance(connection, BoundedHttpProtocol):
                    connection.check(loop.time())
            except Exception as error:  # noqa: BLE001 - a bug with one must not end the checks of all
                _log.error("http.check.crash", exc_info=error)
                connection.transport.abort()
