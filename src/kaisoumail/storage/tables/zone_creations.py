"""
Zones that we ask Cloudflare to make, noted before we ask: whatever becomes of the answer, such a zone is ours.

A note goes with the row of its domain, or with a refusal that says nothing was made. One whose bind never ended stays
until the next bind of the name.
"""

from hashlib import sha256

from sqlalchemy import Connection

from kaisoumail.storage.tables import key_values


def note(connection: Connection, root_domain: str) -> None:
    """A zone of this name is about to be asked for."""
    key_values.put(connection, _key(root_domain), root_domain)


def is_noted(connection: Connection, root_domain: str) -> bool:
    return key_values.find(connection, _key(root_domain)) is not None


def forget(connection: Connection, root_domain: str) -> None:
    key_values.forget(connection, _key(root_domain))


def _key(root_domain: str) -> str:
    """A name has up to 253 characters, a key of a fact 64."""
    return f"zone_creation:{sha256(root_domain.encode()).hexdigest()[:40]}"
