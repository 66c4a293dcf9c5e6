"""Waiting: how long from "accepted" to "woken", with a thousand agents waiting at once on connections kept open."""

import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path

from benches.load import handed_over
from benches.table import Row, show
from tests.servers import ADMIN_KEY, UNLIMITED, a_world

WAITERS = 1000
MAILBOXES = 100
ROUNDS = 3
_PAUSE = 0.05  # between mails: how soon is somebody woken, not how many a second
DOMAIN = "customer.com"


def measured(folder: Path) -> list[Row]:
    """
    A thousand waiters on a hundred mailboxes, in a process of their own; one mail a mailbox wakes ten of them.

    A time is from the moment the sender has its 200 until the waiter has the whole answer; a waiter that was
    told before the sender counts as 0.
    """
    with a_world(folder, **UNLIMITED) as world, world.product() as product:
        product.active_domain(DOMAIN)
        ids = [
            product.admin.post("/api/mailboxes", json={"localPart": f"m{n}", "subdomain": "w"}).json()["id"]
            for n in range(MAILBOXES)
        ]
        port = int(product.url.rsplit(":", 1)[1])
        here, there = multiprocessing.Pipe()
        waiters = multiprocessing.get_context("spawn").Process(target=_wait, args=(there, port, ids))
        waiters.start()
        there.close()  # so that a waiter that fails ends this too
        times = sorted(late for _ in range(ROUNDS) for late in _round(here, port))
        waiters.join()
    count = len(times)
    return [
        Row("accepted to woken, ten wait for each mail", WAITERS, count, 0, times[count // 2], times[count * 99 // 100])
    ]


def report(folder: Path) -> None:
    """Measure, and print the table."""
    show("waiting", measured(folder))


def _round(waiters: "Connection", port: int) -> list[float]:
    waiters.recv()  # all have asked
    accepted = asyncio.run(_send_one_to_each(port))
    woken: list[tuple[int, float]] = waiters.recv()
    return [max(0.0, at - accepted[mailbox]) for mailbox, at in woken]


async def _send_one_to_each(port: int) -> list[float]:
    """When each mailbox's mail was accepted, on the clock that all processes share."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    accepted = []
    for number in range(MAILBOXES):
        address = f"m{number}@w.{DOMAIN}"
        mail = f"Subject: Your code is {time.monotonic_ns() % 1_000_000:06d}\r\nTo: {address}\r\n\r\nHello.\r\n"
        writer.write(handed_over(mail.encode(), address))
        await _answered(reader)
        accepted.append(time.monotonic())
        await asyncio.sleep(_PAUSE)
    writer.close()
    return accepted


def _wait(parent: "Connection", port: int, ids: list[str]) -> None:
    asyncio.run(_waiters(parent, port, ids))


async def _waiters(parent: "Connection", port: int, ids: list[str]) -> None:
    cursors = ["c0"] * WAITERS
    for _ in range(ROUNDS):
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(WAITERS)]
        for number, (_, writer) in enumerate(opened):
            writer.write(_request(ids[number % MAILBOXES], cursors[number], 60))
        # Behind the thousand, so that its answer says that all of them were read.
        probe, ask = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(50):
            ask.write(_request(ids[0], "c999999999", 0))
            await _answer(probe)
        ask.close()
        parent.send("asked")
        answers = await asyncio.gather(*(_answer(reader) for reader, _ in opened))
        cursors = [cursor for cursor, _ in answers]
        parent.send([(number % MAILBOXES, at) for number, (_, at) in enumerate(answers)])
        for _, writer in opened:
            writer.close()


def _request(mailbox_id: str, cursor: str, seconds: int) -> bytes:
    path = f"/api/mailboxes/{mailbox_id}/wait?hasCode=true&since={cursor}&timeout={seconds}"
    return f"GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {ADMIN_KEY}\r\n\r\n".encode()


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))


async def _answer(reader: asyncio.StreamReader) -> tuple[str, float]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    await reader.readexactly(int(headers.get("content-length", 0)))
    return headers["x-kaisoumail-cursor"], time.monotonic()
