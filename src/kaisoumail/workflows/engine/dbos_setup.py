"""What the workflow library is configured with: our log, JSON, and our SQLite settings."""

import logging
from typing import Any, Final

import msgspec
import structlog
from dbos._serialization import Serializer
from sqlalchemy import Engine, create_engine, event

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.sqlite import sqlite_driver
from kaisoumail.workflows.engine.results import UnreadableResult

_log: Final = structlog.get_logger("kaisoumail.workflows")


class JsonSerializer(Serializer):
    """Stores everything of DBOS as JSON. An exception, which our runs and steps never raise, becomes a sentence."""

    def name(self) -> str:
        return "kaisoumail-json"

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            data = f"{type(data).__name__}: {data}"
        return msgspec.json.encode(data).decode()

    def deserialize(self, serialized_data: str) -> Any:
        """What the JSON text holds. Raises UnreadableResult for a text that is not JSON."""
        try:
            return msgspec.json.decode(serialized_data)
        except msgspec.DecodeError as error:
            raise UnreadableResult(str(error)) from error


def refuse_pickles(_: str) -> Any:
    """
    Raises UnreadableResult: what an older release pickled is not read, its run begins again.

    Anyone who can write the table could otherwise run code in this process.
    """
    raise UnreadableResult("this is a pickle")


class OneLineHandler(logging.Handler):
    """Writes the log of DBOS to our own, one line per record: DBOS logs a traceback for every run that is refused."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        run = getattr(record, "operationUUID", None)
        if error is None:
            _log.log(record.levelno, "workflows.library", said=record.getMessage().partition("\n")[0])
        elif isinstance(error, Problem):
            _log.info("workflows.run.refused", run=run, code=error.code, reason=error.message)
        elif record.funcName != "_launch":  # that one is raised, and logged where the server is started
            _log.error("workflows.run.failed", run=run, exc_info=error)


def embedded_engine(url: str) -> Engine:
    """
    The SQLAlchemy engine for DBOS's SQLite file, with the driver and the durability of our own database.

    DBOS's defaults have neither. Connections stay open until the engine is disposed of: DBOS raises while results are
    not read to the end, so a traceback holds their cursors. When such a cursor is freed in one thread while its
    connection is being closed in another, the driver (pysqlite3 0.6.1) waits forever for a mutex that no longer
    exists; it has released the GIL, but the event loop's thread is lost.
    """
    engine = create_engine(url, module=sqlite_driver(), pool_size=10, max_overflow=0)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
