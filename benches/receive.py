"""Mail in: durable, parsed, code extracted and listed before the answer; connections are kept open."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.builders import an_email
from tests.servers import INBOUND_SECRET, Product, a_world, free_port

CONNECTIONS = 16
ADDRESS = "ada@mail.customer.com"
Send = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]


@dataclass(frozen=True)
class Row:
    """One line of the table; *p50* and *p99* are seconds from the first byte of a mail to its answer."""

    what: str
    connections: int
    count: int
    rate: float
    p50: float
    p99: float


def measured(folder: Path) -> list[Row]:
    """5 KB mails by SMTP and by the hand-over, and 1 MB mails by SMTP."""
    smtp_port = free_port()
    with a_world(folder, SMTP_PORT=str(smtp_port)) as world, world.product() as product:
        product.active_domain("customer.com")
        product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"}).raise_for_status()
        http_port = int(product.url.rsplit(":", 1)[1])
        rows = [
            _row("SMTP, 5 KB", smtp_port, _by_smtp, 4000, 5_000, greet=_greet),
            _row("signed hand-over, 5 KB", http_port, _by_hand_over, 4000, 5_000),
            _row("SMTP, 1 MB", smtp_port, _by_smtp, 200, 1_000_000, greet=_greet),
        ]
        _check_all_kept(product, sum(row.count for row in rows))
    return rows


def _check_all_kept(product: Product, count: int) -> None:
    kept = len(product.admin.get("/api/messages").json()["messages"])
    assert kept == count, f"{kept} of {count} mails were kept"


def _row(
    what: str, port: int, send: Send, count: int, size: int, greet: Callable[..., Awaitable[None]] | None = None
) -> Row:
    times: list[float] = []
    mails = iter([_mail(number, size) for number in range(count)])

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if greet is not None:
            await greet(reader, writer)
        for mail in mails:
            began = time.perf_counter()
            await send(reader, writer, mail)
            times.append(time.perf_counter() - began)
        writer.close()

    async def load() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
        return time.perf_counter() - began

    seconds = asyncio.run(load())
    times.sort()
    return Row(what, CONNECTIONS, count, count / seconds, times[count // 2], times[count * 99 // 100])


def _mail(number: int, size: int) -> bytes:
    line = "All work and no play makes a dull mail, so here is some more of it. \n"
    return an_email(to=ADDRESS, subject=f"Mail {number}, your code is {number:06d}", text=line * (size // len(line)))


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HELO bench.example\r\n")
    await reader.readline()


async def _by_smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mail: bytes) -> None:
    for words in (b"MAIL FROM:<bench@shop.example>", f"RCPT TO:<{ADDRESS}>".encode(), b"DATA"):
        writer.write(words + b"\r\n")
        answer = await reader.readline()
        assert answer[:1] in b"23", answer
    writer.write(mail + b".\r\n")
    answer = await reader.readline()
    assert answer.startswith(b"250"), answer


async def _by_hand_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mail: bytes) -> None:
    await hand_over(reader, writer, mail, ADDRESS)


async def hand_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mail: bytes, address: str) -> None:
    """One signed hand-over on a connection that is kept; returns when it was accepted."""
    stamp, sender = str(int(time.time())), "bench%40shop.example"
    recipient = address.replace("@", "%40")
    signed = "\n".join((stamp, sender, recipient, hashlib.sha256(mail).hexdigest()))
    signature = hmac.new(INBOUND_SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
    writer.write(
        f"POST /api/inbound HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(mail)}\r\n"
        f"x-kaisoumail-envelope-from: {sender}\r\nx-kaisoumail-envelope-to: {recipient}\r\n"
        f"x-kaisoumail-timestamp: {stamp}\r\nx-kaisoumail-signature: {signature}\r\n\r\n".encode()
        + mail
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
