"""
`kaisoumail serve`, that is told on standard input what it suffers (`tests/matrix/trouble.py`).

Each line is answered with the points that were passed so far, as one line. What the server does by itself again and
again (looking for work, saying that it lives) passes no point, so that a point is found again in another life.
"""

import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from kaisoumail.cli.main import main
from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.errors import Problem
from kaisoumail.server import background, context
from kaisoumail.storage.engine.database import Database, SqliteDatabase, open_database
from kaisoumail.workflows.engine import dbos_adapter, engine, periodic
from kaisoumail.workflows.engine.steps import executing
from kaisoumail.workflows.jobs.clean_up_mailboxes import clean_up_mailboxes
from kaisoumail.workflows.jobs.open_mailbox import resume_opening
from tests.matrix.trouble import Told, Trouble

WAIT_SECONDS: Final = 4.0
"""Whoever asks is told `still_working` after so long: the product's 25 s would only make the matrix slower."""
LEFT_SECONDS: Final = 1.0
"""What was left is looked at so often, for the same reason."""

_ID: Final = re.compile(r"[0-9a-f]{32}")
_by_itself: Final[ContextVar[bool]] = ContextVar("by_itself", default=False)


class Suffering:
    """The trouble there is to come, or there is now, and the points that were passed."""

    def __init__(self) -> None:
        self._trouble: Trouble | None = None
        self._counts: Counter[str] = Counter()
        self._until = 0.0
        self.points: list[str] = []

    def told(self, told: Told) -> list[str]:
        """The points passed so far; forgotten if what is *told* is new."""
        points = self.points
        if told.is_new:
            self._counts, self.points, self._until = Counter(), [], 0.0
            self._trouble = told.trouble
        return points

    def at(self, name: str) -> Trouble | None:
        """The trouble at the point called *name*, which is passed now; None without any."""
        if _by_itself.get() and executing.get(None) is None:
            return None
        self._counts[name] += 1
        point = f"{name}#{self._counts[name]}"
        self.points.append(point)
        trouble = self._trouble
        if trouble is None or trouble.point != point:
            return None
        self._until = monotonic() + trouble.seconds
        return trouble

    def lasting(self, is_write: bool) -> Trouble | None:
        """What goes on for a while, for a write or a read. Who may not read may not write either."""
        trouble = self._trouble
        if trouble is None or monotonic() >= self._until or not trouble.point.startswith(("read", "write")):
            return None
        return trouble if is_write or trouble.point.startswith("read") else None


_suffering: Final = Suffering()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _name(work: Callable[..., Any]) -> str:
    """Where *work* stands in the product."""
    while isinstance(work, partial):
        work = work.func
    package = work.__module__.removeprefix("kaisoumail.").removeprefix("storage.")
    return f"{package}.{work.__qualname__.partition('.<locals>')[0]}"


def _faulty_database(*arguments: Any, **options: Any) -> Database:
    database = open_database(*arguments, **options)
    is_sqlite = isinstance(database, SqliteDatabase)
    reading = ("read", "read_inline") if is_sqlite else ("read",)  # the others are made of these
    writing = ("write",) if is_sqlite else ("write", "write_relaxed")
    for name in reading:
        setattr(database, name, _faulty_read(getattr(database, name)))
    for name in writing:
        setattr(database, name, _faulty_write(getattr(database, name), is_sqlite))
    return database


