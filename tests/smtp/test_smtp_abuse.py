"""The SMTP listener and those who mean it ill, or are only clumsy."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from kaisoumail.network.connection_budget import ConnectionLimits
from kaisoumail.network.memory_budget import MemoryBudget
from kaisoumail.network.transfer_pace import TransferPace
from kaisoumail.smtp.recipient_guesses import RecipientGuesses
from kaisoumail.smtp.session import SharedLimits, SmtpConfig
from kaisoumail.storage.intake import IncomingMessage
from kaisoumail.workflows.context import Context
from tests.polling import PATIENCE_SECONDS
from tests.smtp.dialogue import ADDRESS, ENVELOPE, HELLO, WHOLE, codes, expected, raws, said, told

SMUGGLED = (
    b"MAIL FROM:<evil@shop.example>\r\nRCPT TO:<bob@mail.demo.example>\r\nDATA\r\nSubject: Smuggled\r\n\r\nx\r\n.\r\n"
)
BREAKS = {
    "LF . LF": b"\n.\n",
    "LF . CRLF": b"\n.\r\n",
    "CRLF . LF": b"\r\n.\n",
    "CR . CR": b"\r.\r",
    "CR . CRLF": b"\r.\r\n",
    "CRLF . CR": b"\r\n.\r",
    "CRLF NUL . CRLF": b"\r\n\0.\r\n",
    "LF . CR LF LF": b"\n.\r\n\n",
    "CR CRLF . CRLF": b"\r\r\n.\r.\n",
}


@pytest.mark.parametrize("trick", BREAKS)
def test_only_crlf_dot_crlf_ends_a_mail(tmp_path: Path, trick: str) -> None:
    """SMTP smuggling: what another server takes for the middle of a mail must be the middle here, too."""
    body = b"Subject: One\r\n\r\nfirst" + BREAKS[trick] + SMUGGLED

    async def story(context: Context, port: int) -> None:
        assert codes(await said(port, WHOLE + body + b"QUIT\r\n")) == [220, 250, 250, 250, 354, 250, 221]

        [raw] = await raws(context)
        assert raw == (body.removesuffix(b".\r\n")).replace(b"\r\n.", b"\r\n")

    told(tmp_path, story)


def test_a_mail_cut_into_any_two_packets_is_the_same_mail(tmp_path: Path) -> None:
    mail = b".Subject: Cut\r\n..dot\r\n.\r\n"
    stuffed = b"." + mail.replace(b"\r\n.", b"\r\n..").removesuffix(b"..\r\n") + b".\r\n"

    async def story(context: Context, port: int) -> None:
        for place in range(1, len(stuffed)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(WHOLE)
            for _ in range(5):
                await reader.readline()
            writer.write(stuffed[:place])
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(stuffed[place:])
            assert (await reader.readline()).startswith(b"250 2.0.0")
            writer.close()
        assert set(await raws(context)) == {mail.removesuffix(b".\r\n")}

    told(tmp_path, story)


def test_an_empty_mail_is_a_mail(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        assert codes(await said(port, WHOLE + b".\r\nQUIT\r\n"))[-2:] == [250, 221]
        assert await raws(context) == [b""]

    told(tmp_path, story)


def test_a_mail_that_breaks_off_is_not_kept(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        assert codes(await said(port, WHOLE + b"Subject: Half\r\n\r\nand then")) == [220, 250, 250, 250, 354]
        assert await raws(context) == []

    told(tmp_path, story)


@pytest.mark.parametrize(
    "line",
    [b"NOOP\nNOOP\r\n", b"NO\rOP\r\n", b"NOOP \xff\r\n", b"NOOP \x00\r\n", b"N" * 5_000 + b"\r\n", b"\r\n", b" \r\n"],
    ids=["bare LF", "CR inside", "not UTF-8", "NUL", "too long", "empty", "a space"],
)
def test_a_line_that_is_no_command_is_refused_and_the_session_goes_on(tmp_path: Path, line: bytes) -> None:
    async def story(_: Context, port: int) -> None:
        assert codes(await said(port, line + b"NOOP\r\nQUIT\r\n")) == [220, 500, 250, 221]

    told(tmp_path, story)


@pytest.mark.parametrize(
    "bare", [b"\n", b"\r", b"\n\n", b"\n\r", b"x" * 5_000 + b"\n"], ids=["LF", "CR", "LF LF", "LF CR", "long"]
)
@pytest.mark.parametrize("second", [b"RSET", b"DATA", b"BDAT 4 LAST", b"QUIT"])
def test_nothing_after_a_bare_cr_or_lf_runs_as_a_command(tmp_path: Path, bare: bytes, second: bytes) -> None:
    async def story(_: Context, port: int) -> None:
        heard = codes(await said(port, HELLO + ENVELOPE + b"NOOP" + bare + second + b"\r\nRSET\r\nQUIT\r\n"))
        assert heard == [220, 250, 250, 250, 500, 250, 221]

    told(tmp_path, story)


def test_a_line_that_is_too_long_ends_where_its_crlf_is_split_over_two_packets(tmp_path: Path) -> None:
    async def story(_: Context, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"NOOP\r\n" + b"N" * 5_000)
        await expected(reader, b"220", b"250")
        for packet in (b"\nRSET\r", b"\nNOOP\r\nQUIT\r\n"):
            writer.write(packet)
            await writer.drain()
            await asyncio.sleep(0)
        await expected(reader, b"500", b"250", b"221")
        writer.close()

    told(tmp_path, story)


def test_a_mail_over_the_limit_is_read_over_and_the_next_is_kept(tmp_path: Path) -> None:
    large = b"Subject: Large\r\n\r\n" + b"x" * 70 + b"\r\n" + b"y" * 1_000_000 + b"\r\n.\r\n"
    small = ENVELOPE + b"DATA\r\nSubject: Small\r\n\r\nx\r\n.\r\n"

    async def story(context: Context, port: int) -> None:
        heard = codes(await said(port, WHOLE + large + small + b"QUIT\r\n"))
        assert heard == [220, 250, 250, 250, 354, 552, 250, 250, 354, 250, 221]
        assert await raws(context) == [b"Subject: Small\r\n\r\nx\r\n"]

    told(tmp_path, story)


def test_a_mail_that_never_ends_ends_the_connection(tmp_path: Path) -> None:
    most = 20_000_000  # the limit here is 1 MB, and a few times that is listened to

    async def story(_: Context, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(WHOLE)
        sent = 0
        with suppress(ConnectionError):
            while sent < most and not reader.at_eof():
                writer.write(b"x" * 200_000)
                await asyncio.wait_for(writer.drain(), 20)
                sent += 200_000
        writer.close()
        assert sent < most

    told(tmp_path, story)


def test_a_chunk_over_the_limit_is_read_over(tmp_path: Path) -> None:
    first, last = b"BDAT 900000\r\n" + b"x" * 900_000, b"BDAT 200000 LAST\r\n" + b"y" * 200_000

    async def story(context: Context, port: int) -> None:
        heard = codes(await said(port, HELLO + ENVELOPE + first + last + b"NOOP\r\nQUIT\r\n"))
        assert heard == [220, 250, 250, 250, 250, 552, 250, 221]
        assert await raws(context) == []

    told(tmp_path, story)


def test_when_there_is_no_room_for_more_the_sender_is_asked_to_come_back(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        heard = codes(await said(port, WHOLE + b"z" * 300_000 + b"\r\n.\r\nQUIT\r\n"))
        assert heard[-2:] == [452, 221]
        heard = codes(await said(port, WHOLE + b"Subject: Fits\r\n\r\n.\r\nQUIT\r\n"))
        assert heard[-2:] == [250, 221]
        assert len(await raws(context)) == 1

    told(tmp_path, story, shared=SharedLimits(MemoryBudget(100_000)))


def test_a_message_that_arrived_whole_is_not_ended_for_others_while_it_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(context: Context, port: int) -> None:
        store, is_stored, may_go_on = context.stores.intake.store, asyncio.Event(), asyncio.Event()

        async def held(incoming: IncomingMessage) -> str:
            is_stored.set()
            await may_go_on.wait()
            return await store(incoming)

        monkeypatch.setattr(context.stores.intake, "store", held)
        first = asyncio.create_task(
            said(port, WHOLE + b"Subject: Whole\r\n\r\n" + b"x" * 80_000 + b"\r\n.\r\nQUIT\r\n")
        )
        await is_stored.wait()
        other = codes(await said(port, WHOLE + b"z" * 40_000 + b"\r\n.\r\nQUIT\r\n"))
        may_go_on.set()

        assert other[-2:] == [452, 221]
        assert codes(await first)[-2:] == [250, 221]

    told(tmp_path, story, shared=SharedLimits(MemoryBudget(100_000, free=0, slow_after=0.0)))


def test_more_than_may_come_from_one_client_are_asked_to_come_back(tmp_path: Path) -> None:
    async def story(_: Context, port: int) -> None:
        inside = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, _writer in inside:
            assert (await reader.readline()).startswith(b"220")
        assert (await said(port, b""))[0].startswith(b"421 4.7.0")
        for reader, writer in inside:
            writer.write(b"QUIT\r\n")
            await reader.read()
            writer.close()
        assert codes(await said(port, b"QUIT\r\n")) == [220, 221]

    told(tmp_path, story, limits=ConnectionLimits(per_client=2))


def test_more_than_the_door_takes_at_all_are_asked_to_come_back(tmp_path: Path) -> None:
    async def story(_: Context, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        assert (await said(port, b""))[0].startswith(b"421 4.3.2")
        writer.close()

    told(tmp_path, story, limits=ConnectionLimits(total=1))


def test_who_tries_one_name_after_the_other_is_cut_off(tmp_path: Path) -> None:
    async def story(_: Context, port: int) -> None:
        heard = codes(await said(port, HELLO + b"MAIL FROM:<a@shop.example>\r\n" + _unknown(150)))
        assert heard.count(550) == 101
        assert heard[-1] == 421

    told(tmp_path, story, shared=SharedLimits(MemoryBudget(100_000), guesses=RecipientGuesses(most_delay=0)))


def test_who_writes_one_wrong_command_after_the_other_is_cut_off(tmp_path: Path) -> None:
    async def story(_: Context, port: int) -> None:
        heard = codes(await said(port, HELLO + b"RCPT\r\n" * 50))
        assert len(heard) == 2 + 21 + 1
        assert heard[-1] == 421

    told(tmp_path, story)


def test_a_list_with_forty_old_entries_reaches_who_is_still_there(tmp_path: Path) -> None:
    living = f"RCPT TO:<{ADDRESS}>\r\n".encode()

    async def story(context: Context, port: int) -> None:
        envelope = HELLO + b"MAIL FROM:<a@shop.example>\r\n" + _unknown(40) + living
        heard = codes(await said(port, envelope + b"DATA\r\nSubject: News\r\n\r\n.\r\nQUIT\r\n"))
        assert heard[-4:] == [250, 354, 250, 221]
        assert len(await raws(context)) == 1

    told(tmp_path, story)


def _unknown(count: int) -> bytes:
    return b"".join(b"RCPT TO:<n%d@mail.demo.example>\r\n" % number for number in range(count))


def test_the_hundred_and_first_recipient_waits_for_the_next_transaction(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        twice = f"RCPT TO:<{ADDRESS}>\r\n".encode() * 120
        heard = codes(await said(port, HELLO + b"MAIL FROM:<a@shop.example>\r\n" + twice + b"QUIT\r\n"))
        assert heard == [220, 250, 250] + [250] * 120 + [221], "the same recipient again is no further one"

    told(tmp_path, story)


@pytest.mark.parametrize("words", [b"", WHOLE, WHOLE + b"Subject: slow\r\n"], ids=["greeting", "DATA", "in the mail"])
def test_who_says_nothing_is_told_so_and_let_go(tmp_path: Path, words: bytes) -> None:
    async def story(_: Context, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(words)
        replies = (await asyncio.wait_for(reader.read(), 20)).splitlines()
        assert replies[-1].startswith(b"421 4.4.2")
        writer.close()

    told(tmp_path, story, config=SmtpConfig("mx.example", TransferPace(silence=0.05)))


def test_a_mail_that_takes_for_ever_is_given_up(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(WHOLE)
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not reader.at_eof():
                    writer.write(b"x")
                    await writer.drain()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.readuntil(b"421 4.4.2"), 0.02)
                        break
        assert await raws(context) == []
        writer.close()

    told(tmp_path, story, config=SmtpConfig("mx.example", TransferPace(grace=0.2)))


def _tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A door's certificate, and a client that trusts it."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mx.example").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def _over_tls(
    story: Callable[[Context, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], injected: bytes
) -> Callable[[Context, int, ssl.SSLContext], Awaitable[None]]:
    async def run(context: Context, port: int, client: ssl.SSLContext) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"EHLO sender.example\r\n")
        lines = [await reader.readline() for _ in range(10)]
        assert b"250-STARTTLS\r\n" in lines
        writer.write(b"STARTTLS\r\n" + injected)
        await expected(reader, b"220")
        await writer.start_tls(client, server_hostname="mx.example")
        await story(context, reader, writer)
        writer.close()

    return run


def test_a_mail_over_tls_is_kept_and_nothing_said_before_counts(tmp_path: Path) -> None:
    server, client = _tls()

    async def talk(context: Context, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"MAIL FROM:<a@shop.example>\r\n")
        await expected(reader, b"503")
        writer.write(b"EHLO sender.example\r\n")
        assert b"250-STARTTLS\r\n" not in [await reader.readline() for _ in range(8)]
        writer.write(ENVELOPE + b"DATA\r\nSubject: Secret\r\n\r\nx\r\n.\r\nQUIT\r\n")
        await expected(reader, b"250", b"250", b"354", b"250 2.0.0", b"221")
        assert await raws(context) == [b"Subject: Secret\r\n\r\nx\r\n"]

    async def story(context: Context, port: int) -> None:
        await _over_tls(talk, b"")(context, port, client)

    told(tmp_path, story, config=SmtpConfig("mx.example", tls=server))


def test_commands_slipped_in_before_the_handshake_are_not_obeyed(tmp_path: Path) -> None:
    """CVE-2011-0411: what came in plain text must not be taken for what came over TLS."""
    server, client = _tls()

    async def talk(_: Context, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"NOOP\r\nQUIT\r\n")
        await expected(reader, b"250 2.0.0", b"221")

    async def story(context: Context, port: int) -> None:
        await _over_tls(talk, HELLO + ENVELOPE)(context, port, client)

    told(tmp_path, story, config=SmtpConfig("mx.example", tls=server))
