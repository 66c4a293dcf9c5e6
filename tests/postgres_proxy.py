"""TCP to a PostgreSQL of the tests, for connections that end or go silent at the worst moment."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url


class PostgresProxy(socketserver.ThreadingTCPServer):
    """
    Passes on to PostgreSQL's socket what is said at *url*, until it is told otherwise.

    A silent connection is as one to a host that is gone: bytes are taken and lost in both directions, and neither end
    is told that the other has closed.
    """

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        there = make_url(url)
        folder = there.host or there.query["host"]
        self.target = f"{folder}/.s.PGSQL.{there.port or there.query.get('port') or 5432}"
        self.url = f"postgresql://{there.username or 'postgres'}@127.0.0.1:{self.server_address[1]}/{there.database}"
        self.open: set[_Connection] = set()
        self.answers_nobody = False
        """Whether a new connection is accepted and then left without a word."""
        self.unanswered: bytes | None = None
        """The next transaction that says this is committed, but its answer is lost with the connection."""
        self.lost = 0
        self.silent_before_commit: bytes | None = None
        """The connection of the transaction that says this goes silent before its COMMIT, as if its host had died."""
        self.went_silent = threading.Event()

    def silence(self) -> None:
        """Every connection there is now goes silent; new ones are passed on."""
        for connection in tuple(self.open):
            connection.is_silent = True

    def cut(self) -> None:
        """Every connection there is now ends, at both ends."""
        for connection in tuple(self.open):
            connection.end()


class _Connection(socketserver.BaseRequestHandler):
    server: PostgresProxy
    request: socket.socket

    def handle(self) -> None:
        self.is_silent = self.server.answers_nobody
        self._is_lost = False
        with socket.socket(socket.AF_UNIX) as self._there:
            self._there.connect(self.server.target)
            self.server.open.add(self)
            answers = threading.Thread(target=self._answer, daemon=True)
            answers.start()
            self._ask()
            answers.join()
            self.server.open.discard(self)

    def end(self) -> None:
        for end in (self.request, self._there):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _ask(self) -> None:
        said_before = b""
        with contextlib.suppress(OSError):
            while said := self.request.recv(65536):
                said_before += said
                if b"COMMIT" in said:
                    self._meet_commit(said_before)
                    said_before = b""
                if not self.is_silent:
                    self._there.sendall(said)
            if not self.is_silent:
                self._there.shutdown(socket.SHUT_WR)

    def _meet_commit(self, transaction: bytes) -> None:
        proxy = self.server
        if proxy.unanswered and proxy.unanswered in transaction and not proxy.lost:
            proxy.lost += 1
            self._is_lost = True
        if proxy.silent_before_commit and proxy.silent_before_commit in transaction:
            self.is_silent = True
            proxy.went_silent.set()

    def _answer(self) -> None:
        with contextlib.suppress(OSError):
            while (heard := self._there.recv(65536)) and not self._is_lost:
                if not self.is_silent:
                    self.request.sendall(heard)
            if not self.is_silent:
                self.request.shutdown(socket.SHUT_RDWR)


@contextmanager
def a_postgres_proxy(url: str) -> Iterator[PostgresProxy]:
    """A proxy before the PostgreSQL at *url*, whose connections all end with the block."""
    with PostgresProxy(url) as proxy:
        serving = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
            proxy.cut()
