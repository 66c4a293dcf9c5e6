"""A listener with a few mailboxes, and what a client says to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvloop

from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.network.connection_budget import ConnectionLimits
from kaisoumail.operations.messages import MessageQuery, list_messages, raw_message
from kaisoumail.smtp.listener import SmtpListener
from kaisoumail.smtp.session import SharedLimits, SmtpConfig
from kaisoumail.workflows.context import Context
from tests.builders import a_mailbox
from tests.contexts import a_context
from tests.people import NOON, ROOT

ADDRESS = "ada@mail.demo.example"
HELLO = b"HELO sender.example\r\n"
ENVELOPE = f"MAIL FROM:<a@shop.example>\r\nRCPT TO:<{ADDRESS}>\r\n".encode()
WHOLE = HELLO + ENVELOPE + b"DATA\r\n"


@asynccontextmanager
async def a_listener(
    folder: Path,
    config: SmtpConfig | None = None,
    limits: ConnectionLimits | None = None,
    shared: SharedLimits | None = None,
) -> AsyncIterator[tuple[Context, int]]:
    kept = [
        a_mailbox(ADDRESS),
        a_mailbox("bob@mail.demo.example"),
        a_mailbox("expired@mail.demo.example", expires_at=NOON),
        a_mailbox("making@mail.demo.example", status=MailboxStatus.PROVISIONING),
    ]
    async with a_context(folder, *kept) as context:
        listener = SmtpListener(context, config, limits, shared)
        port = await listener.open("127.0.0.1", 0)
        try:
            yield context, port
        finally:
            await listener.close()


def told(
    folder: Path,
    story: Callable[[Context, int], Awaitable[None]],
    config: SmtpConfig | None = None,
    limits: ConnectionLimits | None = None,
    shared: SharedLimits | None = None,
) -> None:
    async def run() -> None:
        async with a_listener(folder, config, limits, shared) as (context, port):
            await story(context, port)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop it is served on
        runner.run(run())


async def said(port: int, words: bytes) -> list[bytes]:
    """Every reply to *words*, which are sent in one go; the connection is closed behind them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(words)
    with suppress(OSError):  # hung up on already
        writer.write_eof()
    replies = (await asyncio.wait_for(reader.read(), 20)).splitlines()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return replies


def codes(replies: list[bytes]) -> list[int]:
    return [int(reply[:3]) for reply in replies]


async def raws(context: Context) -> list[bytes]:
    listed = await list_messages(context, ROOT, MessageQuery())
    return [await raw_message(context, ROOT, message.id) for message in listed]


async def expected(reader: asyncio.StreamReader, *codes: bytes) -> None:
    for code in codes:
        line = await asyncio.wait_for(reader.readline(), 20)
        assert line.startswith(code), line
