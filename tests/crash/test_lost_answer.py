"""The answer to a COMMIT is lost on the way: whether the mail is kept is unknown for a moment, and its bytes stay."""

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.builders import an_email
from tests.crash.senders import DOORS, a_sender, ready, stored
from tests.servers import a_world, free_port


class _Way(socketserver.ThreadingTCPServer):
    """TCP to PostgreSQL's socket. Once, it loses the answer to the commit of a transaction that says *mark*."""

    def __init__(self, target: str, mark: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target, self.mark = target, mark
        self.port = int(self.server_address[1])
        self.lost = 0


class _Connection(socketserver.BaseRequestHandler):
    server: _Way
    request: socket.socket

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as there:
            there.connect(self.server.target)
            self._is_lost = False
            answers = threading.Thread(target=self._answer, args=(there,))
            answers.start()
            self._ask(there)
            answers.join()

    def _ask(self, there: socket.socket) -> None:
        is_marked = False
        with suppress(OSError):
            while said := self.request.recv(65536):
                is_marked = is_marked or self.server.mark in said
                if is_marked and b"COMMIT" in said and not self.server.lost:
                    self.server.lost += 1
                    self._is_lost = True
                there.sendall(said)
            there.shutdown(socket.SHUT_WR)

    def _answer(self, there: socket.socket) -> None:
        with suppress(OSError):
            while (heard := there.recv(65536)) and not self._is_lost:
                self.request.sendall(heard)
            self.request.shutdown(socket.SHUT_RDWR)


@contextmanager
def _a_way_that_loses(url: str, mark: bytes) -> Iterator[tuple[_Way, str]]:
    there = make_url(url)
    folder = there.host or there.query["host"]
    with _Way(f"{folder}/.s.PGSQL.{there.port or there.query.get('port') or 5432}", mark) as way:
        threading.Thread(target=way.serve_forever).start()
        try:
            yield way, f"postgresql://{there.username or 'postgres'}@127.0.0.1:{way.port}/{there.database}"
        finally:
            way.shutdown()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("size", [8_000, 90_000], ids=["in its row", "in the blob store"])
def test_a_mail_is_kept_once_and_whole_though_its_commit_was_not_answered(
    tmp_path: Path, postgres_url: str, door: str, size: int
) -> None:
    port, raw = free_port(), an_email(subject="Unanswered", text=os.urandom(size // 2).hex())
    with (
        _a_way_that_loses(postgres_url, b"Unanswered") as (way, url),
        a_world(tmp_path, DATABASE_URL=url, SMTP_PORT=str(port)) as world,
        world.product() as product,
    ):
        ready(product)
        with a_sender(door, product, port) as sender:
            first, again = sender.send(raw), sender.send(raw)

        assert way.lost == 1
        assert (first, again) == ("later", "kept")
        assert list(stored(product).values()) == [raw]
