"""What cannot be used as a database is one line on standard error and exit 1, for every command that opens one."""

import secrets
import signal
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from kaisoumail.storage.engine.open_errors import CONNECTIONS
from tests.forked import Forked
from tests.postgres_roles import a_limited_role
from tests.servers import command

ENVIRONMENT = {
    "SESSION_SECRET": "a-session-secret-for-tests",
    "PORT": "0",
    "SMTP_PORT": "0",
    "DATABASE_PATIENCE_SECONDS": "1",
}
MIGRATE = ["database", "migrate"]
ADD_USER = ["users", "add", "ada@people.example", "--name", "Ada"]
DEMO = ["demo", "--port", "0", "--smtp-port", "0", "--cloudflare-port", "0", "--cloudflare-smtp-port", "0"]
OPENING = [["serve"], DEMO, ["doctor"], MIGRATE, ADD_USER]
FAULTS: dict[str, Callable[[Path], None]] = {}


def fault(make: Callable[[Path], None]) -> Callable[[Path], None]:
    FAULTS[make.__name__] = make
    return make


@fault
def a_folder(path: Path) -> None:
    path.mkdir()


@fault
def no_database(path: Path) -> None:
    path.write_bytes(b"Dear diary, this is no database. " * 300)


@fault
def damaged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE diary (day)")
        database.commit()
    content = bytearray(path.read_bytes())
    content[100:3000] = b"\xff" * 2900
    path.write_bytes(content)


