"""
A reader: frames of messages on standard input, frames of their facts on standard output.

A frame is four bytes of length, most significant first, and MessagePack. In: the number of the first message, and an
array of messages. Out: an array of answers (`frames.py`); those of a few milliseconds go together. The first frame out
is empty: the reader is ready. A frame that comes while messages are left takes their place.

The first argument only names the reader in lists of processes. The second is the file descriptor of a few bytes of
shared memory, in which stands the number of the message that is being read.
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

from kaisoumail.mail_reading.extract import facts_of
from kaisoumail.mail_reading.frames import PROGRESS_BYTES, Answer

# A mail may take 150 MB above its size and has at most 100 MB; beyond this reading it fails, and only that.
_MEMORY: Final = 1024 * 1024 * 1024
_IN: Final = 0
# Each frame wakes the server: it does so once for ordinary messages that were handed in together.
_TOGETHER_SECONDS: Final = 0.005


def main() -> None:
    # Ctrl-C goes to the whole group; the server still wants what it has handed in, and hangs up when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold a stranger's mail
    # What was imported is never garbage, and mails leave little: looking for cycles cost a tenth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    frames = msgspec.msgpack.Decoder(tuple[int, list[bytes]])
    # Not buffered: what another frame brings must be seen by `select`.
    source = open(_IN, "rb", buffering=0, closefd=False)  # noqa: SIM115 - as long as the process
    _write(b"")
    progress = mmap.mmap(int(sys.argv[2]), PROGRESS_BYTES)
    while head := _read(source, 4):
        # No names for what is in between: a large mail is held often enough without them.
        number, waiting = frames.decode(_read(source, int.from_bytes(head, "big")))
        waiting.reverse()
        answers: list[Answer] = []
        told = time.monotonic()
        while waiting:
            progress[:] = number.to_bytes(PROGRESS_BYTES, "big")
            begun = time.thread_time()
            facts = facts_of(waiting.pop())
            answers.append(Answer(number, time.thread_time() - begun, facts))
            number += 1
            if waiting and select.select([source], [], [], 0)[0]:
                waiting.clear()
            if not waiting or time.monotonic() - told > _TOGETHER_SECONDS:
                _write(msgspec.msgpack.encode(answers))
                answers.clear()
                told = time.monotonic()
            del facts


def _read(source: io.FileIO, length: int) -> bytearray:
    """The next *length* bytes of *source*; fewer only where it ends."""
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
