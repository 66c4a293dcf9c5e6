"""What is read from a mail when it arrives, whichever door it came through."""

import asyncio
import errno
import random
from base64 import encodebytes
from pathlib import Path

import pytest

from kaisoumail.errors import Problem
from kaisoumail.model.code import Link
from kaisoumail.model.message import Envelope, Message
from kaisoumail.operations.messages import MessageQuery, list_messages, raw_message
from kaisoumail.operations.receive import Handover, Receipt, can_receive, receive
from kaisoumail.storage.intake import IncomingMessage
from kaisoumail.workflows.context import Context
from tests.builders import a_mailbox, an_email
from tests.contexts import a_context
from tests.people import ROOT

ADDRESS = "ada@mail.demo.example"


def _received(folder: Path, raw: bytes) -> Message:
    async def run() -> Message:
        async with a_context(folder, a_mailbox(ADDRESS)) as context:
            envelope = Envelope("no-reply@shop.example", ADDRESS)
            mailbox = await can_receive(context, "smtp", envelope)
            await receive(context, [Handover("smtp", envelope, mailbox)], raw)
            [message] = await list_messages(context, ROOT, MessageQuery())
            return message

    return asyncio.run(run())


def test_a_code_comes_with_the_text_around_it_and_the_words_that_named_it(tmp_path: Path) -> None:
    message = _received(tmp_path, an_email(subject="Hello", text="Welcome, Ada!\n\nYour login code is 123-456.\n\nBob"))

    found = message.verification
    assert found is not None
    assert (found.code, found.source, found.word) == ("123456", "body", "login code")
    assert found.evidence == "Welcome, Ada! Your login code is 123-456. Bob"
    assert found.confidence is not None
    assert found.confidence > 0.8


def test_a_mail_with_a_link_and_no_code_keeps_the_link(tmp_path: Path) -> None:
    url = "https://shop.example/confirm?token=9f8e7d6c5b4a39281706"
    html = f'<p>One more step.</p><a href="{url}">Confirm my address</a>'

    message = _received(tmp_path, an_email(subject="Welcome", text="One more step.", html=html))

    assert message.verification is None
    assert message.link == Link(url, "shop.example", "Confirm my address", "confirm")


def test_an_ordinary_mail_has_neither(tmp_path: Path) -> None:
    message = _received(tmp_path, an_email(subject="Order 482913", text="On its way, see https://shop.example/help"))

    assert message.verification is None
    assert message.link is None


LARGE = b"Subject: large\r\n\r\n" + encodebytes(random.Random(1).randbytes(90_000))


async def _handed_in(context: Context) -> Receipt | Problem:
    envelope = Envelope("no-reply@shop.example", ADDRESS)
    mailbox = await can_receive(context, "smtp", envelope)
    [outcome] = await receive(context, [Handover("smtp", envelope, mailbox)], LARGE)
    return outcome


def _files(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def test_a_large_mail_whose_commit_was_answered_by_nobody_keeps_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> bytes:
        async with a_context(tmp_path, a_mailbox(ADDRESS)) as context:
            keep = context.stores.intake.store

            async def kept_but_not_said(incoming: IncomingMessage) -> str:
                await keep(incoming)
                raise Problem("storage_unavailable", "The database cannot be reached just now")

            with monkeypatch.context() as while_away:
                while_away.setattr(context.stores.intake, "store", kept_but_not_said)
                first = await _handed_in(context)
            again = await _handed_in(context)
            await context.stores.uncertain_blobs.settle(after=0)

            assert isinstance(first, Problem)
            assert isinstance(again, Receipt)
            assert not again.is_new
            return await raw_message(context, ROOT, again.message_id)

    assert asyncio.run(story()) == LARGE
    assert len(_files(tmp_path)) == 1


def test_the_bytes_of_a_large_mail_that_the_database_did_not_take_go_once_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> tuple[int, int]:
        async with a_context(tmp_path, a_mailbox(ADDRESS)) as context:

            async def not_kept(incoming: IncomingMessage) -> str:
                raise Problem("storage_unavailable", "The database cannot be reached just now")

            monkeypatch.setattr(context.stores.intake, "store", not_kept)
            await _handed_in(context)
            await context.stores.uncertain_blobs.settle()
            unsure = len(_files(tmp_path))
            await context.stores.uncertain_blobs.settle(after=0)
            return unsure, len(_files(tmp_path))

    assert asyncio.run(story()) == (1, 0)


def test_bytes_of_a_duplicate_that_cannot_be_removed_now_refuse_nothing_and_go_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    async def story() -> tuple[Receipt | Problem, Receipt | Problem]:
        async with a_context(tmp_path, a_mailbox(ADDRESS)) as context:
            first = await _handed_in(context)
            with monkeypatch.context() as meanwhile:
                meanwhile.setattr(Path, "unlink", read_only)
                again = await _handed_in(context)
            assert len(_files(tmp_path)) == 2
            await context.stores.uncertain_blobs.settle(after=0)
            return first, again

    first, again = asyncio.run(story())

    assert isinstance(first, Receipt)
    assert again == Receipt(first.message_id, is_new=False)
    assert len(_files(tmp_path)) == 1
