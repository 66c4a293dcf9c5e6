"""The `domain_routing` table: what the last look at a domain's zone found; one row per domain."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select

from kaisoumail.mail_routing.capacity import Capacity, Use
from kaisoumail.mail_routing.difference import Conflict
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.engine.schema import domain_routing


@dataclass(frozen=True, slots=True)
class LastLook:
    """The *capacity* and the *conflicts* of a zone when it was looked at, by the database's clock."""

    looked_at: datetime
    capacity: Capacity
    conflicts: tuple[Conflict, ...] = ()


def save(connection: Connection, domain_id: str, capacity: Capacity, conflicts: Sequence[Conflict]) -> None:
    """Store what was found now, in place of what was found before."""
    forget(connection, domain_id)
    values = {
        "domain_id": domain_id,
        "looked_at": database_now(connection),
        "capacity": asdict(capacity),
        "conflicts": [asdict(conflict) for conflict in conflicts],
    }
    connection.execute(domain_routing.insert().values(values))


def find(connection: Connection, domain_id: str) -> LastLook | None:
    """The last look at the domain's zone; None if there was none since the zone was bound."""
    row = connection.execute(select(domain_routing).where(domain_routing.c.domain_id == domain_id)).one_or_none()
    if row is None:
        return None
    capacity = Capacity(Use(**row.capacity["rules"]), Use(**row.capacity["hosts"]))
    return LastLook(row.looked_at, capacity, msgspec.convert(tuple(row.conflicts), tuple[Conflict, ...]))


def foreign_rules_by_domain(connection: Connection) -> dict[str, int]:
    """How many rules of others each domain's zone had at its last look, by the domain's id."""
    query = select(domain_routing.c.domain_id, domain_routing.c.capacity)
    return {row.domain_id: row.capacity["rules"]["foreign"] for row in connection.execute(query)}


def forget(connection: Connection, domain_id: str) -> None:
    """Remove the row of a domain, as when its zone is gone or another one."""
    connection.execute(delete(domain_routing).where(domain_routing.c.domain_id == domain_id))
