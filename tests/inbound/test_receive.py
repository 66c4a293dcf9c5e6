"""What is read from a mail when it arrives, whichever door it came through."""

import asyncio
from pathlib import Path

from kaisoumail.model.code import Link
from kaisoumail.model.message import Envelope, Message
from kaisoumail.operations.messages import Question, list_messages
from kaisoumail.operations.receive import Handover, can_receive, receive
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
            [message] = await list_messages(context, ROOT, Question())
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
