"""
Readers in processes of their own, and the simple kind in threads.

Small mails share a reader, and those of a moment go to it together; large ones have another, so that
nobody waits behind them. A process is started with the first mail it is for.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol

import msgspec
import structlog

from kaisoumail.errors import Problem
from kaisoumail.readers.facts import Facts, facts_of, facts_of_unreadable
from kaisoumail.storage.gathering import Gathered

_LARGE: Final = 64 * 1024
# Few enough that some are being read while others are being stored: all in one frame would move in lockstep.
_MOST_TOGETHER: Final = 8
_MOST_BYTES: Final = 1024 * 1024  # in one frame, or one mail that is larger
# Ten times what the dearest mail may cost, for a busy machine, and a small one costs less.
_PATIENCE: Final = {"small": 10.0, "large": 20.0}
_TRIES: Final = 2  # the first may have met a reader that somebody else had ended
INLINE_BYTES: Final = 16 * 1024  # reading more than this would be felt by others on the event loop
_log = structlog.get_logger("kaisoumail.readers")


class Readers(Protocol):
    """What the accepting path sees of either kind."""

    async def read(self, raw: bytes) -> Facts:
        """The facts of *raw*. Raises Problem `overloaded`, which may pass, when nobody can read just now."""
        ...

    async def close(self) -> None: ...


class ThreadReaders:
    """Reads in this process: nothing to start, but a mail that crashes the parser takes the server with it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail-reader")

    async def read(self, raw: bytes) -> Facts:
        if len(raw) <= INLINE_BYTES:
            return facts_of(raw)
        return await asyncio.get_running_loop().run_in_executor(self._thread, facts_of, raw)

    async def close(self) -> None:
        self._thread.shutdown()


class ProcessReaders:
    """One reader for small mails and one for large ones; a mail that no reader survives is kept unread."""

    def __init__(self, patience: Mapping[str, float] = _PATIENCE) -> None:
        self._readers = tuple(_Reader(name, patience[name]) for name in ("small", "large"))
        self._small, self._large = (
            Gathered[bytes, Facts](partial(_asked, reader), weigh=len, most_weight=_MOST_BYTES, most=_MOST_TOGETHER)
            for reader in self._readers
        )

    async def read(self, raw: bytes) -> Facts:
        return await (self._small if len(raw) <= _LARGE else self._large).answer(raw)

    async def close(self) -> None:
        for reader in self._readers:
            await reader.close()


class _Lost(Exception):
    """The reader ended by itself, or was ended by somebody."""


class _TooSlow(_Lost):
    """The reader was ended because it took too long."""


async def _asked(reader: "_Reader", mails: Sequence[bytes]) -> Sequence[Facts]:
    if len(mails) > 1:
        return await reader.read(mails)  # lost, each is asked alone, to find the guilty one
    for _ in range(_TRIES):
        try:
            return await reader.read(mails)
        except _Lost as lost:
            _log.warning("readers.lost", bytes=len(mails[0]), reason=str(lost))
            if isinstance(lost, _TooSlow):
                break  # it was alone and nobody's fault but its own: others wait
    return [facts_of_unreadable(mails[0])]


class _Reader:
    """One process, started when it is needed; one question at a time."""

    def __init__(self, name: str, patience: float) -> None:
        self._name = name
        self._patience = patience
        self._process: Process | None = None
        self._is_closed = False

    async def read(self, mails: Sequence[bytes]) -> list[Facts]:
        """The facts of each of *mails*. Raises _Lost, or Problem `overloaded` when no process can be started."""
        process = self._process or await self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        frame = msgspec.msgpack.encode(mails)
        try:
            async with asyncio.timeout(self._patience):
                process.stdin.write(len(frame).to_bytes(4, "big"))
                process.stdin.write(frame)
                head = await process.stdout.readexactly(4)
                answer = await process.stdout.readexactly(int.from_bytes(head, "big"))
        except (asyncio.IncompleteReadError, ConnectionError, RuntimeError):  # the last is uvloop's, for a closed pipe
            raise _Lost(f"it ended with {await self.stop()}") from None
        except TimeoutError:
            await self.stop()
            raise _TooSlow(f"it took longer than {self._patience:.0f} s") from None
        except BaseException:
            await self.stop()  # half a conversation is of no use to the next
            raise
        return msgspec.msgpack.decode(answer, type=list[Facts])

    async def close(self) -> None:
        """End the process for good."""
        self._is_closed = True
        await self.stop()

    async def stop(self) -> int | None:
        """End the process; how it ended, or None if there was none."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            process.kill()
        return await process.wait()

    async def _started(self) -> Process:
        if self._is_closed:
            raise Problem("overloaded", "No mail is read any more, the server is stopping")
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "kaisoumail.readers", self._name, stdin=PIPE, stdout=PIPE, limit=_MOST_BYTES
            )
        except OSError as error:
            raise Problem("overloaded", f"No process to read mails in can be started: {error.strerror}") from error
        return self._process
