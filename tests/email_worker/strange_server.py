"""A server that answers what it is told to, byte for byte, whoever asks."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase

Behaviour = Callable[[BufferedIOBase, threading.Event], None]


@dataclass
class StrangeServer:
    """Where it answers, and how many requests it has read to their end."""

    url: str
    requests: int = 0


def says(status: str, body: bytes, *headers: str) -> Behaviour:
    """One whole answer."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers, "", ""]

    def answer(connection: BufferedIOBase, _: threading.Event) -> None:
        connection.write("\r\n".join(lines).encode() + body)

    return answer


def stays_silent(_: BufferedIOBase, stopped: threading.Event) -> None:
    """No answer at all until the test is over."""
    stopped.wait()


def never_ends(connection: BufferedIOBase, stopped: threading.Event) -> None:
    """A 200 whose body goes on as fast as it is read."""
    connection.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
    while not stopped.is_set():
        connection.write(b" " * 65536)


def stops_in_the_middle(connection: BufferedIOBase, stopped: threading.Event) -> None:
    """The beginning of a good answer, and then nothing."""
    connection.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"outcome":"stored"')
    connection.flush()
    stopped.wait()


def hangs_up(connection: BufferedIOBase, _: threading.Event) -> None:
    """The beginning of a good answer, and the connection is gone."""
    connection.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"outcome":"stored"')


@contextmanager
def strange_server(behaviour: Behaviour) -> Iterator[StrangeServer]:
    stopped = threading.Event()
    strange = StrangeServer("")

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (header := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            self.rfile.read(length)
            strange.requests += 1
            try:
                behaviour(self.wfile, stopped)
            except ConnectionError:
                return  # the Worker has read enough

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = False

    with Server(("127.0.0.1", 0), Handler) as server:
        strange.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield strange
        finally:
            stopped.set()
            server.shutdown()
            thread.join()
