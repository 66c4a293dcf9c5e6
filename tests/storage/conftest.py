"""One suite, both databases: a test that asks for `storage` runs on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from kaisoumail.model.clock import Clock, steady_now
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.tables import domains, users
from tests.builders import DEMO
from tests.people import EVERYBODY
from tests.ports import reserved_port
from tests.postgres_server import PostgresServer

T = TypeVar("T")


class Storage:
    """A migrated database with the cast and one active domain in it, driven from a plain test."""

    def __init__(self, url: str, clock: Clock = steady_now) -> None:
        self.url = url
        self._runner = asyncio.Runner()
        self.database: Database = open_database(url, clock=clock)
        self.run(self._prepare())

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self._runner.run(awaited())

    def read(self, work: Callable[[Connection], T]) -> T:
        return self.run(self.database.read(work))

    def write(self, work: Callable[[Connection], T]) -> T:
        return self.run(self.database.write(work))

    async def _prepare(self) -> None:
        await schema_migration.migrate(self.database)
        await self.database.write(_add_everybody)
        await self.database.write(lambda c: domains.save(c, DEMO))

    def close(self) -> None:
        self.run(self.database.close())
        self._runner.close()


def _add_everybody(connection: Connection) -> None:
    for viewer in EVERYBODY:
        users.add(connection, viewer.user)


@pytest.fixture
def storage(database_url: str, request: pytest.FixtureRequest) -> Iterator[Storage]:
    """Its clock is the real one, unless the test asks for `database_clock` as well."""
    if "database_clock" in request.fixturenames:
        opened = Storage(database_url, request.getfixturevalue("database_clock"))
    else:
        opened = Storage(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this module alone, over TCP, to be stopped and killed; it runs when a test begins."""
    server = PostgresServer(port=reserved_port())
    server.start()
    yield server
    server.close()
