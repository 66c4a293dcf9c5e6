"""What strangers may take of the SMTP listener: memory by what arrived, time by size and rate, guesses by client."""

import asyncio
from pathlib import Path

import pytest

from kaisoumail.network.memory_budget import MemoryBudget
from kaisoumail.network.transfer_pace import TransferPace
from kaisoumail.operations.rejections import list_rejections
from kaisoumail.smtp.recipient_guesses import RecipientGuesses
from kaisoumail.smtp.session import SharedLimits, SmtpConfig
from kaisoumail.workflows.context import Context
from tests.people import ROOT
from tests.polling import PATIENCE_SECONDS
from tests.smtp.dialogue import ENVELOPE, HELLO, WHOLE, codes, expected, raws, said, told


def test_i3_what_is_announced_and_never_sent_counts_for_nothing(tmp_path: Path) -> None:
    """Finding I3: eleven connections that say BDAT 26214400 and send nothing once shut the listener for all."""

    async def story(context: Context, port: int) -> None:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(11)]
        for reader, writer in silent:
            writer.write(HELLO + ENVELOPE + b"BDAT 900000 LAST\r\n")
            await expected(reader, b"220", b"250", b"250", b"250")
        mail = b"Subject: Ordinary\r\n\r\n" + b"z" * 70_000 + b"\r\n"
        assert codes(await said(port, WHOLE + mail + b".\r\nQUIT\r\n"))[-2:] == [250, 221]
        assert len(await raws(context)) == 1
        for _, writer in silent:
            writer.close()

    told(tmp_path, story, shared=SharedLimits(MemoryBudget(1_000_000)))


def test_a_size_that_is_refused_without_a_recipient_writes_no_row(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        heard = codes(await said(port, HELLO + b"MAIL FROM:<a@shop.example> SIZE=999999999\r\n" * 15 + b"QUIT\r\n"))
        assert heard.count(552) == 15
        assert (await list_rejections(context, ROOT, limit=10)).rejections == []

    told(tmp_path, story)


def test_i3_large_messages_that_stop_half_way_make_place_for_others(tmp_path: Path) -> None:
    shared = SharedLimits(MemoryBudget(1_000_000, free=1_000, slow_after=0.2))

    async def story(context: Context, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(WHOLE + b"x" * 800_000)
        await writer.drain()
        assert codes(await said(port, WHOLE + b"Subject: Small\r\n\r\nx\r\n.\r\nQUIT\r\n"))[-2:] == [250, 221]
        large = WHOLE + b"Subject: Large\r\n\r\n" + b"y" * 600_000 + b"\r\n.\r\nQUIT\r\n"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while codes(await said(port, large))[-2] == 452:
                assert shared.memory.used > 700_000, "until the stalled one has been slow for long enough"
        assert (await asyncio.wait_for(reader.read(), 20)).splitlines()[-1].startswith(b"421 4.4.2")
        writer.close()
        assert len(await raws(context)) == 2

    told(tmp_path, story, shared=shared)
    assert shared.memory.used == 0


@pytest.mark.parametrize("drip", [b"BDAT 1\r\nx", b"DATA\r\nx", b"NO"], ids=["chunks", "data", "a command"])
def test_i3_a_client_that_sends_byte_by_byte_is_disconnected(tmp_path: Path, drip: bytes) -> None:
    async def story(context: Context, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HELLO + ENVELOPE + drip)
        ended = asyncio.create_task(reader.read())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not ended.done():
                writer.write(b"x" if drip.startswith(b"DATA") else drip)
                await asyncio.wait([ended], timeout=0.02)
        assert ended.result().splitlines()[-1][:3] in (b"421", b"500")
        assert await raws(context) == []
        writer.close()

    told(tmp_path, story, config=SmtpConfig("mx.example", TransferPace(silence=0.3, grace=0.3, rate=1e9)))


@pytest.mark.parametrize("words", [b"NOOP\r\n", b"RSET\r\n", b"EHLO x\r\n", b"BDAT 0\r\n", b"MAIL FROM:<>\r\nRSET\r\n"])
def test_who_says_much_and_sends_no_message_is_hung_up_on(tmp_path: Path, words: bytes) -> None:
    async def story(_: Context, port: int) -> None:
        replies = await said(port, HELLO + (ENVELOPE if b"BDAT" in words else b"") + words * 5_000)
        assert replies[-1].startswith(b"421 4.7.0")
        assert len(replies) < 5_000

    told(tmp_path, story)


def test_others_are_answered_between_the_commands_of_one_who_sends_thousands(tmp_path: Path) -> None:
    async def story(_: Context, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", port)
        await expected(other_reader, b"220")
        writer.write(b"NOOP\r\n" * 300)
        other_writer.write(b"NOOP\r\n")
        await expected(other_reader, b"250")
        assert reader._buffer.count(b"\r\n") < 250, "its turn came before all of the other's"  # type: ignore[attr-defined]
        writer.close()
        other_writer.close()

    told(tmp_path, story)


def test_i15_a_client_that_guesses_addresses_over_many_connections_is_disconnected(tmp_path: Path) -> None:
    """Finding I15: one client guessed 26,000 addresses in five seconds."""
    tries = b"".join(f"RCPT TO:<n{number}@mail.demo.example>\r\n".encode() for number in range(19))
    words = HELLO + b"MAIL FROM:<a@shop.example>\r\n" + tries
    shared = SharedLimits(guesses=RecipientGuesses(burst=38, most_delay=0.01))

    async def story(_: Context, port: int) -> None:
        heard = [codes(await said(port, words + b"QUIT\r\n")) for _ in range(12)]
        assert heard[0].count(550) == 19
        assert heard[-1] == [220, 250, 250, 421]
        assert codes(await said(port, WHOLE + b"Subject: Known\r\n\r\nx\r\n.\r\nQUIT\r\n"))[-2:] == [250, 221], (
            "others at that address"
        )
        assert sum(each.count(550) for each in heard) < 150
        assert "smtp.recipient_guesses" in shared.refusals.totals()

    told(tmp_path, story, shared=shared)
