"""The stream of events, without a door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from kaisoumail.model.feed import Cursor
from kaisoumail.model.message import Envelope
from kaisoumail.model.user import Viewer
from kaisoumail.operations.events import events
from kaisoumail.operations.receive import Handover, Receipt, can_receive, receive
from kaisoumail.workflows.context import Context
from tests.builders import a_mailbox, an_email
from tests.contexts import a_context
from tests.people import ADA


@asynccontextmanager
async def _restless(folder: Path) -> AsyncIterator[Context]:
    async with a_context(folder, a_mailbox()) as context:
        yield replace(
            context, policy=replace(context.policy, limits=replace(context.policy.limits, heartbeat_seconds=0.01))
        )


async def _still_ada() -> Viewer | None:
    return ADA


async def _nobody() -> Viewer | None:
    return None


def test_silence_is_broken_by_a_heartbeat_and_nobody_listens_once_the_stream_is_closed(tmp_path: Path) -> None:
    async def story() -> tuple[bool, int]:
        async with _restless(tmp_path) as context:
            async with aclosing(events(context, ADA, None, _still_ada)) as stream:
                await anext(stream)
                is_silent = await anext(stream) is None
            return is_silent, context.stores.signals.waiting

    assert asyncio.run(story()) == (True, 0)


def test_a_place_in_the_future_counts_as_now(tmp_path: Path) -> None:
    async def story() -> tuple[Cursor, str]:
        async with _restless(tmp_path) as context, aclosing(events(context, ADA, Cursor(10**15), _still_ada)) as stream:
            ready = await anext(stream)
            receipt = await _received(context)
            told = await anext(stream)
            assert ready is not None
            assert told is not None
            assert told.subject is not None
            assert told.subject.id == receipt.message_id
            return ready.cursor, told.subject.id

    ready, _ = asyncio.run(story())

    assert ready < Cursor(10**15)


def test_who_is_signed_in_no_longer_is_told_nothing_more(tmp_path: Path) -> None:
    async def story() -> list[object]:
        async with _restless(tmp_path) as context, aclosing(events(context, ADA, None, _nobody)) as stream:
            await anext(stream)
            await _received(context)
            return [event async for event in stream]

    assert asyncio.run(story()) == []


def test_a_stream_ends_when_the_process_stops(tmp_path: Path) -> None:
    async def story() -> list[object]:
        async with _restless(tmp_path) as context, aclosing(events(context, ADA, None, _still_ada)) as stream:
            await anext(stream)
            context.stores.signals.end()
            return [event async for event in stream]

    assert asyncio.run(story()) == []


async def _received(context: Context) -> Receipt:
    envelope = Envelope("a@b.example", "ada@mail.demo.example")
    mailbox = await can_receive(context, "smtp", envelope)
    [receipt] = await receive(context, [Handover("smtp", envelope, mailbox)], an_email())
    assert isinstance(receipt, Receipt)
    return receipt
