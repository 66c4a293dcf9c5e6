"""
The load: many kept connections, each with one mail after the other, in a process of its own.

    python -m benches.load DOOR PORT CONNECTIONS COUNT SIZE

DOOR is `smtp` or `webhook`. Prints one JSON line: seconds, and p50 and p99 in seconds from the first byte
of a mail to its answer. SMTP commands are pipelined, as every MTA does with a server that offers it.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

import uvloop
from tests.builders import an_email
from tests.servers import INBOUND_SECRET

ADDRESS = "ada@mail.customer.com"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Iterator[bytes], list[float]], Awaitable[None]]
_ENVELOPE = f"MAIL FROM:<bench@shop.example>\r\nRCPT TO:<{ADDRESS}>\r\nDATA\r\n".encode()


def mails(count: int, size: int) -> Iterator[bytes]:
    """Different mails of about *size* bytes, each with a code; made beforehand, so that making them costs nothing."""
    line = "All work and no play makes a dull mail, so here is some more of it. \n"
    whole = an_email(to=ADDRESS, subject="Mail 000000, your code is 000000", text=line * (size // len(line)))
    run = f"{time.time_ns() % 10**6:06d}".encode()
    numbered = (b"%06d" % number for number in range(count))
    return iter([whole.replace(b"Mail 000000", b"Mail " + run).replace(b"000000", number) for number in numbered])


async def by_smtp(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: Iterator[bytes], times: list[float]
) -> None:
    await reader.readline()
    writer.write(b"EHLO bench.example\r\n")
    while (await reader.readline())[3:4] == b"-":
        pass
    for mail in left:
        began = time.perf_counter()
        writer.write(_ENVELOPE)
        for _ in range(3):
            answer = await reader.readline()
            assert answer[:1] in b"23", answer
        writer.write(mail + b".\r\n")
        answer = await reader.readline()
        assert answer.startswith(b"250"), answer
        times.append(time.perf_counter() - began)


async def by_webhook(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: Iterator[bytes], times: list[float]
) -> None:
    for mail in left:
        began = time.perf_counter()
        await hand_over(reader, writer, mail, ADDRESS)
        times.append(time.perf_counter() - began)


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
    await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))


DOORS: dict[str, Talk] = {"smtp": by_smtp, "webhook": by_webhook}


async def load(door: str, port: int, connections: int, left: Iterator[bytes]) -> tuple[float, list[float]]:
    """How long all of it took, and each mail, in seconds."""
    times: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await DOORS[door](reader, writer, left, times)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    return time.perf_counter() - began, sorted(times)


def main() -> None:
    door, port, connections, count, size = sys.argv[1], *map(int, sys.argv[2:6])
    left = mails(count, size)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seconds, times = runner.run(load(door, port, connections, left))
    told = {"seconds": seconds, "p50": times[count // 2], "p99": times[count * 99 // 100]}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
