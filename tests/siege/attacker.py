"""What an attack is made of: connections from addresses of its own, as many and as fast as it states."""

import asyncio
import json
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Final

_PIECE: Final = 64 * 1024
_SMALL_WINDOW: Final = 2048
_BETWEEN_CONNECTIONS: Final = 0.01  # seconds, for each of the connections
ATTACKER: Final = "127.0.0.66"


class Refused(Exception):
    """The server answered, and the answer was a refusal."""


@dataclass(frozen=True)
class Target:
    """What a stranger knows of the server: its ports, addresses that receive mail, and one hand-over that was seen."""

    smtp_port: int
    http_port: int = 0
    starttls: bool = False
    recipient: str = "open@mail.customer.com"
    recipients: tuple[str, ...] = ()
    seen_headers: dict[str, str] = field(default_factory=dict)
    seen_body: str = ""
    key: str = ""


@dataclass(frozen=True)
class Attack:
    """
    *one* is the life of one connection, begun again when it ends; *connections* of them run at once.

    *megabits* a second is what all of them send at most. With *is_spread* they come from sixteen addresses.
    *finding* is the row of the findings that it repeats.
    """

    one: "Callable[[Client], Awaitable[None]]"
    connections: int = 16
    megabits: float = 10.0
    is_spread: bool = False
    finding: str = ""

    def __post_init__(self) -> None:
        assert self.connections <= 16 or self.megabits <= 10, "stronger than what the server is asked to withstand"

    @property
    def name(self) -> str:
        return self.one.__name__.replace("_", " ")


@dataclass
class Tally:
    """What an attack did, so that one that did nothing is seen."""

    opened: int = 0
    refused: int = 0  # could not connect, or was told to go away
    hung_up: int = 0
    sent: int = 0
    answers: Counter[int] = field(default_factory=Counter)

    def as_json(self) -> str:
        return json.dumps(vars(self))


class RateLimit:
    """Bytes a second, for all connections together."""

    def __init__(self, megabits: float) -> None:
        self._per_second = megabits * 1e6 / 8
        self._free_at = time.monotonic()

    async def take(self, count: int) -> None:
        now = time.monotonic()
        self._free_at = max(now - 0.05, self._free_at) + count / self._per_second
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


class Connection:
    """One TCP connection to the server."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: RateLimit, tally: Tally
    ) -> None:
        self.reader = reader
        self._writer = writer
        self._limit = limit
        self._tally = tally

    async def send(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            await self._limit.take(len(piece))
            self._writer.write(piece)
            await self._writer.drain()
            self._tally.sent += len(piece)

    async def endless(self, data: bytes, pause: float = 0.0) -> None:
        """Send *data* again and again until the server hangs up."""
        while True:
            await self.send(data)
            if pause:
                await asyncio.sleep(pause)

    async def slowly(self, data: bytes, pause: float = 1.0) -> None:
        """Send *data* byte by byte."""
        for number in range(len(data)):
            await self.send(data[number : number + 1])
            await asyncio.sleep(pause)

    async def reply(self) -> int:
        """The code of the next SMTP reply. Raises Refused for 421."""
        while True:
            line = await self.reader.readuntil(b"\n")
            if line[3:4] != b"-":
                break
        code = int(line[:3])
        self._tally.answers[code] += 1
        if code == 421:
            raise Refused(line)
        return code

    async def command(self, line: bytes) -> int:
        """The code that *line* is answered with."""
        await self.send(line + b"\r\n")
        return await self.reply()

    async def envelope(self, *recipients: str) -> int:
        """MAIL and RCPT; the code of the last reply."""
        code = await self.command(b"MAIL FROM:<stranger@attack.example>")
        for recipient in recipients:
            code = await self.command(f"RCPT TO:<{recipient}>".encode())
        return code

    async def message(self, recipients: Sequence[str], *pieces: bytes) -> int:
        """A whole message by DATA; the code of its reply. Raises Refused when it is not wanted."""
        await self.envelope(*recipients)
        if await self.command(b"DATA") != 354:
            raise Refused("DATA")
        for piece in pieces:
            await self.send(piece)
        return await self.command(b"\r\n.")

    async def status(self) -> int:
        """The status of the next HTTP answer, when it has come whole."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        self._tally.answers[status] += 1
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:") and status != 304:
                await self.reader.readexactly(int(line[15:]))
        if status in (429, 503):
            raise Refused(head)
        return status

    async def until_closed(self) -> None:
        """Say nothing, and take what comes, until the server hangs up."""
        while await self.reader.read(_PIECE):
            pass

    async def read_slowly(self) -> None:
        """Take what fits into the window once a second, until the server hangs up."""
        answer = b"begun"
        while answer:
            await asyncio.sleep(1)
            answer = await self.reader.read(1)

    def reset(self) -> None:
        """End with a RST in place of a FIN."""
        connected: socket.socket = self._writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def half_close(self) -> None:
        self._writer.write_eof()

    async def start_tls(self) -> None:
        await self._writer.start_tls(unverified_tls())

    def close(self) -> None:
        self._writer.transport.abort()


