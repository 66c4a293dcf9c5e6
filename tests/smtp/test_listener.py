"""The SMTP listener, by dialogues anybody can read (`dialogs/*.txt`), and what is kept after them."""

import asyncio
import select
import smtplib
import socket
from pathlib import Path

import pytest

from kaisoumail.operations.messages import MessageQuery, list_messages, raw_message
from kaisoumail.smtp import listener
from kaisoumail.storage.intake import IncomingMessage
from kaisoumail.workflows.context import Context
from tests.builders import an_email
from tests.people import ROOT
from tests.polling import PATIENCE_SECONDS
from tests.smtp.dialogue import ADDRESS, a_listener, told

DIALOGS = {path.stem: path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "dialogs").glob("*.txt")}


async def _speak(port: int, dialog: str) -> None:
    """Say the C: lines, and hear that each S: line is the beginning of what the server says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number, line in enumerate(dialog.splitlines(), 1):
        who, _, words = line.partition(":")
        if who == "C":
            writer.write(words.removeprefix(" ").encode() + b"\r\n")
        elif who == "S":
            heard = (await asyncio.wait_for(reader.readline(), 20)).decode()
            assert heard.startswith(words.strip()), f"line {number}: expected {words.strip()!r}, heard {heard!r}"
    writer.close()
    await writer.wait_closed()


async def _listed(context: Context) -> list[tuple[str, str]]:
    found = await list_messages(context, ROOT, MessageQuery())
    return sorted((message.mailbox_address, message.subject) for message in found)


@pytest.mark.parametrize("name", sorted(DIALOGS))
def test_the_dialogue_goes_as_written(tmp_path: Path, name: str) -> None:
    async def story(_: Context, port: int) -> None:
        await _speak(port, DIALOGS[name])

    told(tmp_path, story)


def test_a_mail_is_kept_byte_for_byte_with_its_code(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        await _speak(port, DIALOGS["one-mail"])

        [message] = await list_messages(context, ROOT, MessageQuery())
        assert message.verification is not None
        assert message.verification.code == "842911"
        assert await raw_message(context, ROOT, message.id) == (
            b"Subject: Your verification code is 842911\r\n\r\nHello.\r\n.a line that begins with a dot\r\n"
        )

    told(tmp_path, story)


def test_each_recipient_gets_their_own(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        await _speak(port, DIALOGS["several-recipients"])

        assert await _listed(context) == [(ADDRESS, "To both"), ("bob@mail.demo.example", "To both")]

    told(tmp_path, story)


def test_a_bounce_has_an_empty_sender(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        await _speak(port, DIALOGS["several-recipients"])

        assert {message.envelope.sender for message in await list_messages(context, ROOT, MessageQuery())} == {""}

    told(tmp_path, story)


def test_the_same_mail_again_is_answered_with_250_and_kept_once(tmp_path: Path) -> None:
    raw = an_email()

    async def story(context: Context, port: int) -> None:
        for _ in range(2):
            await asyncio.to_thread(_send, port, raw)
        assert len(await _listed(context)) == 1

    told(tmp_path, story)


def test_a_mail_over_the_limit_is_refused_for_good_and_the_next_is_taken(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        with pytest.raises(smtplib.SMTPSenderRefused) as caught:
            await asyncio.to_thread(_send, port, an_email(text="x" * 70 + "\n" + ("y" * 70 + "\n") * 15_000))
        assert caught.value.smtp_code == 552
        await asyncio.to_thread(_send, port, an_email(subject="The next"))
        assert await _listed(context) == [(ADDRESS, "The next")]

    told(tmp_path, story)


def test_when_the_store_is_gone_the_sender_is_asked_to_come_back(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        (tmp_path / "blobs").write_text("a file where the folder should be")
        with pytest.raises(smtplib.SMTPDataError) as caught:
            await asyncio.to_thread(_send, port, an_email(text=("y" * 70 + "\n") * 2_000))
        assert caught.value.smtp_code == 451
        assert await _listed(context) == []

    told(tmp_path, story)


def test_a_line_longer_than_the_standard_allows_is_taken(tmp_path: Path) -> None:
    async def story(context: Context, port: int) -> None:
        await asyncio.to_thread(_send, port, b"Subject: Long\r\n\r\n" + b"z" * 40_000 + b"\r\n")
        assert await _listed(context) == [(ADDRESS, "Long")]

    told(tmp_path, story)


def test_connections_that_arrive_together_are_greeted_several_at_a_time(tmp_path: Path) -> None:
    async def story(_: Context, port: int) -> None:
        connections = [
            socket.create_connection(("127.0.0.1", port)) for _ in range(80)
        ]  # the loop does nothing meanwhile
        rounds = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(select.select(connections, [], [], 0)[0]) < 80:
                await asyncio.sleep(0)
                rounds += 1
        for connection in connections:
            connection.close()

        assert rounds < 60

    told(tmp_path, story)


def test_closing_the_door_lets_go_of_who_is_connected(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_listener(tmp_path) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readline()
        assert (await reader.read()).startswith(b"421 4.3.2")
        writer.close()

    asyncio.run(run())


def test_a_mail_that_is_not_stored_when_the_door_waits_no_longer_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_CLOSING_SECONDS", 0.0)

    async def run() -> None:
        async with a_listener(tmp_path) as (context, port):
            is_storing = asyncio.Event()

            async def stuck(_: IncomingMessage) -> str:
                is_storing.set()
                return await asyncio.Future()

            monkeypatch.setattr(context.stores.intake, "store", stuck)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HELO a.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<%s>\r\nDATA\r\n" % ADDRESS.encode())
            writer.write(b"Subject: x\r\n\r\nx\r\n.\r\n")
            await is_storing.wait()
        assert (await reader.read()).splitlines()[-1].startswith(b"421 4.3.2")
        writer.close()

    asyncio.run(run())


def _send(port: int, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        smtp.sendmail("no-reply@shop.example", [ADDRESS], raw)
