"""
A reader: frames of mails on standard input, frames of their facts on standard output, until there are no more.

A frame is four bytes of length, most significant first, and a MessagePack array. An argument only names the
reader in lists of processes.
"""

import gc
import resource
import signal
import sys
from typing import Final

import msgspec

from kaisoumail.readers.facts import facts_of

# A mail may take 150 MB above its size and has at most 100 MB; beyond this reading it fails, and only that.
_MEMORY: Final = 1024 * 1024 * 1024


def main() -> None:
    # Ctrl-C goes to the whole group; the server still wants what it has handed in, and hangs up when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold a stranger's mail
    # What was imported is never garbage, and mails leave little: looking for cycles cost a tenth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    mails = msgspec.msgpack.Decoder(list[bytes])
    encoder = msgspec.msgpack.Encoder()
    while head := sys.stdin.buffer.read(4):
        # No names for what is in between: a large mail is held often enough without them.
        length = int.from_bytes(head, "big")
        answer = encoder.encode([facts_of(raw) for raw in mails.decode(sys.stdin.buffer.read(length))])
        sys.stdout.buffer.write(len(answer).to_bytes(4, "big") + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
