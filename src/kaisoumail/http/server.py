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
    copies = copies_of([listener])
    task = asyncio.create_task(server.serve(sockets=[listener, *copies]))
    checking = asyncio.create_task(_check_connections(server, limits.bounds.check))
    try:
        await _started(server, task)
        yield
    finally:
        end_streams()
        server.should_exit = True
        try:
            await task
        finally:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)
            for copy in copies:
                copy.close()  # uvicorn closes them only after it has started


async def _started(server: "_Server", task: "asyncio.Task[None]") -> None:
    """Returns once *server* accepts connections. Raises what ended its *task* before."""
    ready = asyncio.create_task(server.ready.wait())
    try:
        await asyncio.wait((ready, task), return_when=asyncio.FIRST_COMPLETED)
    finally:
        ready.cancel()
    if task.done():
        await task


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
                if connection.transport is not None:
                    loop.call_soon(connection.transport.abort)  # what it raises is logged by the loop
