"""The `domains` table: one row per name, never deleted."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, case, insert, or_, select, update

from kaisoumail.model.domain import LONGEST_CHECK_PAUSE, LOOK_PAUSE, BindingSource, Domain, DomainStatus
from kaisoumail.storage.engine.database_clock import DatabaseNow, in_time
from kaisoumail.storage.engine.schema import domains
from kaisoumail.storage.engine.upsert import insert_unless_known
from kaisoumail.storage.tables import changes

_live = domains.c.deleted_at.is_(None)
# A time further away than the longest pause: the database's clock went back since.
_longest_pause = case(
    (domains.c.status == DomainStatus.ACTIVE.value, in_time(LOOK_PAUSE)), else_=in_time(LONGEST_CHECK_PAUSE)
)
_is_due = or_(domains.c.next_look_at <= DatabaseNow(), domains.c.next_look_at > _longest_pause)


def listed(connection: Connection) -> list[Domain]:
    """Every domain that was not deleted, by name."""
    return [
        _domain_from(row) for row in connection.execute(select(domains).where(_live).order_by(domains.c.root_domain))
    ]


def active(connection: Connection) -> list[Domain]:
    """The domains on which mailboxes can be created, by name."""
    query = select(domains).where(_live, domains.c.status == DomainStatus.ACTIVE.value)
    return [_domain_from(row) for row in connection.execute(query.order_by(domains.c.root_domain))]


def find(connection: Connection, domain_id: str) -> Domain | None:
    """The domain, unless it was deleted."""
    row = connection.execute(select(domains).where(domains.c.id == domain_id, _live)).one_or_none()
    return None if row is None else _domain_from(row)


def find_to_change(connection: Connection, domain_id: str) -> Domain | None:
    """The domain, locked until this transaction ends, so that a decision about it can be saved."""
    query = select(domains).where(domains.c.id == domain_id, _live).with_for_update(key_share=True)
    row = connection.execute(query).one_or_none()
    return None if row is None else _domain_from(row)


def find_any(connection: Connection, domain_id: str) -> Domain | None:
    """The domain, deleted or not."""
    row = connection.execute(select(domains).where(domains.c.id == domain_id)).one_or_none()
    return None if row is None else _domain_from(row)


def find_by_name(connection: Connection, root_domain: str) -> Domain | None:
    """The row of this name, deleted or not."""
    row = connection.execute(select(domains).where(domains.c.root_domain == root_domain)).one_or_none()
    return None if row is None else _domain_from(row)


def find_by_name_to_change(connection: Connection, root_domain: str) -> Domain | None:
    """The row of this name, deleted or not, locked until this transaction ends."""
    query = select(domains).where(domains.c.root_domain == root_domain).with_for_update(key_share=True)
    row = connection.execute(query).one_or_none()
    return None if row is None else _domain_from(row)


def any_due(connection: Connection) -> bool:
    """True when the check of a domain is due. Called often; costs no write."""
    return connection.execute(select(domains.c.id).where(_live, _is_due).limit(1)).first() is not None


def claim_due(connection: Connection, put_off: timedelta) -> Domain | None:
    """
    The domain whose check is most overdue; its next check is *put_off* from now. None if none is due.

    Concurrent processes each get a different one, or none: a row locked by another process is skipped.
    """
    due = select(domains).where(_live, _is_due).order_by(domains.c.next_look_at).limit(1)
    row = connection.execute(due.with_for_update(skip_locked=True, key_share=True)).one_or_none()
    if row is None:
        return None
    connection.execute(update(domains).where(domains.c.id == row.id).values(next_look_at=in_time(put_off)))
    return _domain_from(row)


def look_soon(connection: Connection, ids: Sequence[str]) -> None:
    """Have the watch look at the active domains with *ids* now: something is not as it was believed to be."""
    active = update(domains).where(domains.c.id.in_(ids), _live, domains.c.status == DomainStatus.ACTIVE.value)
    connection.execute(active.values(next_look_at=DatabaseNow()))


def add_unless_known(connection: Connection, domain: Domain) -> bool:
    """Store *domain* as a new row; False, and nothing happens, if its name has one."""
    if not insert_unless_known(connection, domains, _columns(domain)):
        return False
    changes.note_domain(connection, domain.id)
    return True


def save(connection: Connection, domain: Domain) -> None:
    """Store *domain*: as a new row, or in place of the row of the same name."""
    columns = _columns(domain)
    changed = connection.execute(update(domains).where(domains.c.root_domain == domain.root_domain).values(columns))
    if changed.rowcount == 0:
        connection.execute(insert(domains).values(columns))
    changes.note_domain(connection, domain.id)


def with_ids(connection: Connection, ids: Sequence[str]) -> list[Domain]:
    """The domains with *ids* that exist, deleted or not, in no order."""
    return [_domain_from(row) for row in connection.execute(select(domains).where(domains.c.id.in_(ids)))]


def _columns(domain: Domain) -> dict[str, Any]:
    return {
        "id": domain.id,
        "root_domain": domain.root_domain,
        "zone_id": domain.zone_id,
        "binding_source": domain.binding_source.value,
        "status": domain.status.value,
        "zone_status": domain.zone_status,
        "zone_status_at": domain.zone_status_at,
        "name_servers": list(domain.name_servers),
        "catch_all_enabled": domain.catch_all_enabled,
        "catch_all_owner_id": domain.catch_all_owner_id,
        "last_provision_error": domain.last_provision_error,
        "last_provision_code": domain.last_provision_code,
        "last_provision_details": domain.last_provision_details,
        "next_look_at": domain.next_look_at,
        "looks": domain.looks,
        "activation_checked_at": domain.activation_checked_at,
        "created_at": domain.created_at,
        "updated_at": domain.updated_at,
        "last_provisioned_at": domain.last_provisioned_at,
        "disabled_at": domain.disabled_at,
        "deleted_at": domain.deleted_at,
        "status_before_deletion": domain.status_before_deletion and domain.status_before_deletion.value,
    }


def _domain_from(row: Row[Any]) -> Domain:
    return Domain(
        id=row.id,
        root_domain=row.root_domain,
        zone_id=row.zone_id,
        binding_source=BindingSource(row.binding_source),
        status=DomainStatus(row.status),
        zone_status=row.zone_status,
        zone_status_at=row.zone_status_at,
        name_servers=tuple(row.name_servers),
        catch_all_enabled=row.catch_all_enabled,
        catch_all_owner_id=row.catch_all_owner_id,
        last_provision_error=row.last_provision_error,
        last_provision_code=row.last_provision_code,
        last_provision_details=row.last_provision_details,
        next_look_at=row.next_look_at,
        looks=row.looks,
        activation_checked_at=row.activation_checked_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_provisioned_at=row.last_provisioned_at,
        disabled_at=row.disabled_at,
        deleted_at=row.deleted_at,
        status_before_deletion=row.status_before_deletion and DomainStatus(row.status_before_deletion),
    )
