"""What a store of blobs does, whatever it is built on: begin here to add another one."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """
    An entry of the store: a blob, or what an unfinished `put` left behind.

    *key* is its place in the store and ends with its *name*; *changed_at* is by the clock of the store.
    """

    key: str
    changed_at: datetime

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]


class BlobStore(Protocol):
    """
    Bytes under names, which have letters, digits, `_` and `.` only; those of a message are never changed.

    All methods raise Problem `storage_unavailable` when the store does not do what they promise; then a `put` or a
    removal may have happened, which repeating it settles. Several processes may use one store.
    """

    async def put(self, name: str, content: bytes) -> None:
        """
        Store *content* under *name*. On return it survives a crash of any machine of ours, and every `find` sees it.

        Until then a `find` sees nothing, never a part. Repeating replaces the content. Raises ValueError for a name
        that could leave the store.
        """
        ...

    async def find(self, name: str) -> bytes | None:
        """The whole content stored under *name*; None if nothing is."""
        ...

    async def remove(self, name: str) -> None:
        """Remove *name*; a missing one is fine."""
        ...

    def listed(self) -> AsyncIterator[list[StoredBlob]]:
        """
        Everything in the store, in batches; what changes meanwhile may be missing.

        What an unfinished `put` left is listed too, so that it can be removed.
        """
        ...

    async def remove_listed(self, blobs: Iterable[StoredBlob]) -> None:
        """Remove *blobs*, which `listed` returned; missing ones are fine."""
        ...
