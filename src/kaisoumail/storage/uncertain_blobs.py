"""
Blobs whose message may or may not be stored.

When the connection is lost while a transaction is being committed, the commit may be durable all the same: only its
answer was lost. Removing the bytes then could lose the message, so they stay until a query shows whether it is stored.
"""

from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import Final

from sqlalchemy import Connection, select

from kaisoumail.storage.blobs import BlobStore
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.schema import messages

_SECONDS: Final = 60.0  # by then a commit that was under way is durable or rolled back
_MOST: Final = 500  # in one query


class UncertainBlobs:
    """The uncertain blobs of this process. If it dies, some bytes may stay without a message, nothing worse."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs
        self._since: dict[tuple[str, str], float] = {}

    def note(self, message_id: str, location: str) -> None:
        """Note that the bytes at *location* belong to this message, if it is stored."""
        self._since[message_id, location] = monotonic()

    async def settle(self, after: float = _SECONDS) -> None:
        """
        Remove blobs whose message is not stored, of those noted *after* seconds ago or earlier.

        Raises Problem when the database cannot be queried or a file cannot be removed; those are left for the next
        call.
        """
        now = monotonic()
        due = [noted for noted, since in self._since.items() if now - since >= after][:_MOST]
        if not due:
            return
        stored = await self._database.read(partial(_stored_ids, message_ids=[message_id for message_id, _ in due]))
        for noted in due:
            message_id, location = noted
            if message_id not in stored:
                await self._blobs.remove(location)
            del self._since[noted]


def _stored_ids(connection: Connection, message_ids: Sequence[str]) -> set[str]:
    return set(connection.execute(select(messages.c.id).where(messages.c.id.in_(message_ids))).scalars())
