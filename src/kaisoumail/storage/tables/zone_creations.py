"""
Zones that we ask Cloudflare to create, noted before the request: even if the answer is lost, such a zone is ours.

A note is deleted when the row of its domain is saved, or after a refusal that means no zone was created. If a bind ends
without either, the note stays as long as that bind (`operations/retention.py`): a bind of the name until then still
knows that the zone is ours.
"""

from hashlib import sha256
from typing import Final

from sqlalchemy import Connection

from kaisoumail.storage.engine.schema import facts
from kaisoumail.storage.tables import key_values

_PREFIX: Final = "zone_creation:"
is_note: Final = facts.c.key.startswith(_PREFIX, autoescape=True)
"""The condition for the rows of `facts` that are such notes."""


def note(connection: Connection, root_domain: str) -> None:
    """Note that we are about to create a zone of this name."""
    key_values.put(connection, _key(root_domain), root_domain)


def is_noted(connection: Connection, root_domain: str) -> bool:
    return key_values.find(connection, _key(root_domain)) is not None


def forget(connection: Connection, root_domain: str) -> None:
    key_values.forget(connection, _key(root_domain))


def _key(root_domain: str) -> str:
    """The key for the note. A name has up to 253 characters, a key of `facts` up to 64."""
    return f"{_PREFIX}{sha256(root_domain.encode()).hexdigest()[:40]}"
