"""The HTTP listener alone, on a loop of its own, with an application that says what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvloop

from kaisoumail.http import server
from kaisoumail.http.limits import HttpLimits, RequestBounds
from kaisoumail.network.connection_budget import ConnectionBudget, ConnectionLimits

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = 8_000_000


@dataclass
class Listener:
    """A listener that answers; *held* answers of `/hold` when it is set."""

    port: int
    limits: HttpLimits
    released: asyncio.Event = field(default_factory=asyncio.Event)
    bodies: list[int] = field(default_factory=list)
    fields: list[list[bytes]] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)

    async def connect(self, address: str = "127.0.0.1") -> "Connection":
        connected = await asyncio.open_connection("127.0.0.1", self.port, limit=2**26, local_addr=(address, 0))
        return Connection(*connected)

    async def ask(self, request: bytes = GET) -> bytes:
        """All that is answered to *request* until the connection ends."""
        async with self.connected() as connection:
            connection.writer.write(request)
            return await connection.rest()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Connection"]:
        connection = await self.connect()
        try:
            yield connection
        finally:
            await connection.close()

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Returns once *is_true*: the listener notices the end of a connection a moment after we do."""
        async with asyncio.timeout(20):
            while not is_true():  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.005)


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: bytes = b""

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        with suppress(ConnectionError):
            await self.writer.drain()

    async def head(self) -> bytes:
        """Status line and header fields of the next answer; its body is read over."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await asyncio.wait_for(self.reader.readexactly(length), 20)
        return head

    async def rest(self) -> bytes:
        """What still comes until the end; a reset is an end."""
        heard, self.heard = self.heard, b""
        with suppress(ConnectionError):
            while piece := await asyncio.wait_for(self.reader.read(65536), 20):
                heard += piece
        return heard

    async def flood(self, piece: bytes, most: int) -> int:
        """Send *piece* again and again until something is answered or *most* bytes are sent; how many that were."""
        sent = 0
        answer = asyncio.create_task(self.reader.read(65536))
        with suppress(ConnectionError):
            while sent < most and not answer.done():
                self.writer.write(piece)
                await asyncio.wait_for(self.writer.drain(), 20)
                sent += len(piece)
                await asyncio.sleep(0)
        with suppress(ConnectionError):
            self.heard = await asyncio.wait_for(answer, 20)
        return sent

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


def listening(
    story: Callable[[Listener], Awaitable[None]],
    bounds: RequestBounds | None = None,
    connections: ConnectionLimits | None = None,
) -> None:
    """Runs *story* against a listener with these limits; afterwards no connection may be counted any more."""

    async def run() -> None:
        limits = HttpLimits(
            ConnectionBudget(connections or ConnectionLimits()), bounds=bounds or RequestBounds(check=0.01)
        )
        socket = server.listen("127.0.0.1", 0)
        listener = Listener(socket.getsockname()[1], limits)
        async with server.serving(_application(listener), socket, limits, listener.released.set):
            await asyncio.wait_for(story(listener), 60)
            await listener.until(lambda: limits.budget.open == 0 and limits.refused == 0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def left_open(requests: list[bytes]) -> list[bytes]:
    """What clients hear that are in the midst of *requests*, which nobody waited for, when the listener ends."""

    async def run() -> list[bytes]:
        limits = HttpLimits(bounds=RequestBounds(check=0.01))
        socket = server.listen("127.0.0.1", 0)
        listener = Listener(socket.getsockname()[1], limits)
        async with server.serving(_application(listener), socket, limits, listener.released.set):
            connections = [await listener.connect() for _ in requests]
            for connection, request in zip(connections, requests, strict=True):
                await connection.say(request)
            await listener.until(lambda: limits.budget.open == len(requests))
        heard = [await connection.rest() for connection in connections]
        for connection in connections:
            await connection.close()
        return heard

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def _application(listener: Listener) -> Callable[[Any, Any, Any], Awaitable[None]]:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        listener.begun.append(path)
        if path == "/not-signed":
            scope["state"]["is_signed"] = False
        if path == "/known":
            scope["state"]["principal"] = "somebody"
        if path == "/hold":
            await listener.released.wait()
        if path == "/fields":
            while (await receive()).get("more_body"):
                pass
            listener.fields.append([name for name, _ in scope["headers"]])
        if path == "/read":
            size, more = 0, True
            while more:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
            listener.bodies.append(size)
        body = b"x" * (LARGE if path == "/large" else 2)
        fields = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    return application
