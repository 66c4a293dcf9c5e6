"""
Zones that we ask Cloudflare to create, noted before the request: even if the answer is lost, such a zone is ours.

A note is deleted when the row of its domain is saved, or after a refusal that means no zone was created. If a bind
never ends, the note stays until the next bind of the name.
"""

from hashlib import sha256

from sqlalchemy import Connection

from kaisoumail.storage.tables import key_values


def note(connection: Connection, root_domain: str) -> None:
    """Note that we are about to create a zone of this name."""
    key_values.put(connection, _key(root_domain), root_domain)


def is_noted(connection: Connection, root_domain: str) -> bool:
    return key_values.find(connection, _key(root_domain)) is not None


def forget(connection: Connection, root_domain: str) -> None:
    key_values.forget(connection, _key(root_domain))


def _key(root_domain: str) -> str:
    """The key for the note. A name has up to 253 characters, a key of `facts` up to 64."""
    return f"zone_creation:{sha256(root_domain.encode()).hexdigest()[:40]}"
