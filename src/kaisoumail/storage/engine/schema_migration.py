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
_LOCK: Final = 0x6B616973  # any constant that nothing else in this database locks


async def migrate(database: Database) -> str:
    """
    The revision of *database* after upgrading it to the newest schema, in one transaction.

    Many processes may start at once: one migrates, the others wait and find nothing to do. Raises Problem
    `storage_unavailable`, with the reason in one line, for a database that cannot be opened or written or is not ours.
    """
    try:
        return await database.write(_upgrade)
    except OPEN_ERRORS as error:
        raise cannot_open(database.url, error) from error


def newest_revision() -> str:
    """The revision that this release needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def revision(connection: Connection) -> str | None:
    """The current revision of a database; None for one that was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> str:
    if connection.dialect.name == "postgresql":
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):  # migrating a large table is slow
            connection.execute(text(f"SET LOCAL {limit} = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _refuse_unknown(revision(connection))
    command.upgrade(_config(connection), "head")
    _refuse_missing(connection)
    # BEGIN succeeds in a database that we may not write to: without this, a start with nothing to migrate would too.
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    return newest_revision()


def _refuse_unknown(current: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise Problem(
            "storage_unavailable",
            f"it is at revision {current!r}, which this release does not know; a newer release wrote it, or another "
            "program",
        )


def _refuse_missing(connection: Connection) -> None:
    """Raises Problem for a missing table or column: the revision does not show what was dropped since."""
    existing = inspect(connection).get_multi_columns()
    for table in metadata.sorted_tables:
        columns = {column["name"] for column in existing.get((None, table.name), [])}
        missing = [column.name for column in table.columns if column.name not in columns]
        if missing:
            what = f"column {missing[0]} of the table" if columns else "table"
            raise Problem("storage_unavailable", f"the {what} {table.name} is missing; put a backup in its place")


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
