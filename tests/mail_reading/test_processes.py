"""Readers in processes of their own: the same facts, and no mail takes anybody else with it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import uvloop
import zstandard

from kaisoumail.errors import Problem
from kaisoumail.mail_reading.extract import ExtractedFields, extract, unreadable_fields
from kaisoumail.mail_reading.frames import PROGRESS_BYTES
from kaisoumail.mail_reading.processes import ProcessReaders, Readers, ReadTimeouts, ThreadReaders
from tests.builders import an_email
from tests.polling import PATIENCE_SECONDS

T = TypeVar("T")
MAILS = [
    an_email(subject=f"Your verification code is {482913 + number}", text="x\n" * size)
    for number, size in enumerate((1, 200, 9_000, 200_000))
]

IMPATIENT = ReadTimeouts(quick_small=0.2, quick_large=0.2, small=0.4, large=0.4)


def _with(readers: Readers, story: Callable[[Readers], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            return await story(readers)
        finally:
            await readers.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop it is served on
        return runner.run(run())


def _children(name: str = "") -> list[int]:
    """The readers that this process has started; those called *name*, if one is given."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if (
            f"PPid:\t{os.getpid()}\n" in status
            and b"kaisoumail.mail_reading" in words
            and name.encode() in b" ".join(words)
        ):
            found.append(int(folder.name))
    return found


def _ready() -> list[int]:
    """The readers that have started."""
    return [reader for reader in _children() if "memfd:kaisoumail-reader" in Path(f"/proc/{reader}/maps").read_text()]


@pytest.mark.parametrize("kind", [ProcessReaders, ThreadReaders])
def test_every_mail_gets_its_own_facts(kind: type[ProcessReaders] | type[ThreadReaders]) -> None:
    async def story(readers: Readers) -> list[ExtractedFields]:
        return await asyncio.gather(*(readers.read(raw, "a") for raw in MAILS * 3))

    read = _with(kind(), story)

    assert read == [extract(raw) for raw in MAILS * 3]
    assert [zstandard.decompress(facts.compressed) for facts in read] == MAILS * 3
    assert [facts.verification.code if facts.verification else None for facts in read[:2]] == ["482913", "482914"]


def test_a_reader_that_somebody_ended_is_replaced() -> None:
    async def story(readers: Readers) -> ExtractedFields:
        await readers.read(MAILS[0], "a")
        [reader] = _children()
        os.kill(reader, signal.SIGKILL)
        return await readers.read(MAILS[1], "a")

    assert _with(ProcessReaders(), story) == extract(MAILS[1])


def test_of_readers_that_died_no_memory_and_no_descriptor_is_kept() -> None:
    def kept() -> int:
        maps = Path("/proc/self/maps").read_text().count("memfd:kaisoumail-reader")
        descriptors = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return maps + sum("memfd:kaisoumail-reader" in one for one in descriptors)

    async def story(readers: Readers) -> int:
        for raw in MAILS[:3] * 2:
            await readers.read(raw, "a")
            for reader in _children():
                os.kill(reader, signal.SIGKILL)
        await readers.read(MAILS[0], "a")
        return kept()

    assert _with(ProcessReaders(), story) <= 2
    assert kept() == 0


def test_a_mail_that_no_reader_survives_is_kept_unread_and_the_next_is_read() -> None:
    async def story(readers: Readers) -> list[ExtractedFields]:
        deadly = asyncio.create_task(readers.read(MAILS[1], "a"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not deadly.done():
                for reader in _ready():
                    os.kill(reader, signal.SIGKILL)
                await asyncio.sleep(0)
        return [await deadly, await readers.read(MAILS[0], "a")]

    assert _with(ProcessReaders(), story) == [unreadable_fields(MAILS[1]), extract(MAILS[0])]


def test_a_mail_that_takes_too_long_is_kept_unread_and_the_next_is_read() -> None:
    async def story(readers: Readers) -> list[ExtractedFields]:
        await readers.read(MAILS[0], "a")
        os.kill(_children()[0], signal.SIGSTOP)
        return [await readers.read(MAILS[1], "a"), await readers.read(MAILS[0], "a")]

    assert _with(ProcessReaders(IMPATIENT), story) == [unreadable_fields(MAILS[1]), extract(MAILS[0])]


def test_of_many_handed_in_together_only_the_guilty_one_stays_unread() -> None:
    async def story(readers: Readers) -> list[ExtractedFields]:
        await readers.read(MAILS[0], "a")
        [reader] = _children()
        os.kill(reader, signal.SIGKILL)
        return await asyncio.gather(*(readers.read(raw, "a") for raw in MAILS[:3]))

    assert _with(ProcessReaders(), story) == [extract(raw) for raw in MAILS[:3]]


def test_small_mails_do_not_wait_behind_a_large_one() -> None:
    async def story(readers: Readers) -> tuple[bool, ExtractedFields]:
        await asyncio.gather(*(readers.read(raw, "a") for raw in (MAILS[0], MAILS[3])))
        [busy] = _children("large")
        os.kill(busy, signal.SIGSTOP)
        large = asyncio.create_task(readers.read(MAILS[3], "a"))
        small = await readers.read(MAILS[0], "a")
        was_done = large.done()
        await readers.close()
        with pytest.raises(Problem, match="stopping"):
            await large
        return was_done, small

    assert _with(ProcessReaders(), story) == (False, extract(MAILS[0]))


def test_nobody_is_left_behind() -> None:
    async def story(readers: Readers) -> None:
        await asyncio.gather(*(readers.read(raw, "a") for raw in MAILS))
        assert len(_children()) == 2

    _with(ProcessReaders(), story)

    assert _children() == []


def test_a_reader_whose_input_ends_within_a_frame_ends_with_one_line() -> None:
    shared = os.memfd_create("progress")
    os.ftruncate(shared, PROGRESS_BYTES)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "kaisoumail.mail_reading", "test", str(shared)],
            input=b"\x00\x00\x00\x09half",
            capture_output=True,
            pass_fds=[shared],
            timeout=60,
        )
    finally:
        os.close(shared)

    assert (ended.returncode, ended.stderr) == (1, b"the input ends within a frame\n")
