"""
Mailboxes that the clean-up has work for: claimed by one process, and tried again after growing pauses.

Whether one has expired is decided by *now*, the clock that expiry is read by. Everything irreversible is counted from
`expired_at`, by the database's clock: a wall clock that is a day ahead for a moment destroys nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, literal_column, or_, select, update

from kaisoumail.model.mailbox import UNKNOWN_RULE, MailboxStatus
from kaisoumail.storage.engine.database_clock import DatabaseNow, database_now, in_time
from kaisoumail.storage.engine.schema import mailboxes
from kaisoumail.storage.tables import changes

_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=1)
# Written as in the partial indexes, which a bound parameter would not match.
_is_active: Final = literal_column("status = 'active'", type_=mailboxes.c.status.type)
_has_expired_at: Final = mailboxes.c.expired_at.is_not(None)
# A time further away than the longest pause: the database's clock went back since.
_may_be_tried: Final = or_(
    mailboxes.c.cleanup_next_attempt_at.is_(None),
    mailboxes.c.cleanup_next_attempt_at <= DatabaseNow(),
    mailboxes.c.cleanup_next_attempt_at > in_time(_LONGEST_PAUSE),
)


class Cleanup(Enum):
    """What is to be done with a mailbox."""

    ROUTE = auto()
    """Bring its routing rule in line with whether it receives."""
    DESTROY = auto()


@dataclass(frozen=True, slots=True)
class DueMailbox:
    id: str
    cleanup: Cleanup


@dataclass(frozen=True, slots=True)
class Due:
    """
    Which mailboxes are due at *now*: at most *limit* of each kind; expired ones are destroyed after *grace*.

    Those with a routing rule only where *manages_rules*.
    """

    now: datetime
    grace: timedelta
    limit: int
    manages_rules: bool


def claim(connection: Connection, due: Due, put_off: timedelta) -> list[DueMailbox]:
    """
    Mailboxes that are due, the longest due first; no process claims them again before *put_off* has passed.

    Each kind has its share, so that ten thousand of one do not delay the others.
    """
    has_removable_rule = [] if due.manages_rules else [mailboxes.c.routing_rule_id.is_(None)]
    expires_at, status = mailboxes.c.expires_at, mailboxes.c.status
    has_run_out = and_(_is_active, mailboxes.c.expired_at.is_(None), expires_at <= due.now)
    is_over = and_(_is_active, _has_expired_at, mailboxes.c.expired_at <= in_time(-due.grace))
    receives_without_rule = and_(_is_active, _has_expired_at, or_(expires_at.is_(None), expires_at > due.now))
    kinds: Sequence[tuple[Cleanup, ColumnElement[bool], Any]] = (
        (Cleanup.DESTROY, status == MailboxStatus.DESTROYING.value, mailboxes.c.cleanup_next_attempt_at),
        (Cleanup.ROUTE, and_(has_run_out, *has_removable_rule), expires_at),
        (Cleanup.ROUTE, receives_without_rule, mailboxes.c.expired_at),
        (Cleanup.DESTROY, and_(is_over, expires_at <= due.now, *has_removable_rule), mailboxes.c.expired_at),
    )
    found: dict[str, DueMailbox] = {}
    for cleanup, is_due, order in kinds:
        query = select(mailboxes.c.id).where(is_due, _may_be_tried).order_by(order).limit(due.limit)
        for mailbox_id in connection.execute(query.with_for_update(skip_locked=True, key_share=True)).scalars():
            found.setdefault(mailbox_id, DueMailbox(mailbox_id, cleanup))
    claimed = update(mailboxes).where(mailboxes.c.id.in_(list(found)))
    connection.execute(claimed.values(cleanup_next_attempt_at=in_time(put_off)))
    return list(found.values())


def postpone(connection: Connection, mailbox_id: str) -> None:
    """The clean-up of this mailbox failed: it is tried again after a pause that doubles up to an hour."""
    query = select(mailboxes.c.cleanup_attempts).where(mailboxes.c.id == mailbox_id)
    attempts = connection.execute(query).scalar()
    if attempts is None:
        return
    pause = min(_FIRST_PAUSE * 2 ** min(attempts, 10), _LONGEST_PAUSE)
    values = {"cleanup_attempts": attempts + 1, "cleanup_next_attempt_at": in_time(pause)}
    connection.execute(update(mailboxes).where(mailboxes.c.id == mailbox_id).values(values))


def expect_rule(connection: Connection, mailbox_id: str) -> None:
    """
    Note that the mailbox may have a routing rule from now on: one is about to be made.

    If nothing comes of it, the clean-up removes the rule of a mailbox that does not receive.
    """
    values = {"expired_at": None, "cleanup_next_attempt_at": in_time(5 * _FIRST_PAUSE)}
    usable = update(mailboxes).where(mailboxes.c.id == mailbox_id, _is_active)
    connection.execute(usable.where(mailboxes.c.routing_rule_id.is_(None)).values(routing_rule_id=UNKNOWN_RULE))
    connection.execute(usable.values(values))


def doubt_rule(connection: Connection, mailbox_id: str) -> None:
    """Note that the rule of an active mailbox is gone or another one: it is looked up by its address from now on."""
    active = update(mailboxes).where(mailboxes.c.id == mailbox_id, _is_active)
    connection.execute(active.values(routing_rule_id=UNKNOWN_RULE, rule_checked_at=None))


def note_rules_seen(connection: Connection, addresses: Sequence[str]) -> None:
    """Store that Cloudflare has the rules of the active mailboxes at *addresses* now."""
    seen = update(mailboxes).where(mailboxes.c.address.in_(addresses), _is_active)
    connection.execute(seen.values(rule_checked_at=DatabaseNow()))


def store_rule(connection: Connection, mailbox_id: str, routing_rule_id: str | None) -> bool:
    """Store the rule that Cloudflare has for an active mailbox, seen now; False if it is not active any more."""
    values = {
        "routing_rule_id": routing_rule_id,
        "rule_checked_at": DatabaseNow(),
        "expired_at": None,
        "cleanup_next_attempt_at": None,
        "cleanup_attempts": 0,
    }
    active = update(mailboxes).where(mailboxes.c.id == mailbox_id, _is_active)
    return connection.execute(active.values(values)).rowcount > 0


def store_expiry(connection: Connection, mailbox_id: str) -> None:
    """Store that the active mailbox has expired and has no rule; its grace time begins."""
    values = {
        "routing_rule_id": None,
        "rule_checked_at": None,
        "expired_at": DatabaseNow(),
        "cleanup_next_attempt_at": None,
        "cleanup_attempts": 0,
    }
    expired = update(mailboxes).where(mailboxes.c.id == mailbox_id, _is_active, mailboxes.c.expired_at.is_(None))
    row = connection.execute(expired.values(values).returning(mailboxes.c.user_id)).one_or_none()
    if row is not None:
        changes.note_mailbox(connection, row.user_id, mailbox_id)


def store_expiries_without_rule(connection: Connection, now: datetime, limit: int) -> int:
    """Store the expiry of up to *limit* mailboxes that have no rule to remove; returns how many."""
    due = select(mailboxes.c.id).where(
        _is_active,
        mailboxes.c.expired_at.is_(None),
        mailboxes.c.expires_at <= now,
        mailboxes.c.routing_rule_id.is_(None),
    )
    ids = list(connection.execute(due.order_by(mailboxes.c.expires_at).limit(limit)).scalars())
    for mailbox_id in ids:
        store_expiry(connection, mailbox_id)
    return len(ids)


def is_rule_unseen_for(connection: Connection, mailbox_id: str, age: timedelta) -> bool:
    """Whether Cloudflare has not confirmed the mailbox's rule for *age*."""
    query = select(mailboxes.c.rule_checked_at).where(mailboxes.c.id == mailbox_id)
    checked_at, now = connection.execute(query).scalar(), database_now(connection)
    return checked_at is None or not now - age < checked_at <= now
