"""How the embedded database is opened: driver, journal mode and locking."""

import importlib
import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from kaisoumail.model.clock import Clock
from kaisoumail.storage.engine.schema import milliseconds

NOW: Final = "kaisoumail_now"  # an SQL function, like PostgreSQL's `clock_timestamp()`
_LOG_BYTES: Final = 64 * 2**20  # a long read makes the write-ahead log grow; afterwards it is truncated
_LOCKED: Final = "database is locked"  # SQLITE_BUSY; not every driver gives the number


def sqlite_engine(url: str, patience: float, clock: Clock, *, connections: int, writing: bool) -> Engine:
    """
    An engine of at most *connections* to the file at *url*, each waiting *patience* seconds for a lock.

    Only *writing* ones can change anything; their transactions take the write lock when they begin. *clock* is the
    time that statements read (`storage/engine/database_clock.py`).
    """
    engine = create_engine(
        url,
        hide_parameters=True,  # they hold message content, and errors are logged
        module=sqlite_driver(),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": patience},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we send BEGIN ourselves; the driver's implicit transactions lose atomicity
        connection.create_function(NOW, 0, lambda: milliseconds(clock()))
        cursor = connection.cursor()
        use_write_ahead_log(cursor, patience)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16000")
        cursor.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
        if not writing:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    if writing:  # a reader's statements each see the newest commit, as on PostgreSQL

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # IMMEDIATE: a transaction that reads first and writes later would otherwise fail when another
            # process (`kaisoumail users add`) wrote in between, and the busy timeout does not apply to that.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def use_write_ahead_log(cursor: Any, patience: float, pause: Callable[[float], None] = time.sleep) -> None:
    """
    Switch *cursor*'s database to a write-ahead log, which a new file does not have yet.

    SQLite converts a file while it holds a read lock, and does not apply its busy timeout then (the two would wait
    for each other): of two processes that open a new file at once, one gets "database is locked" at once. It is
    tried again until *patience* seconds are over. Raises the driver's OperationalError after that.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite_driver().OperationalError as error:
            if str(error) != _LOCKED or time.monotonic() >= deadline:
                raise
            pause(0.01)
        else:
            return


def sqlite_driver() -> Any:
    """The newer SQLite of a wheel if there is one: Debian 12's own 3.40.1 can corrupt a WAL database on reset."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3.dbapi2")
