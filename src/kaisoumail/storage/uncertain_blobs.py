"""
Bytes in the blob store of which nobody knows whether their message is kept.

When the connection is lost while a transaction is being committed, it may be durable all the same: its answer was lost,
not it. Bytes that were removed then would be missed for ever, so they stay until the database has said which it was.
"""

from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import Final

from sqlalchemy import Connection, select

from kaisoumail.storage.blobs import FileBlobs
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.schema import messages

_SECONDS: Final = 60.0  # by then whatever was under way is durable or undone
_MOST: Final = 500  # in one question


class UncertainBlobs:
    """Those of this process. A process that dies forgets them: bytes without a message are left then, nothing worse."""

    def __init__(self, database: Database, blobs: FileBlobs) -> None:
        self._database = database
        self._blobs = blobs
        self._since: dict[tuple[str, str], float] = {}

    def note(self, message_id: str, location: str) -> None:
        """The bytes at *location* belong to this message, if it is kept."""
        self._since[message_id, location] = monotonic()

    async def settle(self, after: float = _SECONDS) -> None:
        """
        Remove those whose message is not kept, of those noted *after* seconds ago or earlier.

        Raises Problem when the database or the store cannot be asked; they are asked about again then.
        """
        now = monotonic()
        due = [noted for noted, since in self._since.items() if now - since >= after][:_MOST]
        if not due:
            return
        kept = await self._database.read(partial(_stored_ids, message_ids=[message_id for message_id, _ in due]))
        for noted in due:
            message_id, location = noted
            if message_id not in kept:
                await self._blobs.remove(location)
            del self._since[noted]


def _stored_ids(connection: Connection, message_ids: Sequence[str]) -> set[str]:
    return set(connection.execute(select(messages.c.id).where(messages.c.id.in_(message_ids))).scalars())
