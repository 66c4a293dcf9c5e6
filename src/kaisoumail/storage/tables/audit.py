"""The `audit` table: who did what, in the order of writing. Rows are never changed; only retention removes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select

from kaisoumail.model.audit import Entry
from kaisoumail.model.user import RequestClient
from kaisoumail.storage.engine.schema import audit, users


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """
    Which lines a page holds: with a number below *before*, by this actor, about this target, of this action.

    *concerning* is a user id: lines of what they did, what was done to them, and what others did to what they own.
    """

    limit: int
    before: int | None = None
    actor_id: str | None = None
    target_id: str | None = None
    action: str | None = None
    concerning: str | None = None


def add(connection: Connection, entry: Entry) -> None:
    """Add *entry*, in the transaction of the action it records."""
    connection.execute(
        insert(audit).values(
            at=entry.at,
            actor_id=entry.actor_id,
            actor=entry.actor,
            credential_id=entry.credential_id,
            action=entry.action,
            target_id=entry.target_id,
            target=entry.target,
            address=entry.visit.address,
            request_id=entry.visit.request_id,
            details=entry.details,
            owner_id=entry.owner_id,
            owner=select(users.c.email).where(users.c.id == entry.owner_id).scalar_subquery(),
        )
    )


def listed(connection: Connection, criteria: AuditFilter) -> Sequence[Entry]:
    """At most *criteria.limit* lines, newest first."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(criteria.limit)
    if criteria.before is not None:
        query = query.where(audit.c.seq < criteria.before)
    for name in ("actor_id", "target_id", "action"):
        value = getattr(criteria, name)
        if value is not None:
            query = query.where(audit.c[name] == value)
    if criteria.concerning is not None:
        columns = (audit.c.actor_id, audit.c.owner_id, audit.c.target_id)
        query = query.where(or_(*(column == criteria.concerning for column in columns)))
    return [_entry_from(row) for row in connection.execute(query)]


def _entry_from(row: Row[Any]) -> Entry:
    return Entry(
        action=row.action,
        at=row.at,
        actor=row.actor,
        actor_id=row.actor_id,
        credential_id=row.credential_id,
        target_id=row.target_id,
        target=row.target,
        visit=RequestClient(row.address, None, row.request_id),
        details=row.details,
        seq=row.seq,
        owner_id=row.owner_id,
        owner=row.owner,
    )
