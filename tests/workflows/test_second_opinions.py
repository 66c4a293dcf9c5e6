"""A second opinion of Workers AI: asked of the pretend one over HTTP, kept in a real database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog.testing

import cloudflare_sandbox
from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.errors import Problem
from kaisoumail.model.code import UncertainCode, Verification
from kaisoumail.model.message import Envelope, Matcher, Message
from kaisoumail.operations.receive import Handover, receive
from kaisoumail.operations.wait import WaitRequest, newest_cursor, wait
from kaisoumail.storage.tables import key_values, messages
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.second_opinions import SecondOpinions
from tests.builders import a_mailbox, an_email
from tests.contexts import a_context
from tests.people import ADA, NOON

MODEL = "@cf/meta/llama-3.1-8b-instruct-fast"
TWO_CODES = "Your verification codes are 551177 and 662288. Use the latest one."
MAILBOX = a_mailbox()


class Story:
    """A product with a second opinion, and the hands behind the model."""

    def __init__(self, context: Context, opinions: SecondOpinions, sandbox: httpx.AsyncClient) -> None:
        self.context = context
        self.opinions = opinions
        self._sandbox = sandbox

    async def model_says(self, response: Any) -> None:
        (await self._sandbox.put("/_sandbox/ai", json={"response": response})).raise_for_status()

    async def model_is_used_up(self) -> None:
        (await self._sandbox.put("/_sandbox/ai", json={"used_up": True})).raise_for_status()

    async def fault(self, **answer: Any) -> None:
        body = {"match": {"method": "POST", "path": "*/ai/run/*"}, "times": 1, **answer}
        (await self._sandbox.post("/_sandbox/faults", json=body)).raise_for_status()

    async def runs(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = (await self._sandbox.get("/_sandbox/ai")).json()["runs"]
        return runs

    async def mail(self, text: str = TWO_CODES, subject: str = "Verification request") -> str:
        """The id of a mail that just came in, its second opinion not yet asked for."""
        raw = an_email(to=str(MAILBOX.address), subject=subject, text=text)
        handover = Handover("smtp", Envelope("a@shop.example", str(MAILBOX.address)), MAILBOX)
        [receipt] = await receive(self.context, [handover], raw)
        assert not isinstance(receipt, Problem)
        return receipt.message_id

    async def message(self, message_id: str) -> Message:
        found = await self.context.database.read(lambda connection: messages.find(connection, message_id))
        assert found is not None
        return found

    async def wait_until_idle(self, **mail: str) -> Verification | None:
        """What a mail's code is, all said and done."""
        message_id = await self.mail(**mail)
        await self.opinions.wait_until_idle()
        return (await self.message(message_id)).verification


def told(folder: Path, story: Callable[[Story], Awaitable[None]], clock: Callable[[], datetime] = lambda: NOON) -> None:
    async def run() -> None:
        async with cloudflare_sandbox.running(host="127.0.0.1", port=0, smtp_port=0) as pretend:
            token = pretend.mint_token(kind="user", permissions=["Workers AI Read"], zones="all")
            async with (
                a_context(folder, MAILBOX, database_clock=clock) as context,
                httpx.AsyncClient(base_url=pretend.url) as sandbox,
            ):
                client = Cloudflare(pretend.api_url, token, sends_message_text=True)
                opinions = SecondOpinions(context.database, client, pretend.account_id, MODEL, clock)
                try:
                    await story(
                        Story(
                            replace(context, cloudflare=replace(context.cloudflare, second_opinions=opinions)),
                            opinions,
                            sandbox,
                        )
                    )
                finally:
                    await opinions.close()

    asyncio.run(run())


