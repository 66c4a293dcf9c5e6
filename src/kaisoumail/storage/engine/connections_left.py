"""Whether PostgreSQL has enough free connections for a process that starts."""

from typing import Final

import structlog
from sqlalchemy import Connection, text

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.open_errors import CONNECTIONS, ENGINE_CONNECTIONS, cannot_open

_OPEN_BY_NOW: Final = 3  # of ours: one listens, one migrated the schema, one runs this query
_LEFT: Final = text("""
WITH used AS (SELECT usename, datname FROM pg_stat_activity WHERE backend_type = 'client backend')
SELECT least(
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0) - (SELECT count(*) FROM used),
  (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
    - (SELECT count(*) FROM used WHERE usename = current_user),
  (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
    - (SELECT count(*) FROM used WHERE datname = current_database())
)
""")
_log = structlog.get_logger("kaisoumail.storage")


async def check_connections_left(database: Database) -> None:
    """
    Log a warning when PostgreSQL has fewer connections left than this process uses.

    Raises Problem `storage_unavailable` when there are too few for the workflow engine, which does not wait for a free
    one as we do.
    """
    left = await database.read(_connections_left)
    if left is None:
        return
    if left < ENGINE_CONNECTIONS:
        needed = f"it has {left} connections left; one process of ours uses up to {CONNECTIONS} connections"
        raise cannot_open(database.url, Problem("storage_unavailable", needed))
    if left + _OPEN_BY_NOW < CONNECTIONS:
        _log.warning("database.connections_scarce", left=left + _OPEN_BY_NOW, used=CONNECTIONS)


def _connections_left(connection: Connection) -> int | None:
    return None if connection.dialect.name == "sqlite" else connection.execute(_LEFT).scalar_one()
