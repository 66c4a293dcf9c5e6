"""Databases with the newest schema, copied from one that was migrated once: most tests are not about migrating."""

import asyncio
import atexit
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database

POSTGRES_TEMPLATE = "kaisoumail_migrated"
_LOCK = 0x7465  # any number that nothing else on this server locks


def migrate(url: str) -> None:
    """Bring the database to the newest schema. May be called while an event loop runs."""

    async def run() -> None:
        database = open_database(url)
        try:
            await schema_migration.migrate(database)
        finally:
            await database.close()

    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, run()).result()


def put_sqlite(path: Path) -> None:
    """A migrated database at *path*, unless there is a file already."""
    if not path.exists():
        shutil.copyfile(_sqlite_template(), path)
        path.chmod(0o600)


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="kaisoumail-migrated-"))
    atexit.register(shutil.rmtree, folder)
    path = folder / "kaisoumail.db"
    migrate(f"sqlite:///{path}")
    return path


def postgres_template(server: str) -> str:
    """The name of a migrated database on *server*, which any process may make first."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [_LOCK])  # until this connection ends
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [POSTGRES_TEMPLATE]).fetchone():
            unfinished = f"{POSTGRES_TEMPLATE}_unfinished"
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
            migrate(url_on(server, unfinished))
            names = sql.Identifier(unfinished), sql.Identifier(POSTGRES_TEMPLATE)
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
    return POSTGRES_TEMPLATE


def url_on(server: str, name: str) -> str:
    """The URL of the database *name* on the *server* of this URL."""
    base, _, query = server.partition("?")
    return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
