"""
The `processes` table: heartbeats, so that the runs of a dead process are taken over.

A takeover does not compare a beat with a clock: the watching process checks whether the beat is still the same after a
while by its own monotonic clock. A beat is the database's time, for readiness and for people, and always later than the
one before.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Connection, case, delete, select, type_coerce, update

from kaisoumail.storage.engine.database_clock import DatabaseNow, database_now
from kaisoumail.storage.engine.schema import processes
from kaisoumail.storage.engine.upsert import insert_unless_known

ENDED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The beat of a process that has ended: its runs can be taken over at once."""
_now: Final = DatabaseNow()
_next: Final = case(
    (processes.c.beat_at < _now, _now),
    else_=type_coerce(type_coerce(processes.c.beat_at, BigInteger) + 1, processes.c.beat_at.type),
)


def beat(connection: Connection, *, process_id: str) -> None:
    """Store a beat of a process."""
    row = {"id": process_id, "beat_at": database_now(connection), "claimed_until": ENDED}
    if not insert_unless_known(connection, processes, row):
        connection.execute(update(processes).where(processes.c.id == process_id).values(beat_at=_next))


def end(connection: Connection, *, process_id: str) -> None:
    """Store that a process, known or not, has ended: its runs can be taken over at once."""
    row = {"id": process_id, "beat_at": ENDED, "claimed_until": ENDED}
    if not insert_unless_known(connection, processes, row):
        connection.execute(update(processes).where(processes.c.id == process_id).values(beat_at=ENDED))


def beats(connection: Connection) -> dict[str, datetime]:
    """The last beat of every process, by its id."""
    return {row.id: row.beat_at for row in connection.execute(select(processes.c.id, processes.c.beat_at))}


def silent_for(connection: Connection, *, process_id: str) -> timedelta | None:
    """How long ago a process last beat, by the database's clock; None for one that never did, or has ended."""
    last = connection.execute(select(processes.c.beat_at).where(processes.c.id == process_id)).scalar()
    return None if last is None or last == ENDED else database_now(connection) - last


def claim(connection: Connection, *, process_id: str, last_beat: datetime) -> bool:
    """
    True if the caller may take over the runs of a process: its last beat is still *last_beat*.

    A claim counts as a beat, so other processes watch for a while again before they can claim it.
    """
    changed = connection.execute(
        update(processes)
        .where(processes.c.id == process_id, processes.c.beat_at == last_beat)
        .where(processes.c.claimed_until < _now)  # set by the release before, to the end of its claim
        .values(beat_at=_next)
    )
    return changed.rowcount == 1


def forget(connection: Connection, *, process_id: str) -> None:
    """Delete the row of a process whose runs have all been taken over."""
    connection.execute(delete(processes).where(processes.c.id == process_id))