def _faulty_read(real: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    async def read(work: Any) -> Any:
        if _suffering.at(f"read {_name(work)}") or _suffering.lasting(is_write=False):
            raise Problem("storage_unavailable", "The database cannot be reached just now")
        return await real(work)

    return read


def _faulty_write(real: Callable[[Any], Awaitable[Any]], is_sqlite: bool) -> Callable[[Any], Awaitable[Any]]:
    async def write(work: Any) -> Any:
        trouble = _suffering.at(f"write {_name(work)}") or _suffering.lasting(is_write=True)
        if trouble is None:
            return await real(work)
        if trouble.what == "refuse":
            raise Problem("storage_unavailable", "The database cannot be reached just now")
        if trouble.what == "kill before":
            return await real(partial(_killed, work))
        if trouble.what == "disk full":
            return await real(partial(_on_a_full_disk, work, is_sqlite))
        value = await real(work)
        if trouble.what == "kill after":
            _die()
        if trouble.what == "lose the answer":
            raise Problem("storage_unavailable", "The database cannot be reached just now")
        return value

    return write


def _killed(work: Callable[[Connection], Any], connection: Connection) -> None:
    work(connection)
    _die()


def _on_a_full_disk(work: Callable[[Connection], Any], is_sqlite: bool, connection: Connection) -> None:
    """Does *work*, and then has the database itself refuse: as it does when the last page has no place."""
    work(connection)
    if not is_sqlite:
        connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'No space left' USING ERRCODE = 'disk_full'; END $$")
    most = connection.exec_driver_sql("PRAGMA max_page_count").scalar_one()
    try:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("CREATE TABLE no_place AS SELECT zeroblob(100000000) AS filler")
    finally:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")


_start, _step = dbos_adapter.start, dbos_adapter.step


async def _faulty_start(run_id: str, attempt: int) -> None:
    if _suffering.at("start"):
        _die()
    await _start(run_id, attempt)


async def _faulty_step(name: str, taken: Callable[[], Awaitable[Any]]) -> Any:
    trouble = _suffering.at(f"step {name}")
    if trouble is None:
        return await _step(name, taken)
    if trouble.what == "refuse to keep":
        await taken()
        raise OperationalError("INSERT", None, Exception("database is locked"))

    async def suffered() -> Any:
        result = await taken()
        if trouble.what == "run twice":
            return await taken()
        if trouble.what == "kill before":
            _die()
        return result

    value = await _step(name, suffered)
    if trouble.what == "kill after":
        _die()
    return value


_send = Cloudflare._send


async def _faulty_send(self: Cloudflare, request: Any) -> Any:
    trouble = _suffering.at(f"call {request.method} {_ID.sub('*', request.path)}")
    if trouble is not None:
        token = {"token": os.environ["CLOUDFLARE_API_TOKEN"]}
        control, body = ("tokens/revoke", token) if trouble.answer is None else ("faults", trouble.answer)
        async with httpx.AsyncClient(base_url=os.environ["SANDBOX_URL"]) as controls:
            (await controls.post(f"/_sandbox/{control}", json=body)).raise_for_status()
    return await _send(self, request)


_for_ever = periodic._for_ever


async def _repeated_by_itself(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    _by_itself.set(True)
    await _for_ever(seconds, work)


def _sooner(each: background.PeriodicJob) -> background.PeriodicJob:
    """What goes on with what was left does so within a cell of the matrix."""
    goes_on = each.work in (clean_up_mailboxes, resume_opening)
    return replace(each, seconds=LEFT_SECONDS) if goes_on else each


def _listen() -> None:
    for line in sys.stdin:
        points = _suffering.told(msgspec.json.decode(line, type=Told))
        print(msgspec.json.encode(points).decode(), flush=True)


def _become_faulty() -> None:
    changes: tuple[tuple[Any, str, Any], ...] = (
        (context, "open_database", _faulty_database),
        (background, "PERIODIC_JOBS", tuple(_sooner(each) for each in background.PERIODIC_JOBS)),
        (engine, "WAIT_SECONDS", WAIT_SECONDS),
        (engine.Run.result, "__defaults__", (WAIT_SECONDS,)),
        (dbos_adapter, "start", _faulty_start),
        (dbos_adapter, "step", _faulty_step),
        (Cloudflare, "_send", _faulty_send),
        (periodic, "_for_ever", _repeated_by_itself),
    )
    for owner, name, value in changes:
        setattr(owner, name, value)


if __name__ == "__main__":
    with Path(os.environ["LOG_FILE"]).open("a", buffering=1, encoding="utf-8") as log:
        sys.stderr = log
        _become_faulty()
        threading.Thread(target=_listen, daemon=True).start()
        sys.argv = ["kaisoumail", "serve"]
        main()
