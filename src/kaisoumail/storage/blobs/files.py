"""
A BlobStore of files: a temporary file is written, fsynced and renamed, and its folder fsynced, before `put` returns.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kaisoumail.errors import Problem
from kaisoumail.storage.blobs.blob_store import StoredBlob

# Early releases named the folder after the end of the file name ("….zst"), so that all blobs were in this one.
_OLD_FOLDER: Final = "st"


class FileBlobs:
    """Blobs as files under *root*, in folders by the last two characters of an identifier, which are random."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._durable_folders: set[Path] = set()  # the folders that are known to survive a crash

    async def put(self, name: str, content: bytes) -> None:
        try:
            await asyncio.to_thread(self._write, self._path(name), content)
        except OSError as error:
            raise Problem("storage_unavailable", "The blob store cannot be written") from error

    async def find(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread(self._read, name)
        except OSError as error:
            raise Problem("storage_unavailable", "The blob store cannot be read") from error

    async def remove(self, name: str) -> None:
        await _remove(self._paths(name))

    async def listed(self) -> AsyncIterator[list[StoredBlob]]:
        """Folder by folder; of an unfinished `put` the temporary file."""
        try:
            for folder in await asyncio.to_thread(self._folders):
                yield await asyncio.to_thread(_blobs_in, folder)
        except OSError as error:
            raise Problem("storage_unavailable", "The blob store cannot be read") from error

    async def remove_listed(self, blobs: Iterable[StoredBlob]) -> None:
        await _remove(self._root / blob.key for blob in blobs)

    def _folders(self) -> list[Path]:
        return sorted(folder for folder in self._root.iterdir() if len(folder.name) <= 2 and folder.is_dir())

    def _path(self, name: str) -> Path:
        if not name.replace("_", "").replace(".", "").isalnum() or ".." in name:
            raise ValueError(f"not a blob name: {name!r}")
        return self._root / name.partition(".")[0][-2:] / name

    def _paths(self, name: str) -> tuple[Path, ...]:
        """The paths where *name* may be stored, the current one first."""
        return self._path(name), self._root / _OLD_FOLDER / name

    def _read(self, name: str) -> bytes | None:
        for path in self._paths(name):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                continue
        return None

    def _write(self, path: Path, content: bytes) -> None:
        folder = path.parent
        folder.mkdir(parents=True, exist_ok=True)
        if folder not in self._durable_folders:  # also if it exists: its creator may not have synced the root yet
            _sync_folder(self._root)
            self._durable_folders.add(folder)
        temporary = folder / f".{path.name}.{secrets.token_hex(4)}"
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_folder(folder)
        except OSError:
            temporary.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise


async def _remove(paths: Iterable[Path]) -> None:
    try:
        for path in paths:
            await asyncio.to_thread(path.unlink, missing_ok=True)
    except OSError as error:
        raise Problem("storage_unavailable", "The blob store cannot be written") from error


def _blobs_in(folder: Path) -> list[StoredBlob]:
    blobs = []
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                changed_at = datetime.fromtimestamp(entry.stat(follow_symlinks=False).st_mtime, UTC)
            except FileNotFoundError:  # removed meanwhile
                continue
            blobs.append(StoredBlob(f"{folder.name}/{entry.name}", changed_at))
    return blobs


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
