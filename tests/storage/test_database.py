"""Group commit, what a failed work costs its neighbours, and who may write."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.schema import subdomains, users
from kaisoumail.storage.engine.sqlite import sqlite_driver, use_write_ahead_log
from tests.people import NOON
from tests.storage.conftest import Storage


def _add_user(name: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        row = {"id": name, "email": f"{name}@x.example", "name": name, "role": "member"}
        connection.execute(insert(users).values(row | {"created_at": NOON, "updated_at": NOON}))
        return name

    return work


def test_works_handed_in_together_share_transactions_and_all_are_kept(storage: Storage) -> None:
    transactions: list[object] = []

    def numbered(n: int) -> Callable[[Connection], int]:
        def work(connection: Connection) -> int:
            transactions.append(connection.get_transaction())
            _add_user(f"user-{n}")(connection)
            return n

        return work

    async def together() -> list[int]:
        return list(await asyncio.gather(*(storage.database.write(numbered(n)) for n in range(100))))

    assert storage.run(together()) == list(range(100))
    kept = storage.read(lambda c: c.execute(select(users.c.id).where(users.c.id.like("user-%"))).all())
    assert len(kept) == 100
    assert len({id(each) for each in transactions}) < 100


def test_a_work_that_fails_takes_none_of_its_neighbours_with_it(storage: Storage) -> None:
    async def together() -> list[object]:
        works = [_add_user("first"), _add_user("first"), _add_user("second")]
        return list(await asyncio.gather(*(storage.database.write(w) for w in works), return_exceptions=True))

    outcomes = storage.run(together())

    assert outcomes[0] == "first"
    assert isinstance(outcomes[1], IntegrityError)
    assert outcomes[2] == "second"


def test_a_work_that_raises_leaves_nothing_behind(storage: Storage) -> None:
    def work(connection: Connection) -> None:
        _add_user("ghost")(connection)
        raise Problem("forbidden", "changed my mind")

    with pytest.raises(Problem):
        storage.write(work)

    assert storage.read(lambda c: c.execute(select(users).where(users.c.id == "ghost")).first()) is None


def test_a_caller_that_went_away_does_not_stop_the_writer(storage: Storage) -> None:
    async def abandon() -> None:
        abandoned = asyncio.create_task(storage.database.write(_add_user("abandoned")))
        await asyncio.sleep(0)
        abandoned.cancel()
        await storage.database.write(_add_user("next"))

    storage.run(abandon())

    names = storage.read(lambda c: set(c.execute(select(users.c.id)).scalars()))
    assert {"abandoned", "next"} <= names


def test_a_reader_cannot_write(database_url: str) -> None:
    async def attempt() -> list[int]:
        database = open_database(database_url)
        try:
            await database.write(lambda c: c.execute(text("CREATE TABLE t (x INTEGER)")))
            with pytest.raises((DBAPIError, Problem)):
                await database.read(lambda c: c.execute(text("INSERT INTO t VALUES (1)")))
            return await database.read(lambda c: list(c.execute(text("SELECT x FROM t")).scalars()))
        finally:
            await database.close()

    assert asyncio.run(attempt()) == []


def test_a_glance_sees_what_was_written_before_it(storage: Storage) -> None:
    storage.write(_add_user("ada"))

    found = storage.run(
        storage.database.read_inline(lambda c: c.execute(select(users.c.id).where(users.c.id == "ada")).all())
    )

    assert [row.id for row in found] == ["ada"]


def test_a_glance_at_a_locked_database_holds_nobody_up_and_is_answered_when_the_lock_is_gone(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'kaisoumail.db'}")
    storage.write(_add_user("ada"))
    storage.close()
    somebody = sqlite_driver().connect(tmp_path / "kaisoumail.db", isolation_level=None)
    somebody.execute("PRAGMA locking_mode=EXCLUSIVE")
    somebody.execute("UPDATE users SET name = 'Ada' WHERE id = 'ada'")

    async def glanced() -> str:
        database = open_database(storage.url)
        names = asyncio.create_task(
            database.read_inline(lambda c: c.execute(select(users.c.name).where(users.c.id == "ada")))
        )
        await asyncio.sleep(0)  # it has met the lock; were it waiting for it here, nobody could let go
        somebody.close()
        [name] = (await names).scalars()
        await database.close()
        return str(name)

    assert asyncio.run(glanced()) == "Ada"


def test_a_broken_reference_is_refused_by_both_databases(storage: Storage) -> None:
    row = {
        "id": "sub_x",
        "domain_id": "dom_nowhere",
        "name": "mail",
        "enabled_at": NOON,
        "last_used_at": NOON,
    }

    with pytest.raises(IntegrityError):
        storage.write(lambda c: c.execute(insert(subdomains).values(row)))


def test_closing_the_embedded_database_leaves_one_file_to_copy(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'kaisoumail.db'}")
    storage.write(_add_user("ada"))
    storage.read(lambda connection: connection.execute(select(users)).all())

    storage.close()

    assert [path.name for path in tmp_path.iterdir()] == ["kaisoumail.db"]


def test_a_database_that_cannot_be_reached_is_a_problem_that_may_pass() -> None:
    async def attempt() -> None:
        database = open_database("postgresql://nobody@127.0.0.1:1/nothing")
        try:
            with pytest.raises(Problem) as caught:
                await database.read(lambda c: None)
            assert caught.value.code == "storage_unavailable"
            with pytest.raises(Problem):
                await database.write(lambda c: None)
        finally:
            await database.close()

    asyncio.run(attempt())


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(Problem, match="sqlite:///"):
        open_database("mysql://localhost/x")


def test_a_commit_that_is_refused_leaves_nothing_open_for_the_next(tmp_path: Path) -> None:
    def refused(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE a (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE b (a INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED)"))
        connection.execute(text("INSERT INTO b VALUES (1)"))

    async def story() -> int:
        database = open_database(f"sqlite:///{tmp_path}/k.db")
        try:
            with pytest.raises(IntegrityError):
                await database.write(refused)
            return await database.write(_one)
        finally:
            await database.close()

    assert asyncio.run(story()) == 1


def test_a_new_file_that_another_process_turns_over_just_now_is_asked_again(tmp_path: Path) -> None:
    other, ours = (sqlite_driver().connect(tmp_path / "new.db", isolation_level=None, timeout=0) for _ in range(2))
    other.execute("CREATE TABLE t (a)")
    other.execute("BEGIN IMMEDIATE")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            other.execute("COMMIT")

    use_write_ahead_log(ours.cursor(), 60, pause)

    assert len(pauses) == 2
    assert ours.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_new_file_that_stays_locked_is_trouble_when_the_patience_is_over(tmp_path: Path) -> None:
    other, ours = (sqlite_driver().connect(tmp_path / "new.db", isolation_level=None, timeout=0) for _ in range(2))
    other.execute("CREATE TABLE t (a)")
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(sqlite_driver().OperationalError, match="database is locked"):
        use_write_ahead_log(ours.cursor(), 0)


def test_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    async def all_at_once(url: str) -> list[int]:
        databases = [open_database(url) for _ in range(4)]
        try:
            return list(await asyncio.gather(*(database.write(_one) for database in databases)))
        finally:
            for database in databases:
                await database.close()

    for number in range(50):
        assert asyncio.run(all_at_once(f"sqlite:///{tmp_path}/{number}.db")) == [1] * 4


def _one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


def test_k12_who_finds_no_connection_free_waits_for_one(postgres_url: str) -> None:
    async def story() -> None:
        async with _limited_to(postgres_url, connections=4) as limited:
            others = [await psycopg.AsyncConnection.connect(limited) for _ in range(4)]
            database = open_database(limited)
            one = text("SELECT 1")
            asking = [asyncio.create_task(database.read(lambda c: c.execute(one).scalar())) for _ in range(20)]
            await asyncio.wait(asking, timeout=0.3)
            for other in others:
                await other.close()
            assert await asyncio.gather(*asking) == [1] * 20
            await database.close()

    asyncio.run(asyncio.wait_for(story(), 60))


def test_k12_without_a_free_connection_the_patience_ends(postgres_url: str) -> None:
    async def story() -> None:
        async with _limited_to(postgres_url, connections=0) as limited:
            database = open_database(limited, patience=0.2)
            with pytest.raises(Problem, match="storage_unavailable"):
                await database.write(lambda c: c.execute(text("SELECT 1")))
            await database.close()

    asyncio.run(asyncio.wait_for(story(), 60))


@asynccontextmanager
async def _limited_to(postgres_url: str, connections: int) -> AsyncIterator[str]:
    """The URL of the same database for an account that may have so many connections, and is dropped afterwards."""
    account = f"limited_{secrets.token_hex(6)}"
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as admin:
        await admin.execute(f'CREATE ROLE "{account}" LOGIN CONNECTION LIMIT {connections}'.encode())
        yield make_url(postgres_url).set(username=account).render_as_string(hide_password=False)
        await admin.execute(f'DROP ROLE "{account}"'.encode())
