"""A reader process, as the server uses it, and the pool that starts and ends these processes."""

import asyncio
import mmap
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections import deque
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Final, TypeVar, cast

import msgspec
import structlog

from kaisoumail.errors import Problem
from kaisoumail.mail_reading.frames import PROGRESS_BYTES, Answer

T = TypeVar("T")

_PROCESS_CLOCK: Final = 2  # CPUCLOCK_SCHED of Linux: the clock of another process, as in clock_getcpuclockid(3)
_START_SECONDS: Final = 20.0  # ten times the usual, for a busy machine
SPARE_SECONDS: Final = 60.0  # a spare process stays this long after the last slow message or loss
_log = structlog.get_logger("kaisoumail.mail_reading")
_ANSWERS: Final = msgspec.msgpack.Decoder(list[Answer])


class LostReader(Exception):
    """The process has ended, by itself or from outside."""


class ReaderProcess(asyncio.SubprocessProtocol):
    """A process that reads one batch at a time. `ReaderProcesses` creates it."""

    def __init__(self, progress: mmap.mmap) -> None:
        self._progress = progress
        self._begun = 0
        self._sent = 0
        self._received = bytearray()
        self._frames: deque[bytes] = deque()
        self._next: asyncio.Future[None] | None = None  # done when there is a frame, or the process has ended
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_lost = False
        self._transport: asyncio.SubprocessTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._to = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        received = self._received
        received += data
        while len(received) >= 4 and len(received) >= (end := 4 + int.from_bytes(received[:4], "big")):
            self._frames.append(bytes(memoryview(received)[4:end]))
            del received[:end]
            self._wake()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._is_lost = True
        self._wake()

    def process_exited(self) -> None:
        self._is_lost = True
        self._wake()
        if not self._ended.done():
            self._ended.set_result(None)

    @property
    def being_read(self) -> int:
        """The number of the message whose reading began last."""
        if not self._progress.closed:
            self._begun = int.from_bytes(self._progress[:], "big")
        return self._begun

    @property
    def cpu_seconds(self) -> float:
        """The CPU seconds of the process: on a busy machine, fewer than have passed. 0.0 once it has ended."""
        try:
            return time.clock_gettime((~self._transport.get_pid() << 3) | _PROCESS_CLOCK)
        except OSError:  # it has ended, and `answers` raises LostReader
            return 0.0

    def send(self, messages: Sequence[bytes]) -> int:
        """Send *messages* to the process; return the number of the first. Drops the unread rest of an earlier batch."""
        first, self._sent = self._sent + 1, self._sent + len(messages)
        frame = msgspec.msgpack.encode((first, messages))
        try:
            self._to.write(len(frame).to_bytes(4, "big"))
            self._to.write(frame)
        except RuntimeError:  # from uvloop, for a closed pipe
            self._is_lost = True
        return first

    async def answers(self) -> list[Answer]:
        """The next answers, at least one. May be cancelled and called again. Raises LostReader."""
        return _ANSWERS.decode(await self._frame())

    async def ready(self) -> None:
        """Wait until the process is ready to read. Raises LostReader."""
        await self._frame()

    async def end(self) -> int | None:
        """End the process and return its exit status."""
        self._is_lost = True
        if self._transport.get_returncode() is None:
            self._transport.kill()
        await asyncio.shield(self._ended)
        self._begun = self.being_read
        self._progress.close()  # a map has its own file descriptor, and is collected late
        self._transport.close()
        return self._transport.get_returncode()

    async def _frame(self) -> bytes:
        while not self._frames:
            if self._is_lost:
                raise LostReader(f"it ended with {await self.end()}")
            self._next = asyncio.get_running_loop().create_future()
            await self._next
        return self._frames.popleft()

    def _wake(self) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(None)


class ReaderProcesses:
    """Starts and ends processes, and has a spare one for a while after one was lost or slow."""

    def __init__(self, spare_seconds: float = SPARE_SECONDS) -> None:
        self._spare_seconds = spare_seconds
        self._all: set[ReaderProcess] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._spare: asyncio.Future[ReaderProcess] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def take(self, name: str) -> ReaderProcess:
        """The spare process, or a new one named *name*. Raises Problem `overloaded` when none can be started."""
        spare, self._spare = self._spare, None
        # Shielded: a start that is cancelled would leak a process.
        return await asyncio.shield(spare or self._task(self._start(name)))

    def keep_spare(self) -> None:
        """Have a spare process until *spare_seconds* after the last call."""
        if self._is_closed:
            return
        if self._spare is None:
            self._spare = self._task(self._start("spare"))
            self._spare.add_done_callback(self._forget_failed)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._spare_seconds, self._drop_spare)

    async def give_back(self, process: ReaderProcess) -> None:
        """Return an idle *process*: it becomes the spare if one is needed, and is ended otherwise."""
        if self._spare is None and self._timer is not None:
            self._spare = asyncio.get_running_loop().create_future()
            self._spare.set_result(process)
        else:
            await self.end(process)

    async def end(self, process: ReaderProcess) -> None:
        """End a process from `take`."""
        await process.end()
        self._all.discard(process)

    async def close(self) -> None:
        """End all processes, also those that are being started; no more can be started."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        while self._all or self._tasks:
            for process in tuple(self._all):
                await self.end(process)
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(self, name: str) -> ReaderProcess:
        if self._is_closed:
            raise _server_is_stopping()
        try:
            process = await _spawn(name)
        except OSError as error:
            raise Problem("overloaded", f"A reader process cannot be started: {error.strerror}") from error
        self._all.add(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await process.ready()
        except (TimeoutError, LostReader) as error:
            await self.end(process)
            raise Problem("overloaded", "A reader process did not start") from error
        if self._is_closed:
            raise _server_is_stopping()
        return process

    def _task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _drop_spare(self) -> None:
        spare, self._spare, self._timer = self._spare, None, None
        if spare is not None:
            self._task(self._end_spare(spare))

    async def _end_spare(self, spare: asyncio.Future[ReaderProcess]) -> None:
        await self.end(await spare)

    def _forget_failed(self, spare: asyncio.Future[ReaderProcess]) -> None:
        if not spare.cancelled() and spare.exception() is not None:
            _log.warning("readers.no_spare", reason=str(spare.exception()))
            if self._spare is spare:
                self._spare = None


def _server_is_stopping() -> Problem:
    return Problem("overloaded", "No more messages are read: the server is stopping")


async def _spawn(name: str) -> ReaderProcess:
    shared = os.memfd_create("kaisoumail-reader")
    try:
        os.ftruncate(shared, PROGRESS_BYTES)
        progress = mmap.mmap(shared, PROGRESS_BYTES)
        command = (sys.executable, "-m", "kaisoumail.mail_reading", name, str(shared))
        _, process = await asyncio.get_running_loop().subprocess_exec(
            partial(ReaderProcess, progress), *command, stdin=PIPE, stdout=PIPE, stderr=None, pass_fds=(shared,)
        )
    finally:
        os.close(shared)
    return process
