"""What every test may ask for: the databases, one real PostgreSQL for the whole run."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings

from tests.database_clock import DatabaseClock, a_database_clock
from tests.migrated import postgres_template, put_sqlite, url_on
from tests.postgres_server import CannotStart, PostgresServer

settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("ci")

_server_of_the_run = pytest.StashKey[PostgresServer]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The one PostgreSQL is up before the first worker is started; each is told where."""
    try:
        node.workerinput["postgres_url"] = _postgres_url(node.config)
    except CannotStart as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(_server_of_the_run, None)
    if server is not None:
        server.close()


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> str:
    """The URL of a real PostgreSQL: `TEST_PG_URL` if it is set, else the one the wheel carries. Never skipped."""
    told: dict[str, str] | None = getattr(request.config, "workerinput", None)
    if told is not None:
        return told["postgres_url"]
    try:
        return _postgres_url(request.config)
    except CannotStart as error:
        reason = str(error)
    request.session.shouldstop = reason
    pytest.fail(reason, pytrace=False)


def _postgres_url(config: pytest.Config) -> str:
    """The same for every caller; the first one starts the server."""
    given = os.environ.get("TEST_PG_URL")
    if given:
        return given
    if _server_of_the_run not in config.stash:
        config.stash[_server_of_the_run] = PostgresServer()
        config.stash[_server_of_the_run].start()
    return config.stash[_server_of_the_run].url


@contextmanager
def an_empty_database(postgres_server: str) -> Iterator[str]:
    """The URL of a new database on *postgres_server*, dropped afterwards."""
    with _a_database(postgres_server, "template1") as url:
        yield url


@contextmanager
def a_migrated_database(postgres_server: str) -> Iterator[str]:
    """The same with the newest schema in it."""
    with _a_database(postgres_server, postgres_template(postgres_server)) as url:
        yield url


@contextmanager
def _a_database(postgres_server: str, template: str) -> Iterator[str]:
    name = f"kaisoumail_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield url_on(postgres_server, name)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    with an_empty_database(postgres_server) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    with a_migrated_database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated database; a test that asks for it runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        put_sqlite(tmp_path / "kaisoumail.db")
        return f"sqlite:///{tmp_path / 'kaisoumail.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a table, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kaisoumail.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture
def database_clock(database_url: str) -> Iterator[DatabaseClock]:
    """The clock of the database at `database_url`, moved by hand; hand it to `open_database` as well."""
    with a_database_clock(database_url) as clock:
        yield clock
