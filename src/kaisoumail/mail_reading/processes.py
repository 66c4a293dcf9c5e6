"""
Reads messages in separate processes (`ProcessReaders`) or, simpler, in a thread (`ThreadReaders`).

Small messages share one reader and are sent to it in batches; large ones have another, so that small ones do not wait
for them; a third reads those that take long, while there are any. A process is started for its first message.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

from kaisoumail.mail_reading.extract import ExtractedFields, extract
from kaisoumail.mail_reading.fair_queue import Usage
from kaisoumail.mail_reading.lanes import QuickLane, ReadRequest, SlowLane
from kaisoumail.mail_reading.reader_process import SPARE_SECONDS, ReaderProcesses

_LARGE: Final = 64 * 1024
INLINE_BYTES: Final = 16 * 1024  # reading more than this would block the event loop noticeably


class Readers(Protocol):
    """The interface of both kinds, as the code that accepts messages uses it."""

    async def read(self, raw: bytes, client: str) -> ExtractedFields:
        """
        The extract of *raw*. The time is charged to *client*: clients with a high usage wait for those with less.

        Raises Problem `overloaded`, a temporary one, when the message cannot be read now.
        """
        ...

    async def close(self) -> None: ...


class ThreadReaders:
    """Reads in this process: no process is started, but a message that crashes the parser crashes the server."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail-reader")

    async def read(self, raw: bytes, client: str) -> ExtractedFields:
        if len(raw) <= INLINE_BYTES:
            return extract(raw)
        return await asyncio.get_running_loop().run_in_executor(self._thread, extract, raw)

    async def close(self) -> None:
        self._thread.shutdown()


@dataclass(frozen=True, slots=True)
class ReadTimeouts:
    """
    Seconds that a message may take: in the quick lanes, in all, and in the slow lane while others wait (*turn*).

    When the slow messages of a client have used *dear* seconds, all its messages go to the slow lane at once. An idle
    process stays for *spare* seconds.
    """

    quick_small: float = 0.5
    quick_large: float = 0.5
    # Ten times the cost of the most expensive message, for a busy machine; a small message costs less.
    small: float = 10.0
    large: float = 20.0
    turn: float = 1.5
    dear: float = 0.3
    spare: float = SPARE_SECONDS


class ProcessReaders:
    """One reader for small messages, one for large, one for slow ones; what none can read is answered as unreadable."""

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
        request = ReadRequest(client, raw, loop.create_future(), patience)
        if self._usage.of_slow(client, loop.time()) >= self._patience.dear:
            self._slow.add(request)
        else:
            (self._small if is_small else self._large).add(request)
        return await request.facts

    async def close(self) -> None:
        for lane in (self._small, self._large, self._slow):
            await lane.close()
        await self._processes.close()
