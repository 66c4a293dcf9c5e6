"""How the embedded database is opened: which driver, in which mode, and who waits for whom."""

import importlib
import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from kaisoumail.model.clock import Clock
from kaisoumail.storage.engine.schema import milliseconds

NOW: Final = "kaisoumail_now"  # an SQL function: what `clock_timestamp()` is in PostgreSQL
_LOG_BYTES: Final = 64 * 2**20  # a long read makes the write-ahead log grow; afterwards it is cut
_LOCKED: Final = "database is locked"  # SQLITE_BUSY; not every driver gives the number


def sqlite_engine(url: str, patience: float, clock: Clock, *, connections: int, writing: bool) -> Engine:
    """
    At most *connections* to the file at *url*, each waiting *patience* seconds for a lock.

    Only *writing* ones can change anything; their transactions take the lock for it as they begin. *clock* is what
    statements know the time by.
    """
    engine = create_engine(
        url,
        hide_parameters=True,  # they are mail, and errors are logged
        module=sqlite_driver(),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": patience},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves; the driver's own habits lose atomicity
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

    if writing:  # readers see each statement's own moment, as on PostgreSQL

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # IMMEDIATE: a transaction that reads first and writes later would otherwise fail when another
            # process (`kaisoumail users add`) wrote in between, and no busy timeout helps against that.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def use_write_ahead_log(cursor: Any, patience: float, pause: Callable[[float], None] = time.sleep) -> None:
    """
    Have *cursor*'s database keep a write-ahead log, which a new file does not do yet.

    SQLite turns a file over while it holds a read lock, and then its busy timeout is not asked (the two would wait
    for each other): of two processes that meet a new file at once, one is told at once that it is locked. It is
    asked again until *patience* seconds are over. Raises the driver's OperationalError after that.
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
    """A current SQLite where a wheel carries one; Debian 12's own 3.40.1 can corrupt a WAL database on reset."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3.dbapi2")
