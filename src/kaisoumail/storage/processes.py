"""The `processes` table: who is alive, so that the runs of the dead are taken over."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, delete, select, update

from kaisoumail.storage.inserts import insert_unless_known
from kaisoumail.storage.tables import processes

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def beat(connection: Connection, *, process_id: str, now: datetime) -> None:
    """Say that a process is alive *now*."""
    row = {"id": process_id, "beat_at": now, "claimed_until": _NEVER}
    if not insert_unless_known(connection, processes, row):
        connection.execute(update(processes).where(processes.c.id == process_id).values(beat_at=now))


def end(connection: Connection, *, process_id: str) -> None:
    """Say that a process is gone: its runs are anybody's at once."""
    connection.execute(update(processes).where(processes.c.id == process_id).values(beat_at=_NEVER))


def silent(connection: Connection, *, since: datetime) -> list[str]:
    """The processes not heard of since then."""
    return list(connection.execute(select(processes.c.id).where(processes.c.beat_at < since)).scalars())


def claim(connection: Connection, *, process_id: str, since: datetime, now: datetime, until: datetime) -> bool:
    """True for the one who may take over a silent process's runs, up to the instant *until*."""
    changed = connection.execute(
        update(processes)
        .where(processes.c.id == process_id, processes.c.beat_at < since, processes.c.claimed_until < now)
        .values(claimed_until=until)
    )
    return changed.rowcount == 1


def forget(connection: Connection, *, process_id: str) -> None:
    connection.execute(delete(processes).where(processes.c.id == process_id))
