"""The `mailboxes` table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)

from kaisoumail.model.address import Address
from kaisoumail.model.feed import PageEnd
from kaisoumail.model.mailbox import UNKNOWN_RULE, Mailbox, MailboxSource, MailboxStatus
from kaisoumail.model.user import Viewer
from kaisoumail.storage.engine.compiled_sql import SelectMany
from kaisoumail.storage.engine.database_clock import DatabaseNow
from kaisoumail.storage.engine.schema import mailboxes, users
from kaisoumail.storage.engine.upsert import insert_unless_known
from kaisoumail.storage.tables import changes
from kaisoumail.storage.tables.grant_filter import within
from kaisoumail.storage.tables.paging import older_than

_DESTROYED = MailboxStatus.DESTROYED.value
_USABLE: Final = (MailboxStatus.ACTIVE.value, MailboxStatus.EXPIRED.value)
_EMPTY: Final = {"unread_count": 0, "message_count": 0, "stored_bytes": 0, "last_received_at": None}
# Built once: it runs for every recipient of every message.
_LIVE: Final = SelectMany(
    lambda addresses: select(mailboxes).where(mailboxes.c.address.in_(addresses), mailboxes.c.status != _DESTROYED),
    mailboxes.c.address.type,
)
_unknown_rule: Final = case((mailboxes.c.routing_rule_id == UNKNOWN_RULE, UNKNOWN_RULE))
was_refused: Final = mailboxes.c.routing_rule_id == literal_column(f"'{UNKNOWN_RULE}'")
"""The condition for mailboxes that Cloudflare refused, which `give_up` began to destroy; as their index has it."""
_has_rule: Final = literal_column("routing_rule_id IS NOT NULL", type_=Boolean())
_shown = mailboxes.c.status != MailboxStatus.PROVISIONING.value


def add(connection: Connection, mailbox: Mailbox) -> bool:
    """Store a new mailbox; False if another one has its address, of any user and in any status but destroyed."""
    return insert_unless_known(connection, mailboxes, _columns(mailbox))


def activate(connection: Connection, mailbox_id: str, routing_rule_id: str | None) -> Mailbox | None:
    """The mailbox; if it was provisioning, it is now active with *routing_rule_id*. None if it was removed."""
    connection.execute(
        update(mailboxes)
        .where(mailboxes.c.id == mailbox_id, mailboxes.c.status == MailboxStatus.PROVISIONING.value)
        .values(status=MailboxStatus.ACTIVE.value, routing_rule_id=routing_rule_id, rule_checked_at=DatabaseNow())
    )
    mailbox = find(connection, mailbox_id)
    if mailbox is not None:
        changes.note_mailbox(connection, mailbox.user_id, mailbox.id)
    return mailbox


def save(connection: Connection, mailbox: Mailbox) -> None:
    connection.execute(update(mailboxes).where(mailboxes.c.id == mailbox.id).values(_columns(mailbox)))
    changes.note_mailbox(connection, mailbox.user_id, mailbox.id)


def prolong(connection: Connection, mailbox: Mailbox) -> bool:
    """Store the lifetime and status of *mailbox*; False, with nothing changed, if it is being destroyed meanwhile."""
    usable = update(mailboxes).where(mailboxes.c.id == mailbox.id, mailboxes.c.status.in_(_USABLE))
    values = {"expires_at": mailbox.expires_at, "status": mailbox.status.value, "expired_at": None}
    if connection.execute(usable.values(values)).rowcount == 0:
        return False
    changes.note_mailbox(connection, mailbox.user_id, mailbox.id)
    return True


def begin_to_destroy(connection: Connection, mailbox_id: str) -> Mailbox | None:
    """
    The mailbox, set to destroying: it receives nothing and its messages are hidden.

    None, and nothing changes, for one that is being destroyed or is destroyed already.
    """
    usable = update(mailboxes).where(mailboxes.c.id == mailbox_id, mailboxes.c.status.in_(_USABLE))
    changed = connection.execute(usable.values(status=MailboxStatus.DESTROYING.value, cleanup_next_attempt_at=None))
    if changed.rowcount == 0:
        return None
    _note(connection, mailbox_id)
    return find(connection, mailbox_id)


def end_destroying(connection: Connection, mailbox_id: str, now: datetime) -> None:
    """
    Free the address of a mailbox that was being destroyed; the row stays for a while, with the time of its end.

    Without a rule, except for one that was never active: by its `UNKNOWN_RULE` that row is removed sooner.
    """
    destroying = update(mailboxes).where(
        mailboxes.c.id == mailbox_id, mailboxes.c.status == MailboxStatus.DESTROYING.value
    )
    values = {"status": _DESTROYED, "destroyed_at": now, "routing_rule_id": _unknown_rule, **_EMPTY}
    if connection.execute(destroying.values(values)).rowcount:
        _note(connection, mailbox_id)


def being_destroyed(connection: Connection) -> list[str]:
    """The ids of mailboxes whose destruction has begun and not ended."""
    query = select(mailboxes.c.id).where(mailboxes.c.status == MailboxStatus.DESTROYING.value)
    return list(connection.execute(query).scalars())


def _note(connection: Connection, mailbox_id: str) -> None:
    mailbox = find(connection, mailbox_id)
    if mailbox is not None:
        changes.note_mailbox(connection, mailbox.user_id, mailbox.id)


def remove(connection: Connection, mailbox_id: str) -> None:
    """Delete a mailbox that was never active. One that was is destroyed instead."""
    connection.execute(
        delete(mailboxes).where(mailboxes.c.id == mailbox_id, mailboxes.c.status == MailboxStatus.PROVISIONING.value)
    )


def give_up(connection: Connection, mailbox_id: str) -> None:
    """Begin to destroy a mailbox that was never active but may have a routing rule at Cloudflare."""
    is_provisioning = mailboxes.c.status == MailboxStatus.PROVISIONING.value
    connection.execute(
        update(mailboxes)
        .where(mailboxes.c.id == mailbox_id, is_provisioning)
        .values(status=MailboxStatus.DESTROYING.value, routing_rule_id=UNKNOWN_RULE)
    )
    _note(connection, mailbox_id)


def unopened(connection: Connection) -> list[Mailbox]:
    """The mailboxes that are still provisioning."""
    query = select(mailboxes).where(mailboxes.c.status == MailboxStatus.PROVISIONING.value)
    return [_mailbox_from(row) for row in connection.execute(query)]


def find(connection: Connection, mailbox_id: str) -> Mailbox | None:
    """The mailbox in any status. The caller checks who may see it."""
    row = connection.execute(select(mailboxes).where(mailboxes.c.id == mailbox_id)).one_or_none()
    return None if row is None else _mailbox_from(row)


def find_to_change(connection: Connection, mailbox_id: str) -> Mailbox | None:
    """The mailbox, locked until this transaction ends; rows that refer to it may be inserted meanwhile."""
    query = select(mailboxes).where(mailboxes.c.id == mailbox_id).with_for_update(key_share=True)
    row = connection.execute(query).one_or_none()
    return None if row is None else _mailbox_from(row)


def find_live(connection: Connection, address: str) -> Mailbox | None:
    """The one mailbox with *address* in any status but destroyed."""
    return find_all_live(connection, [address])[0]


def find_all_live(connection: Connection, addresses: Sequence[str]) -> list[Mailbox | None]:
    """For each of *addresses*, the one mailbox with it in any status but destroyed."""
    by_address = {row.address: _mailbox_from(row) for row in _LIVE.rows(connection, list(set(addresses)))}
    return [by_address.get(address) for address in addresses]


def wanting_rules(connection: Connection, domain_id: str, now: datetime) -> list[Mailbox]:
    """The mailboxes of the domain that should have a routing rule at *now*."""
    is_wanted = or_(is_in((MailboxStatus.ACTIVE,), now), mailboxes.c.status == MailboxStatus.PROVISIONING.value)
    query = select(mailboxes).where(mailboxes.c.domain_id == domain_id, is_wanted)
    return [_mailbox_from(row) for row in connection.execute(query)]


def at_addresses(connection: Connection, addresses: Sequence[str]) -> list[Mailbox]:
    """The mailboxes with one of *addresses*, in any status."""
    query = select(mailboxes).where(mailboxes.c.address.in_(addresses))
    return [_mailbox_from(row) for row in connection.execute(query)]


def routed_by_domain(connection: Connection) -> dict[str, int]:
    """How many mailboxes of each domain have a routing rule, by the domain's id; without those that have none."""
    query = select(mailboxes.c.domain_id, func.count()).where(_has_rule).group_by(mailboxes.c.domain_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def routed_but_expired(connection: Connection, domain_id: str, now: datetime) -> int:
    """How many mailboxes of the domain have a routing rule that the clean-up will remove."""
    is_over = and_(_has_rule, mailboxes.c.domain_id == domain_id, mailboxes.c.expires_at <= now)
    return connection.execute(select(func.count()).where(is_over)).scalar_one()


def any_on(connection: Connection, domain_id: str) -> bool:
    """True while the domain has a mailbox that is not destroyed."""
    query = select(mailboxes.c.id).where(mailboxes.c.domain_id == domain_id, mailboxes.c.status != _DESTROYED)
    return connection.execute(query.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class MailboxFilter:
    """Which mailboxes a list holds: with one of *statuses* at *now*, if any are set; *limit* of them after *end*."""

    statuses: Sequence[MailboxStatus] = ()
    now: datetime | None = None
    end: PageEnd | None = None
    limit: int | None = None


def listed(connection: Connection, viewer: Viewer, criteria: MailboxFilter = MailboxFilter()) -> list[Mailbox]:
    """The mailboxes that *viewer* may see, newest first: their own, or those of every user for an admin."""
    query = select(mailboxes).where(_shown, *_visible_to(viewer))
    if criteria.statuses and criteria.now is not None:
        query = query.where(is_in(criteria.statuses, criteria.now))
    if criteria.end is not None:
        query = query.where(older_than(criteria.end, mailboxes.c.created_at, mailboxes.c.id))
    query = query.order_by(mailboxes.c.created_at.desc(), mailboxes.c.id.desc()).limit(criteria.limit)
    return [_mailbox_from(row) for row in connection.execute(query)]


def with_ids(connection: Connection, ids: Sequence[str]) -> list[Mailbox]:
    """The mailboxes with *ids* that exist, in any status, in no order."""
    return [_mailbox_from(row) for row in connection.execute(select(mailboxes).where(mailboxes.c.id.in_(ids)))]


def ids_at(connection: Connection, addresses: Sequence[str]) -> list[str]:
    """The ids of all mailboxes with one of *addresses*, destroyed ones too."""
    return list(connection.execute(select(mailboxes.c.id).where(mailboxes.c.address.in_(addresses))).scalars())


def visible_ids(connection: Connection, viewer: Viewer, ids: Sequence[str]) -> list[str]:
    """Those of *ids* that *viewer* may see, without duplicates."""
    query = select(mailboxes.c.id).where(mailboxes.c.id.in_(ids), *_visible_to(viewer))
    return list(connection.execute(query).scalars())


def is_in(statuses: Sequence[MailboxStatus], now: datetime) -> ColumnElement[bool]:
    """`Mailbox.status_at` as a condition: an active mailbox past its `expires_at` counts as expired."""
    stored = mailboxes.c.status
    is_over = and_(stored == MailboxStatus.ACTIVE.value, mailboxes.c.expires_at <= now)
    is_current = or_(mailboxes.c.expires_at.is_(None), mailboxes.c.expires_at > now)
    shown_as = {
        MailboxStatus.ACTIVE: and_(stored == MailboxStatus.ACTIVE.value, is_current),
        MailboxStatus.EXPIRED: or_(stored == MailboxStatus.EXPIRED.value, is_over),
    }
    return or_(*(shown_as.get(status, stored == status.value) for status in statuses))


def count(connection: Connection, mailbox_id: str, *, unread: int, messages: int = 0, stored_bytes: int = 0) -> None:
    """Add to the counts of unread messages, messages and stored bytes of the mailbox; negative numbers subtract."""
    values = {
        "unread_count": mailboxes.c.unread_count + unread,
        "message_count": mailboxes.c.message_count + messages,
        "stored_bytes": mailboxes.c.stored_bytes + stored_bytes,
    }
    connection.execute(update(mailboxes).where(mailboxes.c.id == mailbox_id).values(values))


def number_receiving(connection: Connection, user_id: str, now: datetime) -> int:
    """
    How many mailboxes of the user receive messages at *now*, or are provisioning.

    Locks the user until the end of the transaction: of two requests for the last mailbox that the quota allows,
    the second waits and counts the first one's.
    """
    connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))
    is_receiving = or_(is_in((MailboxStatus.ACTIVE,), now), mailboxes.c.status == MailboxStatus.PROVISIONING.value)
    query = select(func.count()).select_from(mailboxes).where(mailboxes.c.user_id == user_id, is_receiving)
    return connection.execute(query).scalar_one()


