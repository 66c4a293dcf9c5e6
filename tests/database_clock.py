"""The database's own clock, moved by hand: a database host whose clock steps, or a process that was restarted later."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg

from tests.people import NOON

# Found before PostgreSQL's own, so that what runs is the very statement that runs in production.
_STEPPED = """
CREATE SCHEMA stepped;
CREATE TABLE stepped.clock (at timestamptz NOT NULL);
CREATE FUNCTION stepped.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS 'SELECT at FROM stepped.clock';
"""


class DatabaseClock:
    """Stands at noon until it is moved. For SQLite it is handed in; for PostgreSQL it is in the database."""

    def __init__(self, admin: psycopg.Connection[tuple[object, ...]] | None) -> None:
        self._admin = admin
        self._now = NOON

    def __call__(self) -> datetime:
        return self._now

    def move(self, **by: float) -> None:
        """By so many seconds, minutes, hours, days, as timedelta has them; back if they are negative."""
        self._now += timedelta(**by)
        if self._admin is not None:
            self._admin.execute("UPDATE stepped.clock SET at = %s", [self._now])


@contextmanager
def a_database_clock(url: str) -> Iterator[DatabaseClock]:
    """The clock of the database at *url*, which nobody has opened yet."""
    if url.startswith("sqlite"):
        yield DatabaseClock(None)
        return
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(_STEPPED)
        admin.execute("INSERT INTO stepped.clock VALUES (%s)", [NOON])
        admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET search_path = public, stepped, pg_catalog')
        yield DatabaseClock(admin)
