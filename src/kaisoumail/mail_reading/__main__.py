"""
A reader process: receives frames of messages on standard input, writes frames of extracts to standard output.

A frame is four bytes of length, most significant first, and MessagePack. Input: the number of the first message, and an
array of messages. Output: an array of answers (`frames.py`); those of a few milliseconds share a frame. The first
output frame is empty: the reader is ready. A frame that arrives before the last one is done replaces the rest of
its messages.

The first argument only names the reader in lists of processes. The second is the file descriptor of a few bytes of
shared memory with the number of the message that is being read.
"""

import gc
import io
import mmap
import resource
import select
import signal
import sys
import time
from typing import Final

import msgspec

from kaisoumail.mail_reading.extract import extract
from kaisoumail.mail_reading.frames import PROGRESS_BYTES, Answer

# A message may take 150 MB above its size, which is at most 100 MB; beyond this limit reading that message fails.
_MEMORY: Final = 1024 * 1024 * 1024
_IN: Final = 0
# Each frame wakes the server: once is enough for ordinary messages that were sent together.
_TOGETHER_SECONDS: Final = 0.005


def main() -> None:
    """Read messages until standard input ends; SIGINT and SIGTERM are ignored."""
    # Ctrl-C signals the whole group. The server still needs the answers it waits for, and closes the pipe at its end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would contain messages
    # Imported modules are never garbage, and messages leave little: collecting cycles took a tenth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    frames = msgspec.msgpack.Decoder(tuple[int, list[bytes]])
    # Unbuffered: `select` must see the arrival of another frame.
    source = open(_IN, "rb", buffering=0, closefd=False)  # noqa: SIM115 - as long as the process
    _write(b"")
    progress = mmap.mmap(int(sys.argv[2]), PROGRESS_BYTES)
    while head := _read(source, 4):
        try:
            # No variables for the intermediate values: a large message has enough copies without them.
            number, pending = frames.decode(_read(source, int.from_bytes(head, "big")))
        except msgspec.DecodeError:  # the server died in the middle of a frame
            sys.exit("the input ends within a frame")
        pending.reverse()
        answers: list[Answer] = []
        written_at = time.monotonic()
        while pending:
            progress[:] = number.to_bytes(PROGRESS_BYTES, "big")
            cpu_before = time.thread_time()
            fields = extract(pending.pop())
            answers.append(Answer(number, time.thread_time() - cpu_before, fields))
            number += 1
            if pending and select.select([source], [], [], 0)[0]:
                pending.clear()
            if not pending or time.monotonic() - written_at > _TOGETHER_SECONDS:
                _write(msgspec.msgpack.encode(answers))
                answers.clear()
                written_at = time.monotonic()
            del fields


def _read(source: io.FileIO, length: int) -> bytearray:
    """The next *length* bytes of *source*; none where it ends before."""
    content = bytearray(length)
    view = memoryview(content)
    while view:
        count = source.readinto(view)
        if not count:
            return bytearray()
        view = view[count:]
    return content


def _write(content: bytes) -> None:
    sys.stdout.buffer.write(len(content).to_bytes(4, "big") + content)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
