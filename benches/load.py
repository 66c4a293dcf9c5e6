"""
The load: many kept connections, each with one mail after the other, in a process of its own.

    python -m benches.load DOOR PORT CONNECTIONS COUNT SIZE

DOOR is `smtp` or `webhook`. Prints one JSON line: when it began (by `perf_counter`, which all processes share), the
seconds it took, and p50 and p99 in seconds from the first byte of a mail to its answer. One mail on each connection
goes first and is not counted: what a server starts with its first mail is started then. SMTP commands are pipelined, as
every MTA does with a server that offers it. It is one loop over plain sockets, so that the load costs little of the
machine it shares with what is measured.
"""

import hashlib
import hmac
import json
import selectors
import socket
import sys
import time
from collections.abc import Generator, Iterator
from itertools import islice

from tests.builders import an_email
from tests.servers import INBOUND_SECRET

ADDRESS = "ada@mail.customer.com"
_ENVELOPE = f"MAIL FROM:<bench@shop.example>\r\nRCPT TO:<{ADDRESS}>\r\nDATA\r\n".encode()
# One connection: yields what it says (b"" to go on listening), and is sent what was heard.
Talk = Generator[bytes, bytes, None]


def mails(count: int, size: int) -> Iterator[bytes]:
    """Different mails of about *size* bytes, each with a code; made beforehand, so that making them costs nothing."""
    line = "All work and no play makes a dull mail, so here is some more of it. \n"
    whole = an_email(to=ADDRESS, subject="Mail 000000, your code is 000000", text=line * (size // len(line)))
    run = f"{time.time_ns() % 10**6:06d}".encode()
    numbered = (b"%06d" % number for number in range(count))
    return iter([whole.replace(b"Mail 000000", b"Mail " + run).replace(b"000000", number) for number in numbered])


def by_smtp(left: Iterator[bytes], times: list[float]) -> Talk:
    heard = yield b""
    heard = yield b"EHLO bench.example\r\n"
    while not heard.endswith(b"\n") or heard.splitlines()[-1][3:4] != b" ":
        heard += yield b""
    for mail in left:
        began = time.perf_counter()
        heard = yield _ENVELOPE
        while heard.count(b"\n") < 3:
            heard += yield b""
        assert heard.rpartition(b"\n")[0].rpartition(b"\n")[2].startswith(b"354"), heard
        heard = yield mail + b".\r\n"
        assert heard.startswith(b"250"), heard
        times.append(time.perf_counter() - began)


def by_webhook(left: Iterator[bytes], times: list[float]) -> Talk:
    for request in left:
        began = time.perf_counter()
        heard = yield request
        while not heard.endswith(b"}"):
            heard += yield b""
        assert heard.startswith(b"HTTP/1.1 200"), heard
        times.append(time.perf_counter() - began)


def handed_over(mail: bytes, address: str) -> bytes:
    """The request of one signed hand-over."""
    stamp, sender = str(int(time.time())), "bench%40shop.example"
    recipient = address.replace("@", "%40")
    length = str(len(mail))
    ticket = _hmac("ticket", stamp, sender, recipient, length)
    signature = _hmac(stamp, sender, recipient, hashlib.sha256(mail).hexdigest())
    return (
        f"POST /api/inbound HTTP/1.1\r\nhost: bench\r\ncontent-length: {length}\r\n"
        f"x-kaisoumail-envelope-from: {sender}\r\nx-kaisoumail-envelope-to: {recipient}\r\n"
        f"x-kaisoumail-timestamp: {stamp}\r\nx-kaisoumail-ticket: {length}:{ticket}\r\n"
        f"x-kaisoumail-signature: {signature}\r\n\r\n".encode()
        + mail
    )


def _hmac(*lines: str) -> str:
    return hmac.new(INBOUND_SECRET.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def load(door: str, port: int, connections: int, left: Iterator[bytes]) -> tuple[float, list[float]]:
    """How long all of it took, and each mail, in seconds."""
    times: list[float] = []
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk = (by_smtp if door == "smtp" else by_webhook)(left, times)
            connection.sendall(next(talk))
            selector.register(connection, selectors.EVENT_READ, talk)
        while selector.get_map():
            for key, _ in selector.select():
                _go_on(selector, key)
    return time.perf_counter() - began, sorted(times)


def _go_on(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    connection, talk = key.fileobj, key.data
    assert isinstance(connection, socket.socket)
    heard = connection.recv(65536)
    assert heard, "the server hung up"
    try:
        if words := talk.send(heard):
            connection.sendall(words)
    except StopIteration:
        selector.unregister(connection)
        connection.close()


def main() -> None:
    door, port, connections, count, size = sys.argv[1], *map(int, sys.argv[2:6])
    made = mails(connections + count, size)
    if door == "webhook":  # signed beforehand as well: at Cloudflare that is another machine's work
        made = iter([handed_over(mail, ADDRESS) for mail in made])
    load(door, port, connections, islice(made, connections))
    began = time.perf_counter()
    seconds, times = load(door, port, connections, made)
    told = {"began": began, "seconds": seconds, "p50": times[count // 2], "p99": times[count * 99 // 100]}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