def owned_by(connection: Connection, user_id: str) -> int:
    """How many mailboxes of the user are not destroyed."""
    query = select(func.count()).where(mailboxes.c.user_id == user_id, mailboxes.c.status != _DESTROYED)
    return connection.execute(query).scalar_one()


def change_owner(connection: Connection, user_id: str, heir_id: str) -> None:
    """Give every mailbox of one user, destroyed ones too, to another."""
    connection.execute(update(mailboxes).where(mailboxes.c.user_id == user_id).values(user_id=heir_id))


def _visible_to(viewer: Viewer) -> list[ColumnElement[bool]]:
    owned = [] if viewer.is_admin else [mailboxes.c.user_id == viewer.id]
    return [*owned, *within(viewer.grant, mailboxes.c.id)]


def _columns(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "id": mailbox.id,
        "user_id": mailbox.user_id,
        "domain_id": mailbox.domain_id,
        "local_part": mailbox.address.local_part,
        "subdomain": mailbox.address.subdomain,
        "root_domain": mailbox.address.root_domain,
        "address": str(mailbox.address),
        "source": mailbox.source.value,
        "status": mailbox.status.value,
        "routing_rule_id": mailbox.routing_rule_id,
        "created_at": mailbox.created_at,
        "expires_at": mailbox.expires_at,
        "destroyed_at": mailbox.destroyed_at,
    }


def _mailbox_from(row: Row[Any]) -> Mailbox:
    return Mailbox(
        id=row.id,
        user_id=row.user_id,
        domain_id=row.domain_id,
        address=Address(row.local_part, row.subdomain, row.root_domain),
        status=MailboxStatus(row.status),
        created_at=row.created_at,
        expires_at=row.expires_at,
        source=MailboxSource(row.source),
        last_received_at=row.last_received_at,
        destroyed_at=row.destroyed_at,
        routing_rule_id=row.routing_rule_id,
        unread_count=row.unread_count,
        message_count=row.message_count,
    )
