"""Blobs as files: a temporary file is written, fsynced and renamed, and its folder fsynced, before `put` returns."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kaisoumail.errors import Problem

# Early releases named the folder after the end of the file name ("….zst"), so that all blobs were in this one.
_OLD_FOLDER: Final = "st"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the store, or a temporary file whose write was never finished."""

    path: Path
    changed_at: datetime


class FileBlobs:
    """Blobs as files under *root*, in folders by the last two characters of an identifier, which are random."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._durable_folders: set[Path] = set()  # the folders that are known to survive a crash

    async def put(self, name: str, content: bytes) -> None:
        """Store *content* under *name*, durable on return. Raises Problem `storage_unavailable` if it is not stored."""
        try:
            await asyncio.to_thread(self._write, self._path(name), content)
        except OSError as error:
            raise Problem("storage_unavailable", "The blob store cannot be written just now") from error

    async def find(self, name: str) -> bytes | None:
        """The bytes stored under *name*, or None. Raises Problem `storage_unavailable` when they cannot be read."""
        try:
            return await asyncio.to_thread(self._read, name)
        except OSError as error:
            raise Problem("storage_unavailable", "The blob store cannot be read just now") from error

    async def remove(self, name: str) -> None:
        """Remove *name*; a missing one is fine. Raises Problem `storage_unavailable` when it cannot be removed."""
        await _remove(self._paths(name))

    async def files(self) -> AsyncIterator[list[StoredFile]]:
        """Everything in the store, folder by folder. Raises Problem `storage_unavailable` when it cannot be read."""
        try:
            for folder in await asyncio.to_thread(self._folders):
                yield await asyncio.to_thread(_files_in, folder)
        except OSError as error:
            raise Problem("storage_unavailable", "The blob store cannot be read just now") from error

    async def remove_files(self, files: Iterable[StoredFile]) -> None:
        """Remove *files*; missing ones are fine. Raises Problem `storage_unavailable` at one that cannot be removed."""
        await _remove(file.path for file in files)

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
        raise Problem("storage_unavailable", "The blob store cannot be written just now") from error


def _files_in(folder: Path) -> list[StoredFile]:
    files = []
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                changed_at = datetime.fromtimestamp(entry.stat(follow_symlinks=False).st_mtime, UTC)
            except FileNotFoundError:  # removed meanwhile
                continue
            files.append(StoredFile(Path(entry.path), changed_at))
    return files


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