def test_the_model_chooses_among_the_codes_that_stand_in_the_mail(tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        await it.model_says({"choice": 2})

        assert await it.wait_until_idle() == Verification("662288", "body", "ai", TWO_CODES, "verification codes", 0.5)

    told(tmp_path, story)


@pytest.mark.parametrize("said", ['{"choice": 1}', {"choice": 1}])
def test_an_answer_is_read_as_an_object_or_as_its_text(tmp_path: Path, said: Any) -> None:
    async def story(it: Story) -> None:
        await it.model_says(said)

        found = await it.wait_until_idle(text="Your verification codes are ab12Cd and z9y8x7. Use the first one.")

        assert found is not None
        assert (found.code, found.method) == ("ab12Cd", "ai")

    told(tmp_path, story)


@pytest.mark.parametrize(
    "said", [{"choice": 0}, {"choice": 3}, {"choice": -1}, {"choice": True}, "662288", {}, None, []]
)
def test_a_model_that_does_not_choose_leaves_the_mail_without_a_code(tmp_path: Path, said: Any) -> None:
    async def story(it: Story) -> None:
        await it.model_says(said)

        assert await it.wait_until_idle() is None
        assert len(await it.runs()) == 1

    told(tmp_path, story)


def test_the_model_sees_the_subject_and_what_stands_around_the_codes_and_nothing_else(tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        secret = "Nobody else is to read this line of the mail, which has no number in it. \n" * 40
        await it.wait_until_idle(text=secret + TWO_CODES)

        [run] = await it.runs()

        assert run["model"] == MODEL
        told_to_the_model = json.loads(run["messages"][-1]["content"])
        assert told_to_the_model["subject"] == "Verification request"
        assert [each["code"] for each in told_to_the_model["excerpts"]] == ["551177", "662288"]
        assert all(len(each["text"]) <= 120 for each in told_to_the_model["excerpts"])

    told(tmp_path, story)


def test_nobody_is_asked_about_a_mail_whose_code_is_known_or_that_has_none(tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        assert await it.wait_until_idle(subject="Your verification code is 842911", text="Hello") is not None
        assert await it.wait_until_idle(subject="Minutes", text="We agreed on most of it.") is None

        assert await it.runs() == []

    told(tmp_path, story)


def test_the_same_hand_over_again_is_not_asked_about_again(tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        raw = an_email(to=str(MAILBOX.address), subject="Verification request", text=TWO_CODES)
        handover = Handover("smtp", Envelope("a@shop.example", str(MAILBOX.address)), MAILBOX)
        for _ in range(3):
            await receive(it.context, [handover], raw)
        await it.opinions.wait_until_idle()

        assert len(await it.runs()) == 1

    told(tmp_path, story)


def test_who_waits_for_a_code_is_woken_by_the_opinion(tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        await it.model_says({"choice": 2})
        since = await newest_cursor(it.context)
        awaited = WaitRequest((MAILBOX.id,), Matcher(has_code=True), since)

        async def ada() -> Any:
            return ADA

        waiting = asyncio.create_task(wait(it.context, ADA, awaited, 30.0, ada))
        message_id = await it.mail()
        waited = await waiting

        assert waited.opened is not None
        assert waited.opened.message.id == message_id
        assert waited.opened.message.verification is not None
        assert waited.opened.message.verification.code == "662288"

    told(tmp_path, story)


def test_a_deleted_mail_gets_no_code_and_does_not_come_back(tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        await it.model_says({"choice": 1})
        message_id = await it.mail()
        message = await it.message(message_id)
        await it.context.database.write(lambda connection: messages.remove(connection, message, NOON))
        await it.opinions.wait_until_idle()

        assert await it.context.database.read(lambda connection: messages.find(connection, message_id)) is None
        settled = messages.add_verification
        found = Verification("551177", "body", "ai")
        assert not await it.context.database.write(lambda connection: settled(connection, message_id, found))

    told(tmp_path, story)


def test_a_mail_that_was_deleted_meanwhile_is_shown_to_nobody(tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        await it.model_says({"choice": 1})
        message = await it.message(await it.mail())
        await it.opinions.wait_until_idle()
        asked = len(await it.runs())
        await it.context.database.write(lambda connection: messages.remove(connection, message, NOON))

        it.opinions.ask(message, [UncertainCode("551177", "body", TWO_CODES, None)])
        await it.opinions.wait_until_idle()

        assert len(await it.runs()) == asked

    told(tmp_path, story)


@pytest.mark.parametrize("answer", [{"status": 400, "code": 5025}, {"status": 500}, {"status": 404, "code": 7003}])
def test_nothing_that_an_answer_says_is_logged_since_it_may_quote_the_mail(
    tmp_path: Path, answer: dict[str, Any]
) -> None:
    async def story(it: Story) -> None:
        await it.fault(message=f"cannot be met for: {TWO_CODES}", **answer)
        with structlog.testing.capture_logs() as lines:
            assert await it.wait_until_idle() is None

        assert [line["event"] for line in lines] == ["cloudflare.request.failed", "second_opinions.none"]
        assert "551177" not in str(lines)

    told(tmp_path, story)


def test_an_answer_nested_too_deep_is_none(tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        await it.model_says("[" * 200_000)
        with structlog.testing.capture_logs() as lines:
            assert await it.wait_until_idle() is None

        assert [line["event"] for line in lines if line["log_level"] == "error"] == []

    told(tmp_path, story)


def test_when_the_day_is_used_up_nobody_is_asked_until_midnight_utc(tmp_path: Path) -> None:
    now = [datetime(2026, 11, 26, 22, 30, tzinfo=UTC)]

    async def story(it: Story) -> None:
        await it.model_is_used_up()
        assert await it.wait_until_idle() is None
        await it.model_says({"choice": 1})
        now[0] = datetime(2026, 11, 26, 23, 59, 59, tzinfo=UTC)
        assert await it.wait_until_idle() is None
        asked_meanwhile = len(await it.runs())

        now[0] = datetime(2026, 11, 27, tzinfo=UTC)
        found = await it.wait_until_idle()

        assert found is not None
        assert len(await it.runs()) == asked_meanwhile + 1

    told(tmp_path, story, lambda: now[0])


def test_a_rate_limit_is_waited_out_by_every_process(tmp_path: Path) -> None:
    now = [NOON]

    async def story(it: Story) -> None:
        await it.fault(status=429, retryAfter=120)
        assert await it.wait_until_idle() is None
        known = await it.context.database.read(lambda connection: key_values.find(connection, "workers_ai_pause"))
        assert known is not None
        assert datetime.fromisoformat(known[0]) == NOON + timedelta(seconds=120)

        await it.model_says({"choice": 1})
        now[0] = NOON + timedelta(seconds=119)
        assert await it.wait_until_idle() is None
        now[0] = NOON + timedelta(seconds=120)
        assert await it.wait_until_idle() is not None

    told(tmp_path, story, lambda: now[0])


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(days=1)], ids=str)
def test_k7_a_pause_lasts_its_time_when_the_clock_goes_back(tmp_path: Path, step: timedelta) -> None:
    now = [NOON]

    async def story(it: Story) -> None:
        await it.fault(status=429, retryAfter=120)
        assert await it.wait_until_idle() is None
        await it.model_says({"choice": 1})

        now[0] = NOON - step
        assert await it.wait_until_idle() is None
        now[0] = NOON - step + timedelta(seconds=119)
        assert await it.wait_until_idle() is None
        now[0] = NOON - step + timedelta(seconds=120)
        assert await it.wait_until_idle() is not None

    told(tmp_path, story, lambda: now[0])


def test_trouble_with_one_mail_is_not_trouble_with_the_next(tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        await it.model_says({"choice": 1})
        await it.fault(status=500)
        assert await it.wait_until_idle() is None

        assert await it.wait_until_idle() is not None

    told(tmp_path, story)