@fault
def of_a_newer_release(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
        database.commit()


@fault
def of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE users (name)")
        database.commit()


@fault
def of_this_release_without_a_table(path: Path) -> None:
    _altered(path, "DROP TABLE users")


@fault
def of_this_release_without_a_column(path: Path) -> None:
    _altered(path, "ALTER TABLE messages DROP COLUMN door")


def _altered(path: Path, statement: str) -> None:
    """A database that was migrated, and changed by hand afterwards."""
    assert command(*MIGRATE, DATA_DIR=str(path.parent), **ENVIRONMENT).returncode == 0
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


def _make(fault: str, path: Path) -> None:
    FAULTS[fault](path)
    path.chmod(0o700)  # else the log has a line that it is made private


def _refused(words: list[str], folder: Path, **environment: str) -> str:
    """The one line that the command said."""
    where = ["--data-dir", str(folder)] if words == DEMO else []
    told = command(*words, *where, **{**ENVIRONMENT, "DATA_DIR": str(folder), **environment})
    assert (told.returncode, len(told.stderr.splitlines())) == (1, 1), told.stdout + told.stderr
    [line] = told.stderr.splitlines()
    return line


@pytest.mark.parametrize("words", OPENING, ids=lambda words: words[0])
@pytest.mark.parametrize("fault", FAULTS)
def test_i15_a_file_that_is_no_database_of_this_release_is_one_line(
    tmp_path: Path, words: list[str], fault: str
) -> None:
    _make(fault, tmp_path / "kaisoumail.db")

    line = _refused(words, tmp_path)

    assert str(tmp_path / "kaisoumail.db") in line


@pytest.mark.parametrize("words", [["serve"], ["doctor"], MIGRATE, ADD_USER], ids=lambda words: words[0])
def test_a_database_that_somebody_keeps_locked_is_one_line(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "kaisoumail.db").touch(0o600)
    with closing(sqlite3.connect(tmp_path / "kaisoumail.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")

        line = _refused(words, tmp_path)

    assert "locked" in line


def test_a_database_that_is_damaged_where_nobody_looked_yet_is_one_line(tmp_path: Path) -> None:
    assert command(*MIGRATE, DATA_DIR=str(tmp_path), **ENVIRONMENT).returncode == 0
    with closing(sqlite3.connect(tmp_path / "kaisoumail.db")) as database:
        [page] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'users'").fetchone()
        [size] = database.execute("PRAGMA page_size").fetchone()
    with (tmp_path / "kaisoumail.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    line = _refused(ADD_USER, tmp_path)

    assert "malformed" in line


NO_WORKFLOW_DATABASE = ["a_folder", "no_database", "damaged", "of_another_program"]


@pytest.mark.parametrize("words", [["serve"], DEMO, MIGRATE], ids=lambda words: words[0])
@pytest.mark.parametrize("fault", NO_WORKFLOW_DATABASE)
def test_a_workflow_database_that_is_none_is_one_line(tmp_path: Path, words: list[str], fault: str) -> None:
    _make(fault, tmp_path / "workflows.db")

    line = _refused(words, tmp_path)

    assert str(tmp_path / "workflows.db") in line


@pytest.mark.parametrize("fault", NO_WORKFLOW_DATABASE)
def test_doctor_says_so_of_a_workflow_database_that_is_none(tmp_path: Path, fault: str) -> None:
    _make(fault, tmp_path / "workflows.db")

    told = command("doctor", DATA_DIR=str(tmp_path), **ENVIRONMENT)

    assert (told.returncode, told.stderr) == (1, "")
    [line] = [line for line in told.stdout.splitlines() if line.startswith("BAD")]
    assert str(tmp_path / "workflows.db") in line


@pytest.mark.parametrize("words", [["serve"], ["doctor"], MIGRATE, ADD_USER], ids=lambda words: words[0])
@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "postgresql://ada:s3cret@somewhere:door/mail",
        "postgresql://[::1/mail",
    ],
)
def test_a_url_that_cannot_be_read_is_one_line_that_repeats_no_password(
    tmp_path: Path, words: list[str], url: str
) -> None:
    line = _refused(words, tmp_path, DATABASE_URL=url)

    assert "DATABASE_URL" in line
    assert "s3cret" not in line


def _with(url: str, *, user: str | None = None, database: str | None = None) -> str:
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    who, _, where = place.rpartition("@")
    host, _, name = where.partition("/")
    return f"{scheme}://{user or who}@{host}/{database or name}" + (f"?{query}" if query else "")


@pytest.mark.parametrize("words", [["serve"], ["doctor"], MIGRATE, ADD_USER], ids=lambda words: words[0])
def test_a_postgresql_that_refuses_is_one_line(empty_postgres_url: str, tmp_path: Path, words: list[str]) -> None:
    nobody = _refused(words, tmp_path, DATABASE_URL=_with(empty_postgres_url, user="nobody_at_all"))
    nothing = _refused(words, tmp_path, DATABASE_URL=_with(empty_postgres_url, database="nothing_at_all"))
    nowhere = _refused(words, tmp_path, DATABASE_URL="postgresql://ada:s3cret@127.0.0.1:1/mail")

    assert "nobody_at_all" in nobody
    assert "nothing_at_all" in nothing
    assert "127.0.0.1:1" in nowhere
    assert "s3cret" not in nowhere


@pytest.mark.parametrize("words", [["serve"], ["doctor"], MIGRATE, ADD_USER], ids=lambda words: words[0])
def test_a_postgresql_of_a_newer_release_is_one_line(empty_postgres_url: str, tmp_path: Path, words: list[str]) -> None:
    with psycopg.connect(empty_postgres_url) as newer:
        newer.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        newer.execute("INSERT INTO alembic_version VALUES ('9999')")

    line = _refused(words, tmp_path, DATABASE_URL=empty_postgres_url)

    assert "9999" in line


@pytest.mark.parametrize("limit", range(9))
def test_k12_a_postgresql_with_too_few_connections_is_one_line_that_names_how_many_are_needed(
    empty_postgres_url: str, tmp_path: Path, limit: int
) -> None:
    with a_limited_role(empty_postgres_url, limit) as url:
        line = _refused(["serve"], tmp_path, DATABASE_URL=url)

    assert f"{CONNECTIONS} connections" in line


@pytest.mark.parametrize("words", [["serve"], MIGRATE], ids=lambda words: words[0])
def test_a_postgresql_that_is_not_utf8_is_one_line(empty_postgres_url: str, tmp_path: Path, words: list[str]) -> None:
    name = f"kaisoumail_{secrets.token_hex(6)}"
    with psycopg.connect(empty_postgres_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE \"{name}\" ENCODING 'SQL_ASCII' TEMPLATE template0")
        line = _refused(words, tmp_path, DATABASE_URL=_with(empty_postgres_url, database=name))
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    assert "SQL_ASCII" in line
    assert "UTF8" in line


@pytest.mark.parametrize("words", [["serve"], ["doctor"], MIGRATE, ADD_USER], ids=lambda words: words[0])
def test_a_server_that_accepts_and_says_nothing_is_one_line(tmp_path: Path, words: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        line = _refused(words, tmp_path, DATABASE_URL=f"postgresql://ada@127.0.0.1:{silent.getsockname()[1]}/mail")

    assert "did not answer" in line


@pytest.mark.parametrize(
    "query",
    [
        "options",
        "options=-c%20nonsense%3D1",
        "nonsense=1",
        "sslmode=perhaps",
        "port=door",
        "target_session_attrs=odd",
        "sslrootcert=/nowhere&sslmode=verify-full",
        "user=nobody_at_all",
        "&&",
        "%00=%00",
    ],
)
def test_an_odd_query_is_one_line(empty_postgres_url: str, tmp_path: Path, query: str) -> None:
    for words in (["serve"], MIGRATE):
        assert _refused(words, tmp_path, DATABASE_URL=f"{empty_postgres_url.partition('?')[0]}?{query}")


@pytest.mark.parametrize("query", ["connect_timeout=3", "keepalives_idle=30", "options=-c%20work_mem%3D5MB"])
def test_parameters_of_libpq_are_understood(empty_postgres_url: str, tmp_path: Path, query: str) -> None:
    separator = "&" if "?" in empty_postgres_url else "?"

    told = command(
        *MIGRATE, DATA_DIR=str(tmp_path), DATABASE_URL=f"{empty_postgres_url}{separator}{query}", **ENVIRONMENT
    )

    assert (told.returncode, told.stderr) == (0, "")


def test_a_postgresql_with_fewer_connections_than_a_process_uses_is_told_at_the_start(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    with a_limited_role(empty_postgres_url, CONNECTIONS - 1) as url, psycopg.connect(url):
        folder = {"DATA_DIR": str(tmp_path), "DATABASE_URL": url}
        with Forked("kaisoumail", "serve", environment={**ENVIRONMENT, **folder}, keeps_stderr=True) as process:
            assert any("ready http" in line for line in process.stdout)
            process.send_signal(signal.SIGTERM)
            _, complained = process.communicate(timeout=60)

    assert '"left": 14, "used": 16, "event": "database.connections_scarce"' in complained
