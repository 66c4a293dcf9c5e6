"""The `domain_events` table: what happened to a domain, with Cloudflare's exact answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from kaisoumail.model.domain import EventKind
from kaisoumail.model.ids import new_id
from kaisoumail.storage.engine.schema import domain_events
from kaisoumail.storage.engine.upsert import insert_unless_known

MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """What happened to a domain; *code*, *message* and *details* are those of the problem, if it was one."""

    id: str
    domain_id: str
    at: datetime
    kind: EventKind
    code: str | None
    message: str | None
    details: dict[str, Any]


def add(
    connection: Connection,
    domain_id: str,
    at: datetime,
    kind: EventKind,
    *,
    code: str | None = None,
    message: str | None = None,
    details: dict[str, Any] | None = None,
    event_id: str | None = None,
) -> None:
    """Add an event, unless one with *event_id* exists: a repeated step adds it once."""
    row = {"id": event_id or new_id("evt"), "domain_id": domain_id, "at": at, "kind": kind}
    problem = {"code": code, "message": message, "details": details or {}}
    insert_unless_known(connection, domain_events, row | problem)


def listed(connection: Connection, domain_id: str) -> list[DomainEvent]:
    """The newest hundred, newest first."""
    query = select(domain_events).where(domain_events.c.domain_id == domain_id)
    newest = query.order_by(domain_events.c.at.desc(), domain_events.c.id.desc()).limit(MOST_SHOWN)
    return [DomainEvent(**row._mapping) for row in connection.execute(newest)]
