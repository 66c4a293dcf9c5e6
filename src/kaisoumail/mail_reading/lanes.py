"""
Two ways to be read: a quick one, where a message has little time, and the slow one for those that need more.

A message that takes long keeps its process, which goes over to the slow lane with it, so that no work is lost; the
quick lane goes on with another process and what was to be read behind it. Where the slow lane is busy, the process is
ended and the message waits there, to be read from its beginning.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from kaisoumail.errors import Problem
from kaisoumail.mail_reading.extract import ExtractedFields, facts_of_unreadable
from kaisoumail.mail_reading.fair_queue import Bounds, FairQueue, Usage
from kaisoumail.mail_reading.frames import Answer
from kaisoumail.mail_reading.reader_process import LostReader, ReaderProcess, ReaderProcesses

# Few enough that some are being read while others are being stored: all in one frame would move in lockstep.
MOST_TOGETHER: Final = 8
_MOST_BYTES: Final = 1024 * 1024  # in one frame, or one mail that is larger
_CHEAP: Final = 0.1  # seconds that slow messages of a client took, from which on its messages are read alone
_TICK: Final = 0.1  # seconds from one look at what is being read to the next
_LEAST: Final = 0.01  # seconds from one look at a message that had little time to the next
_BUSY: Final = 3.0  # how much longer a message may take where others take the processor
_TRIES: Final = 2  # the first may have met a reader that somebody else had ended
# Bytes as many as the listeners let in (`network/memory_budget.py`): a relay may bring eight messages of 25 MB at once.
_SLOW_BOUNDS: Final = Bounds(messages_of_one=32, bytes_of_one=224 * 1024 * 1024, messages=128, bytes=512 * 1024 * 1024)
_log = structlog.get_logger("kaisoumail.mail_reading")


@dataclass(slots=True, eq=False)
class ReadRequest:
    """A message that is to be read for *client*, and who waits for its facts; *lost* is how many readers it lost."""

    client: str
    raw: bytes
    facts: "asyncio.Future[ExtractedFields]"
    patience: float
    lost: int = 0

    def answer(self, facts: ExtractedFields) -> None:
        if not self.facts.done():  # nobody waits any longer; what was done stays done
            self.facts.set_result(facts)

    def refuse(self, problem: BaseException) -> None:
        if not self.facts.done():
            self.facts.set_exception(problem)


def _weight(reading: ReadRequest) -> int:
    return len(reading.raw)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_over(patience: float, cpu_seconds: float, seconds: float) -> bool:
    """Whether a message has had its time: CPU seconds, which no other process takes from it, or at last any."""
    return cpu_seconds >= patience or seconds >= _BUSY * patience


class _Lane:
    """Reads what is in its queue, by one process at a time, in a task that ends when nothing waits."""

    def __init__(self, name: str, usage: Usage, processes: ReaderProcesses, bounds: Bounds | None = None) -> None:
        self._name = name
        self._usage = usage
        self._processes = processes
        self._queue = FairQueue[ReadRequest](usage, _weight, bounds)
        self._process: ReaderProcess | None = None
        self._task: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Refuse what waits or is being read."""
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
                except Problem as problem:  # no process can be started, so nobody can be read
                    self._refuse(batch, problem)
        except BaseException as error:
            stopping = Problem("overloaded", "No mail is read any more, the server is stopping")
            self._refuse(batch, error if isinstance(error, Exception) else stopping)
            raise
        finally:
            self._task = None

    def _refuse(self, batch: Sequence[ReadRequest], problem: Exception) -> None:
        for reading in (*batch, *self._queue.drain()):
            reading.refuse(problem)

    def _next(self) -> Sequence[ReadRequest]:
        return [each for _, each in self._queue.take(_now(), MOST_TOGETHER, _MOST_BYTES, _CHEAP)]

    async def _read(self, process: ReaderProcess, batch: Sequence[ReadRequest]) -> None:
        """Answer *batch*, or put back what was not; `_process` is None afterwards if *process* is of no more use."""
        raise NotImplementedError

    async def _lost(self, process: ReaderProcess, reading: ReadRequest, error: LostReader) -> None:
        """*process* is gone: *reading* is tried again, or kept as unreadable."""
        await self._end(process)
        reading.lost += 1
        _log.warning("readers.lost", bytes=len(reading.raw), reason=str(error))
        if reading.lost < _TRIES:
            self._queue.put_back(reading.client, reading)
        else:
            reading.answer(facts_of_unreadable(reading.raw))

    async def _end(self, process: ReaderProcess) -> None:
        self._process = None
        await self._processes.end(process)


