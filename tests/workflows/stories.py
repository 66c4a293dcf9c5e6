"""Telling a story beside a running engine, and starting processes that run one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.engine.sqlite import sqlite_driver
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.engine.timing import Timing
from tests.forked import Forked

Story = Callable[[Engine, Database], Awaitable[None]]


def engine_url(database_url: str, folder: Path) -> str:
    return database_url if database_url.startswith("postgresql") else f"sqlite:///{folder / 'workflows.db'}"


def told(
    story: Story,
    database_url: str,
    folder: Path,
    context: Any = None,
    process_id: str = "told",
    dead_after: float = 1.0,
) -> None:
    """Run *story* beside a running engine."""

    async def run() -> None:
        database = open_database(database_url)
        try:
            await schema_migration.migrate(database)
            engine = Engine(engine_url(database_url, folder), process_id, timing=Timing(0.2, dead_after))
            async with engine.running(context, database):
                await story(engine, database)
        finally:
            await database.close()

    asyncio.run(run())


def process(script: str, database_url: str, folder: Path, *more: str) -> Forked:
    """A process that runs one of the scripts beside this file."""
    arguments = (database_url, engine_url(database_url, folder), str(folder), *more)
    return Forked(f"tests.workflows.{script}", *arguments, is_told=True)


def changed(database_url: str, folder: Path, statement: str, **values: Any) -> int:
    """How many rows of the engine's own database *statement* changed; `{dbos}` is where its tables are."""
    url = engine_url(database_url, folder)
    if url.startswith("sqlite"):
        # The product's driver: a second SQLite in one process lets go of the first one's locks.
        driver, dbos = create_engine(url, module=sqlite_driver()), ""
    else:
        driver, dbos = create_engine(url.replace("postgresql:", "postgresql+psycopg:")), "dbos."
    try:
        with driver.begin() as connection:
            return int(connection.execute(text(statement.format(dbos=dbos)), values).rowcount)
    finally:
        driver.dispose()
