"""What we hand the workflow library: our log, JSON, and SQLite as we keep it."""

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
    """Everything the library stores, as JSON. A run's or a step's exception, which ours never raise, is a sentence."""

    def name(self) -> str:
        return "kaisoumail-json"

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            data = f"{type(data).__name__}: {data}"
        return msgspec.json.encode(data).decode()

    def deserialize(self, serialized_data: str) -> Any:
        try:
            return msgspec.json.decode(serialized_data)
        except msgspec.DecodeError as error:
            raise UnreadableResult(str(error)) from error


def refuse_pickles(_: str) -> Any:
    """What an older release stored is begun again, never read: who can write the table would run code in us."""
    raise UnreadableResult("this is a pickle")


class OneLineHandler(logging.Handler):
    """What DBOS logs, as lines of our own log. It prints a traceback for every run that ends in a refusal."""

    def emit(self, record: logging.LogRecord) -> None:
        trouble = record.exc_info[1] if record.exc_info else None
        run = getattr(record, "operationUUID", None)
        if trouble is None:
            _log.log(record.levelno, "workflows.library", said=record.getMessage().partition("\n")[0])
        elif isinstance(trouble, Problem):
            _log.info("workflows.run.refused", run=run, code=trouble.code, reason=trouble.message)
        elif record.funcName != "_launch":  # that one is raised, and told by whoever starts the server
            _log.error("workflows.run.failed", run=run, exc_info=trouble)


def embedded_engine(url: str) -> Engine:
    """
    DBOS's SQLite, on the driver and with the durability of our own (its default is neither).

    Its connections stay open until the engine is disposed of. DBOS raises with results it has not read to the
    end, so a traceback keeps their cursors; when such a cursor goes in one thread while its connection is being
    closed in another, the driver (pysqlite3 0.6.1) waits for ever for a mutex that is no more, with the GIL let go
    but the event loop's thread lost.
    """
    engine = create_engine(url, module=sqlite_driver(), pool_size=10, max_overflow=0)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
