"""The `subdomains` table: the hosts for which Cloudflare created mail records at our request."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from kaisoumail.model.ids import new_id
from kaisoumail.storage.engine.schema import subdomains
from kaisoumail.storage.engine.upsert import insert_unless_known


def is_enabled(connection: Connection, domain_id: str, name: str) -> bool:
    """Whether messages for this subdomain reach us, as noted here; Cloudflare is not called."""
    query = select(subdomains.c.id).where(subdomains.c.domain_id == domain_id, subdomains.c.name == name)
    return connection.execute(query).first() is not None


def names(connection: Connection, domain_id: str) -> list[str]:
    """The subdomains of the domain for which messages reach us, as noted here."""
    return list(connection.execute(select(subdomains.c.name).where(subdomains.c.domain_id == domain_id)).scalars())


def note_enabled(connection: Connection, domain_id: str, name: str, now: datetime) -> None:
    """Store that messages for this subdomain reach us, and that it was last used *now*."""
    used = connection.execute(
        update(subdomains)
        .where(subdomains.c.domain_id == domain_id, subdomains.c.name == name)
        .values(last_used_at=now)
    )
    if used.rowcount == 0:
        row = {"id": new_id("sub"), "domain_id": domain_id, "name": name, "enabled_at": now, "last_used_at": now}
        insert_unless_known(connection, subdomains, row)  # another process may insert it at the same moment


def forget_all(connection: Connection, *, domain_id: str) -> None:
    """Delete every host of a domain whose zone is gone."""
    connection.execute(delete(subdomains).where(subdomains.c.domain_id == domain_id))
