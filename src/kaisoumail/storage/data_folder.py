"""
Where the database and files are stored, unreadable for other users of the machine: they hold private messages.

New files are private by the umask that every command sets first (`cli/main.py`). Files of an older release are made
private at the start. A file with an access control list is left alone: its group bits are the mask of the list, and the
list was set on purpose.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import structlog
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from kaisoumail.errors import Problem

_OTHERS: Final = 0o077
_ACCESS_CONTROL_LIST: Final = "system.posix_acl_access"
_ENDINGS: Final = ("", "-wal", "-shm", "-journal")
_DEMO_FILES: Final = ("demo.json", "cloudflare.json")
_log: Final = structlog.get_logger("kaisoumail.storage")


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The data folder, and the places of the database, the workflow database and the blobs."""

    path: Path
    database_url: str
    workflows_url: str
    blobs: Path
    _is_ours: bool
    _blobs_are_ours: bool

    def tighten(self) -> None:
        """
        Make our files unreadable for other users of this machine, with one line in the log.

        A folder that we did not create may hold other things of the operator: it is not changed, the log warns.
        """
        changed = sum(_make_private(path) for path in self._ours())
        if changed:
            _log.info("files.made_private", folder=str(self.path), count=changed)
        for folder, is_ours in ((self.path, self._is_ours), (self.blobs, self._blobs_are_ours)):
            if not is_ours and _is_open_to_others(folder):
                mode = f"{folder.stat().st_mode & 0o777:04o}"
                _log.warning("files.folder_open_to_others", folder=str(folder), mode=mode, fix=f"chmod 700 {folder}")

    def _ours(self) -> Iterator[Path]:
        for url in {self.database_url, self.workflows_url}:
            database = make_url(url)
            if database.get_backend_name() == "sqlite" and database.database:
                files = (Path(database.database + ending) for ending in _ENDINGS)
                yield from (file for file in files if file.is_file())
        yield from (file for name in _DEMO_FILES if (file := self.path / name).is_file())
        yield from _blob_files(self.blobs)
        if self._blobs_are_ours:
            yield self.blobs


def data_folder(data_dir: str, database_url: str | None = None, blob_store_url: str | None = None) -> DataFolder:
    """
    The data folder at *data_dir*, created if missing; *database_url* and *blob_store_url* move parts of it elsewhere.

    Raises Problem `storage_unavailable` when a folder cannot be written, `invalid_request` for an invalid URL.
    """
    is_shared = database_url is not None and _is_shared(database_url)
    path, is_ours = _folder(Path(data_dir))
    blobs, blobs_are_new = _folder(Path((blob_store_url or str(path / "blobs")).removeprefix("file://")))
    return DataFolder(
        path,
        database_url or f"sqlite:///{path / 'kaisoumail.db'}",
        # Runs are stored next to the embedded database, or inside the shared one.
        database_url if database_url and is_shared else f"sqlite:///{path / 'workflows.db'}",
        blobs,
        is_ours,
        blobs_are_new or blob_store_url is None,
    )


def _is_shared(database_url: str) -> bool:
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError) as error:  # the error text is not shown: it may contain the password
        raise Problem("invalid_request", "DATABASE_URL cannot be read: a colon or slash in the wrong place?") from error
    if url.get_backend_name() == "sqlite" and (not url.database or url.database.startswith((":memory:", "file:"))):
        raise Problem("invalid_request", "DATABASE_URL names no file: sqlite:///path, or sqlite:////path from the root")
    return url.get_backend_name() == "postgresql"


def _folder(folder: Path) -> tuple[Path, bool]:
    """The folder, and True if it was created just now."""
    try:
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):  # has no name: nothing is left of it if the process dies
            pass
    except OSError as error:
        raise Problem("storage_unavailable", f"The folder {folder} cannot be written: {error.strerror}") from error
    return folder.resolve(), is_new


def _blob_files(root: Path) -> Iterator[Path]:
    """
    The files in those blob folders that other users may enter, each folder after its files.

    So a folder that is private was completed before, and a million messages cost the next start nothing.
    """
    for folder in root.iterdir():
        if len(folder.name) <= 2 and folder.is_dir() and not folder.is_symlink() and _is_open_to_others(folder):
            yield from (file for file in folder.iterdir() if not file.is_symlink())
            yield folder


def _make_private(path: Path) -> bool:
    """True if *path* was open to others and is private now. A file of another user is only logged."""
    try:
        if not _is_open_to_others(path):
            return False
        path.chmod(path.stat().st_mode & 0o700)
    except FileNotFoundError:
        return False
    except PermissionError:
        _log.warning("files.open_to_others", path=str(path))
        return False
    return True


def _is_open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & _OTHERS) and not _has_access_control_list(path)


def _has_access_control_list(path: Path) -> bool:
    try:
        return _ACCESS_CONTROL_LIST in os.listxattr(path)
    except OSError:  # a file system without them
        return False
