"""The SQLite file of the workflow engine: whether it can be used, found out without the engine and without a change."""

import asyncio
from typing import Final

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.open_errors import cannot_open
from kaisoumail.storage.engine.sqlite import sqlite_driver

_SCHEMA_TABLE: Final = "dbos_migrations"  # which the engine makes first


async def check_workflow_file(url: str, patience: float) -> None:
    """
    Raises Problem `storage_unavailable` when runs cannot be kept in the SQLite file at *url*.

    That is what is no database, cannot be written, or belongs to another program: the engine would put its tables
    beside theirs. Waits *patience* seconds for who has it locked. A PostgreSQL is looked at as our own database.
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
            # SQLite begins a transaction to write in a file that may not be written. This one is rolled back.
            connection.exec_driver_sql(f"PRAGMA user_version = {version}")
    except (Problem, SQLAlchemyError) as error:
        raise cannot_open(url, error, "workflow database") from error
    finally:
        engine.dispose()
