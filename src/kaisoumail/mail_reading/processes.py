"""
Readers in processes of their own, and the simple kind in threads.

Small messages share a reader, and those of a moment go to it together; large ones have another, so that nobody waits
behind them; a third, only while there are such, has those that take long. A process is started with the first message
it is for.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

from kaisoumail.mail_reading.extract import ExtractedFields, facts_of
from kaisoumail.mail_reading.fair_queue import Usage
from kaisoumail.mail_reading.lanes import QuickLane, ReadRequest, SlowLane
from kaisoumail.mail_reading.reader_process import SPARE_SECONDS, ReaderProcesses

_LARGE: Final = 64 * 1024
INLINE_BYTES: Final = 16 * 1024  # reading more than this would be felt by others on the event loop


class Readers(Protocol):
    """What the accepting path sees of either kind."""

    async def read(self, raw: bytes, client: str) -> ExtractedFields:
        """
        The facts of *raw*, read on the account of *client*: who has used much time waits behind who has not.

        Raises Problem `overloaded`, which may pass, when nobody can read just now.
        """
        ...

    async def close(self) -> None: ...


class ThreadReaders:
    """Reads in this process: nothing to start, but a mail that crashes the parser takes the server with it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail-reader")

    async def read(self, raw: bytes, client: str) -> ExtractedFields:
        if len(raw) <= INLINE_BYTES:
            return facts_of(raw)
        return await asyncio.get_running_loop().run_in_executor(self._thread, facts_of, raw)

    async def close(self) -> None:
        self._thread.shutdown()


@dataclass(frozen=True, slots=True)
class ReadTimeouts:
    """
    Seconds that a message may take: in the quick lanes, and in all; and in the slow lane while others wait.

    *dear* is what a client's slow messages may have used before all of them go to the slow lane at once; *spare* is how
    long a process is kept for the next time.
    """

    quick_small: float = 0.5
    quick_large: float = 0.5
    # Ten times what the dearest mail may cost, for a busy machine, and a small one costs less.
    small: float = 10.0
    large: float = 20.0
    turn: float = 1.5
    dear: float = 0.3
    spare: float = SPARE_SECONDS


class ProcessReaders:
    """One reader for small messages, one for large ones, one for slow ones; what none can read is kept unread."""

    def __init__(self, patience: ReadTimeouts | None = None) -> None:
        self._patience = patience or ReadTimeouts()
        self._usage = Usage()
        self._processes = ReaderProcesses(self._patience.spare)
        self._slow = SlowLane(self._usage, self._processes, self._patience.turn)
        self._small = QuickLane("small", self._usage, self._processes, self._slow, self._patience.quick_small)
        self._large = QuickLane("large", self._usage, self._processes, self._slow, self._patience.quick_large)

    async def read(self, raw: bytes, client: str) -> ExtractedFields:
        loop = asyncio.get_running_loop()
        is_small = len(raw) <= _LARGE
        patience = self._patience.small if is_small else self._patience.large
        reading = ReadRequest(client, raw, loop.create_future(), patience)
        if self._usage.of_slow(client, loop.time()) >= self._patience.dear:
            self._slow.add(reading)
        else:
            (self._small if is_small else self._large).add(reading)
        return await reading.facts

    async def close(self) -> None:
        for lane in (self._small, self._large, self._slow):
            await lane.close()
        await self._processes.close()
