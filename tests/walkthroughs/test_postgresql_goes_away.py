"""PostgreSQL stops, is killed, loses connections or goes silent: mail and waiters go on by themselves afterwards."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.builders import an_email
from tests.crash.senders import Load, a_sender, ready, stored
from tests.polling import poll
from tests.ports import reserved_port
from tests.postgres_proxy import a_postgres_proxy
from tests.postgres_server import PostgresServer
from tests.servers import Product, a_world


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    server = PostgresServer(port=reserved_port())
    server.start()
    yield server
    server.close()


def _reasons(product: Product) -> set[str]:
    answer = product.admin.get("/readyz")
    return set() if answer.status_code == 200 else {each["code"] for each in answer.json()["details"]["reasons"]}


def _until(product: Product, holds: Callable[[set[str]], bool]) -> None:
    """Returns once what readiness says is so."""
    poll(lambda: _reasons(product), holds)


def _kept(product: Product, port: int, *mails: bytes) -> list[str]:
    load = Load(list(mails), partial(a_sender, "smtp", product, port))
    load.start(1)
    load.finish()
    return list(load.answers)


def _a_mail_here_wakes_who_waits_there(here: Product, there: Product, port: int) -> None:
    """*port* is the SMTP port of *here*."""
    cursor = there.admin.get("/api/messages/wait?timeout=0").headers["x-kaisoumail-cursor"]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(there.admin.get, f"/api/messages/wait?since={cursor}&timeout=60")
        assert _kept(here, port, an_email(subject="Are you awake?")) == ["kept"]
        assert waiting.result().json()["message"]["subject"] == "Are you awake?"


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill], ids=["stopped", "killed"])
def test_k3_a_postgresql_that_goes_and_comes_back_is_waited_for(
    tmp_path: Path, own_postgres: PostgresServer, end: Callable[[PostgresServer], None]
) -> None:
    here_port, there_port = reserved_port(), reserved_port()
    with (
        a_world(tmp_path, DATABASE_URL=own_postgres.url) as world,
        world.product(SMTP_PORT=str(here_port)) as here,
        world.product(SMTP_PORT=str(there_port)) as there,
    ):
        ready(here)
        assert (_reasons(here), _reasons(there)) == (set(), set())

        end(own_postgres)
        for product in (here, there):
            _until(product, lambda reasons: reasons >= {"database_unreachable", "signals_lost"})
            assert product.admin.get("/health").status_code == 503
        mail = an_email(subject="Meanwhile")
        assert _kept(here, here_port, mail) == ["later"]

        own_postgres.start()
        for product in (here, there):
            _until(product, lambda reasons: not reasons)
        assert _kept(here, here_port, mail) == ["kept"]
        _a_mail_here_wakes_who_waits_there(here, there, here_port)
        _a_mail_here_wakes_who_waits_there(there, here, there_port)


def test_k2_after_a_storm_of_lost_connections_nothing_is_missing_and_nobody_is_deaf(
    tmp_path: Path, postgres_url: str
) -> None:
    here_port, there_port = reserved_port(), reserved_port()
    is_over = threading.Event()

    def storm() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            while not is_over.is_set():
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    with (
        a_world(tmp_path, DATABASE_URL=postgres_url) as world,
        world.product(SMTP_PORT=str(here_port)) as here,
        world.product(SMTP_PORT=str(there_port)) as there,
        ThreadPoolExecutor(1) as threads,
    ):
        ready(here)
        mails = [an_email(subject=f"Storm {number}") for number in range(120)]
        stormy = threads.submit(storm)
        load = Load(mails, partial(a_sender, "webhook", here, here_port))
        load.start(4)
        load.finish()
        is_over.set()
        stormy.result()
        assert "never" not in load.answers

        for product in (here, there):
            _until(product, lambda reasons: not reasons)
        assert set(_kept(here, here_port, *mails)) == {"kept"}
        assert sorted(stored(there).values()) == sorted(mails)
        _a_mail_here_wakes_who_waits_there(here, there, here_port)
        _a_mail_here_wakes_who_waits_there(there, here, there_port)


def test_k3_a_process_whose_connections_go_silent_takes_mail_again(tmp_path: Path, postgres_url: str) -> None:
    port = reserved_port()
    with (
        a_postgres_proxy(postgres_url) as proxy,
        a_world(tmp_path, DATABASE_URL=proxy.url, SMTP_PORT=str(port)) as world,
        world.product() as product,
        world.product(DATABASE_URL=postgres_url, SMTP_PORT="0") as other,
    ):
        ready(product)
        with ThreadPoolExecutor(1) as threads:
            cursor = product.admin.get("/api/messages/wait?timeout=0").headers["x-kaisoumail-cursor"]
            wait = f"/api/messages/wait?since={cursor}&timeout=60"
            waiting = threads.submit(product.admin.get, wait)
            proxy.silence()
            mail = an_email(subject="To a deaf one")
            load = Load([mail], partial(a_sender, "webhook", other, 0))
            load.start(1)
            load.finish()
            assert load.answers == ["kept"]
            answer = waiting.result()  # woken, or sent home where its own look was what went silent
            if answer.status_code == 503:
                answer = poll(lambda: product.admin.get(wait), lambda again: again.status_code != 503)
            assert answer.json()["message"]["subject"] == "To a deaf one"

        _until(product, lambda reasons: not reasons)
        assert _kept(product, port, an_email(subject="After")) == ["kept"]


def test_k1_a_host_that_dies_in_the_middle_of_a_transaction_delays_its_neighbours_by_seconds(
    tmp_path: Path, postgres_url: str
) -> None:
    port, other_port = reserved_port(), reserved_port()
    with (
        a_postgres_proxy(postgres_url) as proxy,
        a_world(tmp_path, DATABASE_URL=postgres_url) as world,
        world.product(DATABASE_URL=proxy.url, SMTP_PORT=str(port)) as dying,
        world.product(SMTP_PORT=str(other_port)) as neighbour,
        ThreadPoolExecutor(1) as threads,
    ):
        ready(neighbour)
        proxy.silent_before_commit = b"Last words"
        raw = an_email(subject="Last words")
        answer = threads.submit(_kept, dying, port, raw)
        assert proxy.went_silent.wait(60)

        assert _kept(neighbour, other_port, an_email(subject="Mine")) == ["kept"]
        assert answer.result() == ["later"]
        assert _kept(neighbour, other_port, raw) == ["kept"]
        assert sorted(stored(neighbour)) == ["Last words", "Mine"]