@cache
def unverified_tls() -> ssl.SSLContext:
    """The client's side of TLS for whoever does not care whom it talks to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client:
    """Where one of the attack's connections is opened from."""

    def __init__(self, target: Target, address: str, limit: RateLimit, tally: Tally) -> None:
        self.target = target
        self.address = address
        self._limit = limit
        self._tally = tally
        self._count = 0

    def number(self) -> int:
        """Another one with each call."""
        self._count += 1
        return self._count

    def field(self) -> bytes:
        """A header line that no message had before: a message that is repeated costs less."""
        return f"X-Number: {id(self)} {self.number()}\r\n".encode()

    @asynccontextmanager
    async def connection(self, port: int, *, reads: bool = True) -> AsyncIterator[Connection]:
        """A connection to *port*; without *reads* hardly anything fits in between before it is read."""
        raw = socket.socket()
        raw.setblocking(False)
        if not reads:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_WINDOW)
        raw.bind((self.address, 0))
        async with AsyncExitStack() as opened:
            opened.callback(raw.close)
            async with asyncio.timeout(10):
                await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=raw, limit=2**20 if reads else 1)
            self._tally.opened += 1
            opened.pop_all()
            connection = Connection(reader, writer, self._limit, self._tally)
            try:
                yield connection
            finally:
                connection.close()

    @asynccontextmanager
    async def http(self, *, reads: bool = True) -> AsyncIterator[Connection]:
        async with self.connection(self.target.http_port, reads=reads) as connection:
            yield connection

    @asynccontextmanager
    async def smtp(self, *, reads: bool = True) -> AsyncIterator[Connection]:
        """A connection that has been greeted, over TLS if the target is attacked over TLS."""
        async with self.connection(self.target.smtp_port, reads=reads) as connection:
            await connection.reply()
            await connection.command(b"EHLO attack.example")
            if self.target.starttls:
                await connection.command(b"STARTTLS")
                await connection.start_tls()
                await connection.command(b"EHLO attack.example")
            yield connection


async def _again_and_again(attack: Attack, client: Client, tally: Tally) -> None:
    while True:
        try:
            await attack.one(client)
        except Refused:
            tally.refused += 1
        except ConnectionRefusedError:
            tally.refused += 1
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            tally.hung_up += 1
        await asyncio.sleep(_BETWEEN_CONNECTIONS)


async def run(attack: Attack, target: Target, seconds: float) -> Tally:
    """Attack for so long; what was done."""
    limit, tally = RateLimit(attack.megabits), Tally()
    spread = [f"127.0.1.{number}" for number in range(1, 17)]
    addresses = [spread[number % 16] if attack.is_spread else ATTACKER for number in range(attack.connections)]
    print("begun", flush=True)
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as connections:
            for address in addresses:
                connections.create_task(_again_and_again(attack, Client(target, address, limit, tally), tally))
    except TimeoutError:
        pass
    return tally
