"""The `mailboxes` table."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, select, update

from kaisoumail.model.address import Address
from kaisoumail.model.mailbox import Mailbox, MailboxSource, MailboxStatus
from kaisoumail.model.user import Viewer
from kaisoumail.storage.inserts import insert_unless_known
from kaisoumail.storage.tables import mailboxes

_DESTROYED = MailboxStatus.DESTROYED.value
# Built once: it is asked for every recipient of every mail.
_LIVE: Final = select(mailboxes).where(
    mailboxes.c.address.in_(bindparam("addresses", expanding=True)), mailboxes.c.status != _DESTROYED
)
_shown = mailboxes.c.status != MailboxStatus.PROVISIONING.value


def add(connection: Connection, mailbox: Mailbox) -> bool:
    """Keep a new mailbox; False if its address is taken, by whomever and in whatever state but destroyed."""
    return insert_unless_known(connection, mailboxes, _columns(mailbox))


def activate(connection: Connection, mailbox_id: str, routing_rule_id: str | None) -> Mailbox | None:
    """The mailbox, now receiving through *routing_rule_id*; None if it was given up meanwhile."""
    connection.execute(
        update(mailboxes)
        .where(mailboxes.c.id == mailbox_id, mailboxes.c.status == MailboxStatus.PROVISIONING.value)
        .values(status=MailboxStatus.ACTIVE.value, routing_rule_id=routing_rule_id)
    )
    return find(connection, mailbox_id)


def save(connection: Connection, mailbox: Mailbox) -> None:
    connection.execute(update(mailboxes).where(mailboxes.c.id == mailbox.id).values(_columns(mailbox)))


def remove(connection: Connection, mailbox_id: str) -> None:
    """Drop a mailbox that never came to be. One that did is destroyed, which is another thing."""
    connection.execute(
        delete(mailboxes).where(mailboxes.c.id == mailbox_id, mailboxes.c.status == MailboxStatus.PROVISIONING.value)
    )


def find(connection: Connection, mailbox_id: str) -> Mailbox | None:
    row = connection.execute(select(mailboxes).where(mailboxes.c.id == mailbox_id)).one_or_none()
    return None if row is None else _mailbox_from(row)


def find_live(connection: Connection, address: str) -> Mailbox | None:
    """The one mailbox that holds *address* now, in any state but destroyed."""
    return find_all_live(connection, [address])[0]


def find_all_live(connection: Connection, addresses: Sequence[str]) -> list[Mailbox | None]:
    """The mailbox that holds each of *addresses* now, in any state but destroyed."""
    rows = connection.execute(_LIVE, {"addresses": list(set(addresses))})
    held = {row.address: _mailbox_from(row) for row in rows}
    return [held.get(address) for address in addresses]


def any_on(connection: Connection, domain_id: str) -> bool:
    """True while the domain has a mailbox that is not destroyed."""
    query = select(mailboxes.c.id).where(mailboxes.c.domain_id == domain_id, mailboxes.c.status != _DESTROYED)
    return connection.execute(query.limit(1)).first() is not None


def listed(connection: Connection, viewer: Viewer) -> list[Mailbox]:
    """What *viewer* may see, newest first: their own, or everybody's for an admin."""
    query = select(mailboxes).where(_shown, *_visible_to(viewer))
    rows = connection.execute(query.order_by(mailboxes.c.created_at.desc(), mailboxes.c.id.desc()))
    return [_mailbox_from(row) for row in rows]


def _visible_to(viewer: Viewer) -> list[ColumnElement[bool]]:
    return [] if viewer.is_admin else [mailboxes.c.user_id == viewer.id]


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
    )
