"""Blobs as files: written beside, fsynced, renamed, and the folder fsynced, before anybody is told yes."""

import asyncio
import os
import secrets
from pathlib import Path

from kaisoumail.errors import Problem


class FileBlobs:
    """Bytes kept as files under *root*, two levels deep by the end of their name."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, content: bytes) -> None:
        """Keep *content* under *name*, durable on return. Raises Problem `storage_unavailable`, then keeps nothing."""
        try:
            await asyncio.to_thread(self._write, self._path(name), content)
        except OSError as error:
            raise Problem("storage_unavailable", "The blob store cannot be written just now") from error

    async def find(self, name: str) -> bytes | None:
        """The bytes kept under *name*, or None. Raises Problem `storage_unavailable` when they cannot be read."""
        try:
            return await asyncio.to_thread(self._path(name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Problem("storage_unavailable", "The blob store cannot be read just now") from error

    async def remove(self, name: str) -> None:
        """Forget *name*; one that is not there is fine."""
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)

    def _path(self, name: str) -> Path:
        if not name.replace("_", "").replace(".", "").isalnum() or ".." in name:
            raise ValueError(f"not a blob name: {name!r}")
        return self._root / name[-2:] / name

    def _write(self, path: Path, content: bytes) -> None:
        folder = path.parent
        new_folder = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if new_folder:
            _sync_folder(self._root)
        beside = folder / f".{path.name}.{secrets.token_hex(4)}"
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
