"""A page of a hundred out of very many, near the top and in the middle: depth and size must not matter."""

import asyncio
import os
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
from sqlalchemy import Connection

from benches.table import Row, show
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.tables import domains, mailboxes, users
from tests.builders import DEMO, a_mailbox, a_message, kept
from tests.people import ADA, NOON
from tests.servers import ADMIN_KEY, UNLIMITED, Product, a_world

STORED = int(os.environ.get("KAISOUMAIL_BENCH_MESSAGES", "100000"))  # 1000000 is the long form
_AT_ONCE = 2000
_ASKED = 300


def measured(folder: Path) -> list[Row]:
    """Pages through the API of one process: the newest, and from the middle on."""
    with a_world(folder, EMAIL_ROUTING_MANAGEMENT_ENABLED="false", **UNLIMITED) as world:
        data = Path(world.environment["DATA_DIR"])
        with world.product() as product:
            asyncio.run(_fill(f"sqlite:///{data / 'kaisoumail.db'}"))
            middle = f"p{int(NOON.timestamp() * 1000) + STORED // 2 * 1000}.msg_m"
            return [
                _row(product, f"page of 100 of {STORED}", "/api/messages?limit=100"),
                _row(product, f"page of 100 of {STORED}, from the middle", f"/api/messages?limit=100&cursor={middle}"),
            ]


def report(folder: Path) -> None:
    """Measure, and print the table."""
    show("lists", measured(folder))


def _row(product: Product, what: str, path: str) -> Row:
    times: list[float] = []
    # A plain client: the tests' own checks every message against the contract.
    with httpx.Client(base_url=product.url, headers={"authorization": f"Bearer {ADMIN_KEY}"}) as client:
        for _ in range(_ASKED):
            began = time.perf_counter()
            answer = client.get(path).raise_for_status()
            times.append(time.perf_counter() - began)
            assert answer.content.count(b"mailboxId") == 100
    times.sort()
    return Row(what, 1, _ASKED, _ASKED / sum(times), times[_ASKED // 2], times[_ASKED * 99 // 100])


async def _fill(url: str) -> None:
    database = open_database(url)
    try:
        await database.write(lambda connection: users.add(connection, ADA.user))
        await database.write(lambda connection: domains.save(connection, DEMO))
        boxes = [a_mailbox(f"m{number}@mail.demo.example", expires_at=None) for number in range(100)]
        for mailbox in boxes:
            await database.write(partial(mailboxes.add, mailbox=mailbox))
        for first in range(0, STORED, _AT_ONCE):
            await database.write(partial(_add, boxes=boxes, first=first))
    finally:
        await database.close()


def _add(connection: Connection, boxes: list[Mailbox], first: int) -> None:
    for number in range(first, first + _AT_ONCE):
        message = a_message(boxes[number % len(boxes)], b"%d" % number, received_at=NOON + timedelta(seconds=number))
        kept(connection, message)