class QuickLane(_Lane):
    """Reads messages together; one that takes more than *patience* seconds goes over to *slow*."""

    def __init__(self, name: str, usage: Usage, processes: ReaderProcesses, slow: "SlowLane", patience: float) -> None:
        super().__init__(name, usage, processes)
        self._slow = slow
        self._patience = patience

    def add(self, reading: ReadRequest) -> None:
        self._queue.add(reading.client, reading)
        self._begin()

    async def _read(self, process: ReaderProcess, batch: Sequence[ReadRequest]) -> None:
        first = process.send([reading.raw for reading in batch])
        done = 0
        error = None
        try:
            while done < len(batch) and (answers := await self._answers(process)):
                for reading, answer in zip(batch[done:], answers, strict=False):
                    self._usage.charge(reading.client, answer.seconds, _now())
                    reading.answer(answer.facts)
                done += len(answers)
        except LostReader as lost:
            error = lost
        if done < len(batch):
            await self._set_aside(process, batch[done:], first + done, error)

    async def _answers(self, process: ReaderProcess) -> list[Answer]:
        """The next answers; none when the message that is being read takes too long. Raises LostReader."""
        since, cpu, used = _now(), process.cpu_seconds, 0.0
        while not _is_over(self._patience, used, _now() - since):
            try:
                async with asyncio.timeout(max(self._patience / 2 - used, _LEAST)):
                    return await process.answers()
            except TimeoutError:
                used = process.cpu_seconds - cpu
                self._processes.keep_spare()  # it will be wanted, and takes a while to start
        return []

    async def _set_aside(
        self, process: ReaderProcess, left: Sequence[ReadRequest], first: int, error: LostReader | None
    ) -> None:
        """Part with the one of *left* that *process* is reading, or was when it was lost; the others are put back."""
        place = max(process.being_read - first, 0)
        reading = left[place]
        for other in (*left[:place], *left[place + 1 :])[::-1]:
            self._queue.put_back(other.client, other)
        if error is not None:
            await self._lost(process, reading, error)
        else:
            self._process = None
            self._usage.charge(reading.client, self._patience, _now())
            await self._slow.go_on(process, reading, first + place, self._patience)


@dataclass(frozen=True, slots=True)
class _RunningRead:
    """A message that a process reads as its *number*, and *since* when."""

    reading: ReadRequest
    number: int
    since: float


class SlowLane(_Lane):
    """
    Reads one message at a time, for as long as its patience lasts.

    After *turn* seconds it makes way for one whose client has used less: its own sender is asked to come back.
    """

    def __init__(self, usage: Usage, processes: ReaderProcesses, turn: float) -> None:
        super().__init__("slow", usage, processes, _SLOW_BOUNDS)
        self._turn = turn
        self._begun: _RunningRead | None = None

    def add(self, reading: ReadRequest) -> None:
        """Have *reading* read; it is refused when too much waits."""
        if self._queue.add(reading.client, reading):
            self._begin()
        else:
            reading.refuse(Problem("overloaded", "Too many messages that take long to read are waiting"))

    async def go_on(self, process: ReaderProcess, reading: ReadRequest, number: int, seconds: float) -> None:
        """
        Take over *process*, which has been reading *reading* as its *number* for *seconds*.

        While another message is read here, the process is ended and *reading* waits.
        """
        self._processes.keep_spare()
        if self._task is None:
            process.send([])  # the rest of its batch is read by others
            self._process, self._begun = process, _RunningRead(reading, number, _now() - seconds)
            self._begin()
        else:
            await self._processes.end(process)
            self.add(reading)

    def _next(self) -> Sequence[ReadRequest]:
        if self._begun is not None:
            return [self._begun.reading]
        return [each for _, each in self._queue.take(_now(), 1, _MOST_BYTES, _CHEAP)]

    async def _read(self, process: ReaderProcess, batch: Sequence[ReadRequest]) -> None:
        [reading] = batch
        since = _now()
        begun = self._begun or _RunningRead(reading, process.send([reading.raw]), since)
        self._begun = None
        try:
            is_read = await self._is_read(process, begun)
        except LostReader as error:
            await self._lost(process, reading, error)
        else:
            if not is_read:
                self._processes.keep_spare()
                await self._end(process)
            elif not self._queue:
                self._process = None
                await self._processes.give_back(process)
        finally:
            self._usage.charge(reading.client, _now() - since, _now())

    async def _is_read(self, process: ReaderProcess, begun: _RunningRead) -> bool:
        """Whether *process* could read it in time; what became of it is answered in any case."""
        reading = begun.reading
        cpu = process.cpu_seconds
        while not _is_over(reading.patience, process.cpu_seconds - cpu, spent := _now() - begun.since):
            if spent >= self._turn and self._makes_way(reading, spent):
                reading.refuse(Problem("overloaded", "The message takes long to read, and others wait"))
                return False
            try:
                async with asyncio.timeout(_TICK):
                    answers = await process.answers()
            except TimeoutError:
                continue
            for answer in answers:
                if answer.number == begun.number:
                    reading.answer(answer.facts)
                    return True
        _log.warning("readers.too_slow", bytes=len(reading.raw), seconds=reading.patience)
        reading.answer(facts_of_unreadable(reading.raw))
        return False

    def _makes_way(self, reading: ReadRequest, spent: float) -> bool:
        least = self._queue.least_used(_now())
        return least is not None and least < self._usage.of(reading.client, _now()) + spent
