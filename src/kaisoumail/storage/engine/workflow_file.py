"""Whether the workflow engine can use its SQLite file, checked without the engine and without changing the file."""

import asyncio
from typing import Final

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.open_errors import cannot_open
from kaisoumail.storage.engine.sqlite import sqlite_driver

_SCHEMA_TABLE: Final = "dbos_migrations"  # the first table that the engine creates


async def check_workflow_file(url: str, patience: float) -> None:
    """
    Raises Problem `storage_unavailable` when runs cannot be stored in the SQLite file at *url*.

    That is a file that is no database, cannot be written, or belongs to another program: the engine would add its
    tables to theirs. Waits up to *patience* seconds for a lock. PostgreSQL is not checked here: there the runs are in
    our own database, which is checked as such.
    """
    if make_url(url).get_backend_name() == "sqlite":
        await asyncio.to_thread(_check, url, patience)


def _check(url: str, patience: float) -> None:
    engine = create_engine(url, module=sqlite_driver(), connect_args={"timeout": patience})
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            tables = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
            if tables and _SCHEMA_TABLE not in tables:
                raise Problem("storage_unavailable", "it has the tables of another program")
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            # BEGIN IMMEDIATE succeeds even in a read-only file, so write something. The transaction is rolled back.
            connection.exec_driver_sql(f"PRAGMA user_version = {version}")
    except (Problem, SQLAlchemyError) as error:
        raise cannot_open(url, error, "workflow database") from error
    finally:
        engine.dispose()
