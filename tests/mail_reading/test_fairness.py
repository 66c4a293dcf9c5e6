"""One message that takes long delays nobody else's: answers come in the order that is fair."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import uvloop

from kaisoumail.errors import Problem
from kaisoumail.mail_reading.extract import ExtractedFields, extract
from kaisoumail.mail_reading.processes import ProcessReaders, ReadTimeouts
from tests.builders import an_email
from tests.polling import PATIENCE_SECONDS

T = TypeVar("T")
# A reader that is stopped uses no CPU: three times as long by the clock is too long as well.
PATIENCE = ReadTimeouts(quick_small=0.4, quick_large=0.4, small=30.0, turn=0.2, dear=0.05)
SLOW = an_email(subject="Your verification code is 551177", text="slow: its reader was stopped")
ORDINARY = an_email(subject="Your verification code is 482913", text="longer, so that it is read behind it\n" * 20)


def _with(story: Callable[[ProcessReaders], Awaitable[T]], patience: ReadTimeouts = PATIENCE) -> T:
    async def run() -> T:
        readers = ProcessReaders(patience)
        try:
            return await story(readers)
        finally:
            await readers.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


async def _stopped_reader(readers: ProcessReaders) -> int:
    """The reader of small messages, stopped before anything is handed to it."""
    before = _children()
    await readers.read(ORDINARY, "somebody")
    [reader] = _children() - before
    os.kill(reader, signal.SIGSTOP)
    return reader


def _children() -> set[int]:
    """The readers among this process's children: other tests in it have left some of their own."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return {int(child) for child in children if b"kaisoumail.mail_reading" in _command_line(child)}


def _command_line(process_id: str) -> bytes:
    try:
        return Path(f"/proc/{process_id}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def _dear(size: int) -> bytes:
    """A message that costs real time: what is no UTF-7 is replaced letter by letter."""
    return b"Subject: dear\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n" + "𐅷".encode() * (size // 4)


def test_i5_an_ordinary_message_is_answered_before_those_of_a_client_whose_messages_take_long() -> None:
    answered: list[str] = []

    async def read(readers: ProcessReaders, raw: bytes, client: str) -> ExtractedFields:
        facts = await readers.read(raw, client)
        answered.append(client)
        return facts

    async def story(readers: ProcessReaders) -> list[ExtractedFields]:
        ordinary = an_email(subject="Your verification code is 482913", text="x\n" * 50_000)  # of the same lane
        await readers.read(ordinary, "b")
        hostile = [asyncio.create_task(read(readers, _dear(600_000), "a")) for _ in range(6)]
        await asyncio.sleep(0)
        facts = await read(readers, ordinary, "b")
        return [facts, *await asyncio.gather(*hostile)]

    facts = _with(story, ReadTimeouts(quick_large=0.02, turn=60.0, large=60.0))

    assert answered[-1] == "a", "it need not wait for all that came before it"
    assert [each.subject for each in facts[1:]] == ["dear"] * 6


def test_i5_messages_in_a_batch_with_one_that_takes_long_are_answered_without_it() -> None:
    async def story(readers: ProcessReaders) -> tuple[bool, ExtractedFields, ExtractedFields]:
        stopped = await _stopped_reader(readers)
        slow = asyncio.create_task(readers.read(SLOW, "a"))
        ordinary = await readers.read(ORDINARY, "b")
        was_answered = slow.done()
        os.kill(stopped, signal.SIGCONT)
        return was_answered, ordinary, await slow

    assert _with(story) == (False, extract(ORDINARY), extract(SLOW))


def test_a_message_that_goes_on_slowly_makes_way_for_one_of_a_client_who_used_less() -> None:
    async def story(readers: ProcessReaders) -> ExtractedFields:
        stopped = await _stopped_reader(readers)
        first = asyncio.create_task(readers.read(SLOW, "a"))
        await readers.read(ORDINARY, "b")
        for other in _children() - {stopped}:
            os.kill(other, signal.SIGSTOP)
        second = asyncio.create_task(readers.read(SLOW, "c"))
        await asyncio.wait((first,))
        for other in _children() - {stopped}:
            os.kill(other, signal.SIGCONT)
        with pytest.raises(Problem, match="others wait") as refused:
            await first
        assert refused.value.code == "overloaded"
        return await second

    assert _with(story) == extract(SLOW)


def test_only_some_messages_of_a_client_whose_messages_take_long_may_wait() -> None:
    async def story(readers: ProcessReaders) -> list[ExtractedFields | BaseException]:
        stopped = await _stopped_reader(readers)
        first = asyncio.create_task(readers.read(SLOW, "a"))
        await readers.read(ORDINARY, "b")
        others = [asyncio.create_task(readers.read(ORDINARY, "a")) for _ in range(50)]
        await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        os.kill(stopped, signal.SIGCONT)
        return await asyncio.gather(first, *others, return_exceptions=True)

    outcomes = _with(story)

    assert outcomes[0] == extract(SLOW)
    assert outcomes[1:33] == [extract(ORDINARY)] * 32
    assert [each.code for each in outcomes[33:] if isinstance(each, Problem)] == ["overloaded"] * 18


def test_what_was_started_in_trouble_ends_when_it_is_over() -> None:
    async def story(readers: ProcessReaders) -> None:
        stopped = await _stopped_reader(readers)
        slow = asyncio.create_task(readers.read(SLOW, "a"))
        await readers.read(ORDINARY, "b")
        os.kill(stopped, signal.SIGCONT)
        await slow
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(_children()) > 1:  # noqa: ASYNC110 - a process that ends tells nobody but the kernel
                await asyncio.sleep(0)

    _with(story, ReadTimeouts(quick_small=0.1, spare=0.0))

    assert _children() == set()
