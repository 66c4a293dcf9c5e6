"""The `domain_events` table: what happened to a domain, with Cloudflare's exact answers."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from kaisoumail.errors import Problem
from kaisoumail.model.domain import EventKind
from kaisoumail.model.ids import new_id
from kaisoumail.storage.engine.schema import domain_events
from kaisoumail.storage.engine.upsert import insert_unless_known

MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """
    What happened to a domain; *code*, *message* and *details* are those of the problem, if it was one.

    A step gives its event the *id* of `id_in_step`.
    """

    domain_id: str
    at: datetime
    kind: EventKind
    code: str | None = None
    message: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: new_id("evt"))

    def because_of(self, problem: Problem) -> "DomainEvent":
        """This event with the code, the message and also the details of *problem*."""
        return replace(self, code=problem.code, message=problem.message, details=problem.details | self.details)


def add(connection: Connection, event: DomainEvent) -> None:
    """Add *event*, unless it is stored already: a repeated step adds it once."""
    insert_unless_known(connection, domain_events, asdict(event))


def listed(connection: Connection, domain_id: str) -> list[DomainEvent]:
    """The newest hundred, newest first."""
    query = select(domain_events).where(domain_events.c.domain_id == domain_id)
    newest = query.order_by(domain_events.c.at.desc(), domain_events.c.id.desc()).limit(MOST_SHOWN)
    return [DomainEvent(**row._mapping) for row in connection.execute(newest)]
