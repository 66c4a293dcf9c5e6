"""Readiness names what keeps a process from its work."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from kaisoumail.errors import Problem
from kaisoumail.operations.readiness import Readiness
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.engine.postgres_signals import open_signals
from kaisoumail.storage.tables import processes
from tests.polling import PATIENCE_SECONDS
from tests.postgres_proxy import a_postgres_proxy
from tests.postgres_roles import a_limited_role


def _run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 120))


async def _beating(url: str) -> Database:
    database = open_database(url)
    await schema_migration.migrate(database)
    await database.write(partial(processes.beat, process_id="this one"))
    return database


async def _reasons(readiness: Readiness) -> list[str]:
    try:
        await readiness.check()
    except Problem as problem:
        return [reason["code"] for reason in problem.details["reasons"]]
    return []


def test_a_process_that_can_do_its_work_is_ready(database_url: str) -> None:
    async def story() -> None:
        signals, database = await open_signals(database_url), await _beating(database_url)

        assert await _reasons(Readiness(database, signals, "this one", 60)) == []

        await database.close()
        await signals.close()

    _run(story())


def test_an_engine_that_never_beat_has_ended_or_is_silent_for_long_is_told(database_url: str) -> None:
    async def story() -> None:
        signals, database = await open_signals(database_url), await _beating(database_url)
        await database.write(partial(processes.end, process_id="another"))

        assert await _reasons(Readiness(database, signals, "nobody", 60)) == ["engine_silent"]
        assert await _reasons(Readiness(database, signals, "another", 60)) == ["engine_silent"]
        assert await _reasons(Readiness(database, signals, "this one", 0)) == ["engine_silent"]

        await database.close()
        await signals.close()

    _run(story())


def test_k2_a_database_that_is_gone_is_told_and_that_signals_are_not_heard(postgres_url: str) -> None:
    async def story() -> None:
        with a_postgres_proxy(postgres_url) as proxy:
            signals, database = await open_signals(proxy.url), await _beating(proxy.url)
            readiness = Readiness(database, signals, "this one", 60)
            assert await _reasons(readiness) == []

            proxy.answers_nobody = True
            proxy.cut()
            async with signals.listening("anything") as listener:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while signals.is_connected:
                        await listener.woken(0.1)
            assert await _reasons(readiness) == ["database_unreachable", "signals_lost"]

            proxy.answers_nobody = False
            proxy.cut()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await _reasons(readiness):
                    await asyncio.to_thread(_one_query, postgres_url)
            await database.close()
            await signals.close()

    _run(story())


def test_k3_a_writer_that_waits_for_long_is_told(postgres_url: str) -> None:
    async def story() -> None:
        signals, database = await open_signals(postgres_url), await _beating(postgres_url)
        readiness = Readiness(database, signals, "this one", 60)
        slow = asyncio.create_task(database.write(lambda c: c.execute(text("SELECT pg_sleep(8)")).rowcount))

        while not (reasons := await _reasons(readiness)) and not slow.done():
            await database.read(_one)
        assert reasons == ["writer_stuck"]

        await slow
        assert await _reasons(readiness) == []
        await database.close()
        await signals.close()

    _run(story())


def test_k12_that_the_server_has_no_connection_left_is_told(postgres_url: str) -> None:
    async def story() -> None:
        signals, database = await open_signals(postgres_url), await _beating(postgres_url)
        with a_limited_role(postgres_url, connections=0) as url:
            limited = open_database(url, patience=1)

            assert "connections_exhausted" in await _reasons(Readiness(limited, signals, "this one", 60))

            await limited.close()
        await database.close()
        await signals.close()

    _run(story())


def _one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


def _one_query(url: str) -> None:
    with psycopg.connect(url) as session:
        session.execute("SELECT 1")
