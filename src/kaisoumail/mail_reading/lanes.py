"""
The lanes that read messages: quick ones, where a message has little time, and the slow one for those that need more.

A message that takes long moves to the slow lane together with its process, so that no work is lost; the quick lane
continues the rest of the batch with another process. If the slow lane is busy, the process is ended and the message
waits there, to be read again from its beginning.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from kaisoumail.errors import Problem
from kaisoumail.mail_reading.extract import ExtractedFields, unreadable_fields
from kaisoumail.mail_reading.fair_queue import Bounds, FairQueue, Usage
from kaisoumail.mail_reading.frames import Answer
from kaisoumail.mail_reading.reader_process import LostReader, ReaderProcess, ReaderProcesses

# Few enough that some messages are read while others are stored: larger batches would do these steps in turn.
MOST_TOGETHER: Final = 8
_MOST_BYTES: Final = 1024 * 1024  # in one frame, unless a single message is larger
_CHEAP: Final = 0.1  # seconds; from this usage for slow messages on, a client's messages are read one at a time
_TICK: Final = 0.1  # seconds between two checks of a message that is being read
_LEAST: Final = 0.01  # seconds between two checks of a message in a quick lane at least
_BUSY: Final = 3.0  # factor on the time allowed, for when other processes use the processor
_TRIES: Final = 2  # the first reader may have ended for another reason than the message
# As many bytes as the listeners accept (`network/memory_budget.py`): a relay may bring eight messages of 25 MB at once.
_SLOW_BOUNDS: Final = Bounds(messages_of_one=32, bytes_of_one=224 * 1024 * 1024, messages=128, bytes=512 * 1024 * 1024)
_log = structlog.get_logger("kaisoumail.mail_reading")


@dataclass(slots=True, eq=False)
class ReadRequest:
    """
    A message to read for *client*, and the future of its extract.

    *patience* is how many seconds reading may take; *lost* counts the readers that ended while they read it.
    """

    client: str
    raw: bytes
    facts: "asyncio.Future[ExtractedFields]"
    patience: float
    lost: int = 0

    def answer(self, facts: ExtractedFields) -> None:
        if not self.facts.done():  # otherwise the caller no longer waits
            self.facts.set_result(facts)

    def refuse(self, problem: BaseException) -> None:
        if not self.facts.done():
            self.facts.set_exception(problem)


def _weight(request: ReadRequest) -> int:
    return len(request.raw)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_over(patience: float, cpu_seconds: float, seconds: float) -> bool:
    """Whether a message has used its time: *patience* CPU seconds, or `_BUSY` times as many that have passed."""
    return cpu_seconds >= patience or seconds >= _BUSY * patience


class _Lane:
    """Reads the messages in its queue with one process at a time, in a task that ends when the queue is empty."""

    def __init__(self, name: str, usage: Usage, processes: ReaderProcesses, bounds: Bounds | None = None) -> None:
        self._name = name
        self._usage = usage
        self._processes = processes
        self._queue = FairQueue[ReadRequest](usage, _weight, bounds)
        self._process: ReaderProcess | None = None
        self._task: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Refuse all messages that wait or are being read."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _begin(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        batch: Sequence[ReadRequest] = ()
        try:
            while batch := self._next():
                try:
                    if self._process is None:
                        self._process = await self._processes.take(self._name)
                    await self._read(self._process, batch)
                except Problem as problem:  # no process can be started, so no message can be read
                    self._refuse(batch, problem)
        except BaseException as error:
            stopping = Problem("overloaded", "No more messages are read: the server is stopping")
            self._refuse(batch, error if isinstance(error, Exception) else stopping)
            raise
        finally:
            self._task = None

    def _refuse(self, batch: Sequence[ReadRequest], problem: Exception) -> None:
        for request in (*batch, *self._queue.drain()):
            request.refuse(problem)

    def _next(self) -> Sequence[ReadRequest]:
        return [each for _, each in self._queue.take(_now(), MOST_TOGETHER, _MOST_BYTES, _CHEAP)]

    async def _read(self, process: ReaderProcess, batch: Sequence[ReadRequest]) -> None:
        """Answer the requests of *batch* or put them back; set `_process` to None if *process* cannot be used again."""
        raise NotImplementedError

    async def _lost(self, process: ReaderProcess, request: ReadRequest, error: LostReader) -> None:
        """Handle the end of *process*: put *request* back, or answer it as unreadable."""
        await self._end(process)
        request.lost += 1
        _log.warning("readers.lost", bytes=len(request.raw), reason=str(error))
        if request.lost < _TRIES:
            self._queue.put_back(request.client, request)
        else:
            request.answer(unreadable_fields(request.raw))

    async def _end(self, process: ReaderProcess) -> None:
        self._process = None
        await self._processes.end(process)


class QuickLane(_Lane):
    """Reads messages in batches; one that takes more than *patience* seconds moves to the lane *slow*."""

    def __init__(self, name: str, usage: Usage, processes: ReaderProcesses, slow: "SlowLane", patience: float) -> None:
        super().__init__(name, usage, processes)
        self._slow = slow
        self._patience = patience

    def add(self, request: ReadRequest) -> None:
        """Queue *request*; this queue has no bounds."""
        self._queue.add(request.client, request)
        self._begin()

    async def _read(self, process: ReaderProcess, batch: Sequence[ReadRequest]) -> None:
        first = process.send([request.raw for request in batch])
        done = 0
        error = None
        try:
            while done < len(batch) and (answers := await self._answers(process)):
                for request, answer in zip(batch[done:], answers, strict=False):
                    self._usage.charge(request.client, answer.seconds, _now())
                    request.answer(answer.facts)
                done += len(answers)
        except LostReader as lost:
            error = lost
        if done < len(batch):
            await self._put_back_others(process, batch[done:], first + done, error)

    async def _answers(self, process: ReaderProcess) -> list[Answer]:
        """The next answers; empty when the message that is being read takes too long. Raises LostReader."""
        since, cpu, used = _now(), process.cpu_seconds, 0.0
        while not _is_over(self._patience, used, _now() - since):
            try:
                async with asyncio.timeout(max(self._patience / 2 - used, _LEAST)):
                    return await process.answers()
            except TimeoutError:
                used = process.cpu_seconds - cpu
                self._processes.keep_spare()  # it will be needed, and takes a while to start
        return []

    async def _put_back_others(
        self, process: ReaderProcess, left: Sequence[ReadRequest], first: int, error: LostReader | None
    ) -> None:
        """Put back *left* except the message that *process* reads: it goes to the slow lane, or is handled as lost."""
        place = max(process.being_read - first, 0)
        request = left[place]
        for other in (*left[:place], *left[place + 1 :])[::-1]:
            self._queue.put_back(other.client, other)
        if error is not None:
            await self._lost(process, request, error)
        else:
            self._process = None
            self._usage.charge(request.client, self._patience, _now())
            await self._slow.go_on(process, request, first + place, self._patience)


@dataclass(frozen=True, slots=True)
class _RunningRead:
    """A message that a process reads under *number*, and the loop time *since* which it does."""

    request: ReadRequest
    number: int
    since: float


class SlowLane(_Lane):
    """
    Reads one message at a time, for at most its *patience*.

    After *turn* seconds it gives up the message for one whose client has used less, and refuses it as `overloaded`, so
    that its sender tries again.
    """

    def __init__(self, usage: Usage, processes: ReaderProcesses, turn: float) -> None:
        super().__init__("slow", usage, processes, _SLOW_BOUNDS)
        self._turn = turn
        self._running: _RunningRead | None = None

    def add(self, request: ReadRequest) -> None:
        """Queue *request*; it is refused when too much waits."""
        if self._queue.add(request.client, request):
            self._begin()
        else:
            request.refuse(Problem("overloaded", "Too many messages that take long to read are waiting"))

    async def go_on(self, process: ReaderProcess, request: ReadRequest, number: int, seconds: float) -> None:
        """
        Take over *process*, which has been reading *request* under *number* for *seconds*.

        If this lane is reading another message, the process is ended and *request* is queued.
        """
        self._processes.keep_spare()
        if self._task is None:
            process.send([])  # drops the rest of its batch, which other processes read
            self._process, self._running = process, _RunningRead(request, number, _now() - seconds)
            self._begin()
        else:
            await self._processes.end(process)
            self.add(request)

    def _next(self) -> Sequence[ReadRequest]:
        if self._running is not None:
            return [self._running.request]
        return [each for _, each in self._queue.take(_now(), 1, _MOST_BYTES, _CHEAP)]

    async def _read(self, process: ReaderProcess, batch: Sequence[ReadRequest]) -> None:
        [request] = batch
        since = _now()
        running = self._running or _RunningRead(request, process.send([request.raw]), since)
        self._running = None
        try:
            is_in_time = await self._read_in_time(process, running)
        except LostReader as error:
            await self._lost(process, request, error)
        else:
            if not is_in_time:
                self._processes.keep_spare()
                await self._end(process)
            elif not self._queue:
                self._process = None
                await self._processes.give_back(process)
        finally:
            self._usage.charge(request.client, _now() - since, _now())

    async def _read_in_time(self, process: ReaderProcess, running: _RunningRead) -> bool:
        """Whether *process* read the message in time; its request is answered in any case."""
        request = running.request
        cpu = process.cpu_seconds
        while not _is_over(request.patience, process.cpu_seconds - cpu, spent := _now() - running.since):
            if spent >= self._turn and self._must_yield(request, spent):
                request.refuse(Problem("overloaded", "The message takes too long to read while others wait"))
                return False
            try:
                async with asyncio.timeout(_TICK):
                    answers = await process.answers()
            except TimeoutError:
                continue
            for answer in answers:
                if answer.number == running.number:
                    request.answer(answer.facts)
                    return True
        _log.warning("readers.too_slow", bytes=len(request.raw), seconds=request.patience)
        request.answer(unreadable_fields(request.raw))
        return False

    def _must_yield(self, request: ReadRequest, spent: float) -> bool:
        least = self._queue.least_used(_now())
        return least is not None and least < self._usage.of(request.client, _now()) + spent
