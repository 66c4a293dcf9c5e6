"""
The `subdomains` table: the hosts for which Cloudflare created mail records at our request.

A host without a mailbox is switched off after a while. That and making a mailbox on it exclude each other by the row: a
mailbox is stored before its host is used, and a host is looked for mailboxes after its row is locked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from sqlalchemy import Connection, delete, exists, or_, select, update

from kaisoumail.model.ids import new_id
from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.storage.engine.database_clock import DatabaseNow, in_time
from kaisoumail.storage.engine.schema import mailboxes, subdomains
from kaisoumail.storage.engine.upsert import insert_unless_known

_PUT_OFF: Final = timedelta(minutes=10)
_is_used: Final = exists().where(
    mailboxes.c.domain_id == subdomains.c.domain_id,
    mailboxes.c.subdomain == subdomains.c.name,
    mailboxes.c.status != MailboxStatus.DESTROYED.value,
)


class HostState(Enum):
    """What is noted of a host; Cloudflare is not called."""

    UNKNOWN = auto()
    ENABLED = auto()
    RETIRING = auto()
    """It is being switched off just now."""


@dataclass(frozen=True, slots=True)
class IdleHost:
    """A host without a mailbox: the subdomain *name* of a domain."""

    id: str
    domain_id: str
    name: str


def use(connection: Connection, domain_id: str, name: str, now: datetime) -> HostState:
    """The state of the host, noted as used *now*; the mailbox that uses it is stored already."""
    row = update(subdomains).where(subdomains.c.domain_id == domain_id, subdomains.c.name == name)
    used = row.values(last_used_at=now, idle_since=None).returning(subdomains.c.is_retiring)
    is_retiring = connection.execute(used).scalar()
    if is_retiring is None:
        return HostState.UNKNOWN
    return HostState.RETIRING if is_retiring else HostState.ENABLED


def names(connection: Connection, domain_id: str) -> list[str]:
    """The subdomains of the domain for which messages reach us, as noted here, without those being switched off."""
    query = select(subdomains.c.name).where(subdomains.c.domain_id == domain_id, ~subdomains.c.is_retiring)
    return list(connection.execute(query).scalars())


def our_names(connection: Connection, domain_id: str) -> list[str]:
    """Those of `names` that were off before we switched them on."""
    query = select(subdomains.c.name).where(subdomains.c.domain_id == domain_id, subdomains.c.is_ours)
    return list(connection.execute(query).scalars())


def note_enabled(connection: Connection, domain_id: str, name: str, now: datetime, *, is_ours: bool) -> None:
    """Store that messages for this subdomain reach us, and whether we switched it on; what is known of it stays."""
    row = {
        "id": new_id("sub"),
        "domain_id": domain_id,
        "name": name,
        "enabled_at": now,
        "last_used_at": now,
        "is_ours": is_ours,
    }
    insert_unless_known(connection, subdomains, row)  # another process may insert it at the same moment


def claim_idle(connection: Connection, grace: timedelta, limit: int) -> Sequence[IdleHost]:
    """
    At most *limit* hosts of ours without a mailbox for *grace*; no process claims them again within ten minutes.

    A mailbox that can still be revived counts. The time begins when this is first called without one.
    """
    connection.execute(update(subdomains).where(subdomains.c.idle_since.is_not(None), _is_used).values(idle_since=None))
    newly_idle = update(subdomains).where(subdomains.c.idle_since.is_(None), ~_is_used)
    connection.execute(newly_idle.values(idle_since=DatabaseNow()))
    next_attempt = subdomains.c.cleanup_next_attempt_at
    may_be_tried = or_(next_attempt.is_(None), next_attempt <= DatabaseNow(), next_attempt > in_time(_PUT_OFF))
    is_due = subdomains.c.idle_since <= in_time(-grace)
    query = select(subdomains.c.id, subdomains.c.domain_id, subdomains.c.name).where(subdomains.c.is_ours, is_due)
    due = query.where(may_be_tried).order_by(subdomains.c.idle_since).limit(limit).with_for_update(skip_locked=True)
    found = [IdleHost(*row) for row in connection.execute(due)]
    claimed = update(subdomains).where(subdomains.c.id.in_([host.id for host in found]))
    connection.execute(claimed.values(cleanup_next_attempt_at=in_time(_PUT_OFF)))
    return found


def begin_retiring(connection: Connection, host_id: str) -> bool:
    """Whether the host is to be switched off: it has no mailbox, and none uses it before `end_retiring`."""
    row = select(subdomains.c.id).where(subdomains.c.id == host_id).with_for_update()
    if connection.execute(row).scalar() is None:
        return False
    free = update(subdomains).where(subdomains.c.id == host_id, ~_is_used)
    return connection.execute(free.values(is_retiring=True)).rowcount > 0


def end_retiring(connection: Connection, host_id: str, *, is_off: bool) -> None:
    """Remove the host that is off now, or note that it is still on."""
    if is_off:
        connection.execute(delete(subdomains).where(subdomains.c.id == host_id))
    else:
        connection.execute(update(subdomains).where(subdomains.c.id == host_id).values(is_retiring=False))


def forget_all(connection: Connection, *, domain_id: str) -> None:
    """Delete every host of a domain whose zone is gone."""
    connection.execute(delete(subdomains).where(subdomains.c.domain_id == domain_id))
