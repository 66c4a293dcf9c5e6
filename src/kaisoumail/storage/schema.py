"""The schema and its migrations (`migrations/versions`, run by Alembic through our own writer)."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from kaisoumail.errors import Problem
from kaisoumail.storage.database import Database
from kaisoumail.storage.open_errors import OPEN_ERRORS, cannot_open

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x6B616973  # any constant will do, as long as nobody else uses it in this database


async def migrate(database: Database) -> str:
    """
    Bring *database* to the newest schema, in one transaction; returns the revision it is at now.

    Many processes may start at once: one migrates, the others wait and find nothing to do. Raises Problem
    `storage_unavailable` for whatever cannot be opened or is no database of ours, with the reason in one line.
    """
    try:
        return await database.write(_upgrade)
    except OPEN_ERRORS as error:
        raise cannot_open(database.url, error) from error


def newest_revision() -> str:
    """The revision this version of the product works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def revision(connection: Connection) -> str | None:
    """The revision a database is at; None for one that was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> str:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _refuse_unknown(revision(connection))
    command.upgrade(_config(connection), "head")
    return newest_revision()


def _refuse_unknown(present: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if present is not None and present not in known:
        raise Problem(
            "storage_unavailable",
            f"it is at revision {present!r}, which this release does not know; a newer release wrote it, or another "
            "program",
        )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
