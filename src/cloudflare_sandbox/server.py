"""Starts and stops the sandbox: one HTTP listener, one SMTP listener, one event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvicorn

from cloudflare_sandbox import tokens
from cloudflare_sandbox.app import Application
from cloudflare_sandbox.faults import PREFIX
from cloudflare_sandbox.mx import MailServer
from cloudflare_sandbox.sandbox import Sandbox
from cloudflare_sandbox.state import ACCOUNT_ID, StateFile

_SHUTDOWN_SECONDS: Final = 1


@dataclass(frozen=True)
class Running:
    """A running sandbox. *api_url* stands for Cloudflare's `https://…/client/v4`."""

    url: str
    smtp_port: int
    _sandbox: Sandbox = field(repr=False)

    @property
    def api_url(self) -> str:
        return f"{self.url}{PREFIX}"

    @property
    def account_id(self) -> str:
        return ACCOUNT_ID

    def mint_token(
        self, *, kind: str = "user", permissions: Sequence[str] = (), zones: str | Sequence[str] = "all"
    ) -> str:
        """
        A new API token. *permissions* by their API names ("Zone Write"; Write includes Read), *zones* "all" or names.

        Raises ValueError for an unknown kind or permission. Call it in the thread of the event loop.
        """
        secret = tokens.mint(self._sandbox.state, kind, permissions, zones)
        self._sandbox.save()
        return secret


@asynccontextmanager
async def running(
    host: str = "127.0.0.1", port: int = 0, smtp_port: int = 0, state_file: Path | None = None
) -> AsyncIterator[Running]:
    """
    A sandbox that answers inside the block and is stopped cleanly after it. Port 0 selects a free port.

    Raises OSError naming the port or the state file that cannot be used; then nothing stays open.
    """
    file = StateFile(state_file)
    sandbox = Sandbox(file, file.load())
    async with AsyncExitStack() as stack:
        http_listener = _listen(host, port)
        stack.callback(http_listener.close)
        smtp_listener = _listen(host, smtp_port)
        stack.callback(smtp_listener.close)
        await stack.enter_async_context(_mail(sandbox, smtp_listener))
        await stack.enter_async_context(_http(sandbox, http_listener))
        shown_host = f"[{host}]" if ":" in host else host
        yield Running(f"http://{shown_host}:{_port(http_listener)}", _port(smtp_listener), sandbox)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process that started it decides when to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _http(sandbox: Sandbox, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        Application(sandbox),
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        # Asked to stop before it has started, uvicorn would leave its listener open.
        await server.ready.wait()
        yield
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def _mail(sandbox: Sandbox, listener: socket.socket) -> AsyncIterator[None]:
    mail = MailServer(sandbox)
    server = await asyncio.get_running_loop().create_server(mail.connection, sock=listener)
    try:
        yield
    finally:
        server.close()
        await mail.close()
        await server.wait_closed()


def _listen(host: str, port: int) -> socket.socket:
    # Without the protocol named, asyncio leaves Nagle's algorithm on and every answer takes 40 ms more.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise OSError(f"Port {port} on {host} cannot be used: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
