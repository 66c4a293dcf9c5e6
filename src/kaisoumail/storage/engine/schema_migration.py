"""The schema and its migrations (`migrations/versions`, run by Alembic through our own writer)."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.open_errors import OPEN_ERRORS, cannot_open
from kaisoumail.storage.engine.schema import metadata

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x6B616973  # any constant will do, as long as nobody else uses it in this database


async def migrate(database: Database) -> str:
    """
    Bring *database* to the newest schema, in one transaction; returns the revision it is at now.

    Many processes may start at once: one migrates, the others wait and find nothing to do. Raises Problem
    `storage_unavailable` for whatever cannot be opened or written or is no database of ours, with the reason in one
    line.
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
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):  # a large table takes its time
            connection.execute(text(f"SET LOCAL {limit} = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _refuse_unknown(revision(connection))
    command.upgrade(_config(connection), "head")
    _refuse_missing(connection)
    # A database that only others may write lets a transaction begin: what has nothing to migrate would find no fault.
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    return newest_revision()


def _refuse_unknown(present: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if present is not None and present not in known:
        raise Problem(
            "storage_unavailable",
            f"it is at revision {present!r}, which this release does not know; a newer release wrote it, or another "
            "program",
        )


def _refuse_missing(connection: Connection) -> None:
    """The revision says what was done once, not what somebody dropped since."""
    there = inspect(connection).get_multi_columns()
    for table in metadata.sorted_tables:
        columns = {column["name"] for column in there.get((None, table.name), [])}
        lacking = [column.name for column in table.columns if column.name not in columns]
        if lacking:
            what = f"column {lacking[0]} of the table" if columns else "table"
            raise Problem("storage_unavailable", f"the {what} {table.name} is missing; put a backup in its place")


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
