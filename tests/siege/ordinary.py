"""
The ordinary clients that go on during an attack: two senders, a reader and a waiter, and what they are answered.

Each call uses a connection of its own, as those of real senders do, and a new one begins at its time whether or not the
one before was answered: who is slow hides nothing.
"""

import asyncio
import json
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from tests.builders import an_email
from tests.handing_over import signed

PATIENCE: Final = 30.0  # seconds after which an answer is no answer
_AT_ONCE: Final = 8
_WAIT: Final = 5  # seconds
_SENDER: Final = "ordinary@shop.example"


class NotServed(Exception):
    """An ordinary client was refused, or answered with something else than it asked for."""


@dataclass
class Latencies:
    """Of one client: the seconds until each answer was complete, and what else happened."""

    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def at(self, share: float) -> float:
        """The latency that this share of the answers did not exceed; 0 without any."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


@dataclass(frozen=True)
class Account:
    """The server as its ordinary clients know it; without an HTTP port there is only the sender by SMTP."""

    smtp_port: int
    http_port: int = 0
    key: str = ""
    address: str = "ada@mail.customer.com"
    mailbox_id: str = ""
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Ordinary:
    """The clients of one stretch of time: `run` them, then look at what they were told."""

    def __init__(self, account: Account, name: str) -> None:
        self._account = account
        self._name = name
        self._count = 0
        self._began: dict[str, float] = {}
        self._wait_began = 0.0
        self._newest: str | None = None
        self._cursor: str | None = None
        self._listing = True
        self.acknowledged: dict[str, float] = {}  # subjects, and when
        self.latencies = {kind: Latencies() for kind in ("smtp", "hand-over", "reader", "waiter")}

    async def prepare(self) -> None:
        """Note where the waiter begins."""
        if self._account.http_port:
            self._cursor = (await self._wait_answer(0)).headers["x-kaisoumail-cursor"]

    async def run(self, stopped: asyncio.Event) -> None:
        """Go on until *stopped*, and until everybody has had an answer or waited too long for it."""
        if not self._account.http_port:
            await self._repeat("smtp", 0.15, self._send_by_smtp, stopped)
            return
        waiter = asyncio.create_task(self._wait_for_messages(stopped))
        async with asyncio.TaskGroup() as clients:
            clients.create_task(self._repeat("smtp", 0.15, self._send_by_smtp, stopped))
            clients.create_task(self._repeat("hand-over", 0.2, self._hand_over, stopped))
            clients.create_task(self._repeat("reader", 0.1, self._read, stopped))
        if not self._is_owed_an_answer(time.perf_counter()):
            waiter.cancel()
        with suppress(asyncio.CancelledError):
            await waiter

    async def not_listed_once(self) -> list[str]:
        """The subjects that were acknowledged and are not in the list exactly once."""
        if not self._account.http_port:
            return []
        listed: Counter[str] = Counter()
        cursor = ""
        while True:
            path = f"/api/messages?mailbox={quote(self._account.address)}&limit=200{cursor}"
            page = json.loads((await self._asked("GET", path)).body)
            ours = [row["subject"] for row in page["messages"] if row["subject"].startswith(f"{self._name} ")]
            listed.update(ours)
            if not ours or page["nextCursor"] is None:
                return [subject for subject in self.acknowledged if listed[subject] != 1]
            cursor = f"&cursor={quote(page['nextCursor'])}"

    async def _repeat(
        self, kind: str, every: float, call: Callable[[], Awaitable[None]], stopped: asyncio.Event
    ) -> None:
        async with asyncio.TaskGroup() as calls:
            running: set[asyncio.Task[None]] = set()
            while not stopped.is_set():
                if len(running) < _AT_ONCE:
                    task = calls.create_task(self._timed(kind, call))
                    running.add(task)
                    task.add_done_callback(running.discard)
                await _pause(stopped, every)

    async def _timed(self, kind: str, call: Callable[[], Awaitable[None]]) -> None:
        began, latencies = time.perf_counter(), self.latencies[kind]
        try:
            async with asyncio.timeout(PATIENCE):
                await call()
        except NotServed as refused:
            latencies.failures[str(refused)] += 1
            return
        except TimeoutError:
            latencies.failures["no answer"] += 1
        except (OSError, asyncio.IncompleteReadError) as error:
            latencies.failures[type(error).__name__] += 1
            return
        latencies.seconds.append(time.perf_counter() - began)

    def _message(self, by: str) -> tuple[str, bytes]:
        self._count += 1
        subject = f"{self._name} {by} {self._count}"
        self._began[subject] = time.perf_counter()
        return subject, an_email(to=self._account.address, subject=subject, text="Your code is 482911.\n" * 20)

    async def _send_by_smtp(self) -> None:
        subject, raw = self._message("smtp")
        await send_by_smtp(self._account.smtp_port, self._account.address, raw, self._account.tls)
        self.acknowledged[subject] = time.perf_counter()

    async def _hand_over(self) -> None:
        subject, raw = self._message("handed over")
        headers = signed(self._account.address, raw, _SENDER)
        await self._asked("POST", "/api/inbound", headers, raw)
        self.acknowledged[subject] = time.perf_counter()

    async def _read(self) -> None:
        """The list, and with the next call the message at its top."""
        self._listing = not self._listing
        if self._newest is None or self._listing:
            path = f"/api/messages?mailbox={quote(self._account.address)}&limit=20"
            rows = json.loads((await self._asked("GET", path)).body)["messages"]
            self._newest = rows[0]["id"] if rows else None
        else:
            await self._asked("GET", f"/api/messages/{self._newest}")

    async def _wait_for_messages(self, stopped: asyncio.Event) -> None:
        """One wait after the other; a latency counts from the call or the message's first byte, what is later."""
        latencies = self.latencies["waiter"]
        while not stopped.is_set():
            self._wait_began = time.perf_counter()
            try:
                async with asyncio.timeout(PATIENCE):
                    answer = await self._wait_answer(_WAIT)
            except NotServed as refused:
                latencies.failures[str(refused)] += 1
                await _pause(stopped, 0.1)
                continue
            except TimeoutError:
                latencies.failures["no answer"] += 1
                latencies.seconds.append(PATIENCE)
                continue
            except (OSError, asyncio.IncompleteReadError) as error:
                latencies.failures[type(error).__name__] += 1
                await _pause(stopped, 0.1)
                continue
            self._cursor = answer.headers["x-kaisoumail-cursor"]
            if answer.status == 204:
                if self._is_owed_an_answer(self._wait_began + _WAIT - 1):
                    latencies.failures["not woken"] += 1
                continue
            subject = json.loads(answer.body)["message"]["subject"]
            latencies.seconds.append(time.perf_counter() - max(self._wait_began, self._began.get(subject, 0.0)))

    def _is_owed_an_answer(self, by: float) -> bool:
        """Whether a message was begun after the waiter asked, and acknowledged before *by*."""
        return any(self._began[subject] > self._wait_began and at < by for subject, at in self.acknowledged.items())

    async def _wait_answer(self, seconds: int) -> Answer:
        since = f"&since={self._cursor}" if self._cursor else ""
        return await self._asked("GET", f"/api/mailboxes/{self._account.mailbox_id}/wait?timeout={seconds}{since}")

    async def _asked(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        given = headers or {"authorization": f"Bearer {self._account.key}"}
        answer = await asked(self._account.http_port, method, path, given, body)
        if answer.status >= 400:
            raise NotServed(f"{answer.status} for {method} {path.partition('?')[0]}")
        return answer


async def _pause(stopped: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopped.wait()
    except TimeoutError:
        return


async def asked(port: int, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    """The whole answer to one request over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        given = {"host": f"127.0.0.1:{port}", "connection": "close", "content-length": str(len(body)), **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").strip().split("\r\n")
        told = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
        status = int(first.split()[1])
        return Answer(status, told, await reader.readexactly(int(told.get("content-length", "0"))))
    finally:
        writer.transport.abort()


async def send_by_smtp(port: int, recipient: str, raw: bytes, tls: ssl.SSLContext | None = None) -> None:
    """One message by a connection of its own. Raises NotServed with the reply it was refused with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def told(words: bytes, code: bytes) -> None:
        writer.write(words)
        line = await reader.readuntil(b"\n")
        while line[3:4] == b"-":
            line = await reader.readuntil(b"\n")
        if not line.startswith(code):
            raise NotServed(line[:9].decode().strip())

    try:
        await told(b"", b"220")
        await told(b"EHLO shop.example\r\n", b"250")
        if tls is not None:
            await told(b"STARTTLS\r\n", b"220")
            await writer.start_tls(tls, server_hostname="mx.customer.com")
            await told(b"EHLO shop.example\r\n", b"250")
        await told(f"MAIL FROM:<{_SENDER}>\r\n".encode(), b"250")
        await told(f"RCPT TO:<{recipient}>\r\n".encode(), b"250")
        await told(b"DATA\r\n", b"354")
        await told(raw + b".\r\n", b"250")
        writer.write(b"QUIT\r\n")
    finally:
        writer.close()
