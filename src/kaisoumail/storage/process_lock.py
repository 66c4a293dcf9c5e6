"""
A lock that allows one serving process on the embedded databases.

SQLite lets any number of processes open a file, but two of ours would each count limits and quotas by themselves, wake
only their own waiters and take over each other's runs. One-off commands do none of that and need no lock.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from kaisoumail.errors import Problem
from kaisoumail.storage.data_folder import DataFolder

_ENDING: Final = ".lock"
_READ_AGAIN_SECONDS: Final = 0.01
_READ_TIMES: Final = 50


@contextmanager
def sole_process(folder: DataFolder, command: str) -> Iterator[None]:
    """
    Inside the block no other process serves from the SQLite files of *folder*; PostgreSQL is not locked.

    The lock is the operating system's (flock), on a file next to each database: it ends with the process, however that
    ends. Raises Problem `storage_unavailable` that names the process holding it.
    """
    with ExitStack() as stack:
        for database in sorted(_files(folder)):
            handle = _open(database)
            stack.callback(os.close, handle)
            _lock(handle, database)
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()} {command}\n".encode(), 0)
        yield


def _files(folder: DataFolder) -> set[Path]:
    """The SQLite files, with symbolic links resolved: each file has one lock."""
    urls = (make_url(folder.database_url), make_url(folder.workflows_url))
    return {Path(url.database).resolve() for url in urls if url.get_backend_name() == "sqlite" and url.database}


def _open(database: Path) -> int:
    path = database.with_name(database.name + _ENDING)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Problem("storage_unavailable", f"The lock file {path} cannot be used: {error.strerror}") from error


def _lock(handle: int, database: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Problem("storage_unavailable", f"{database} is in use by {_holder(handle)}; stop that first") from None
    except OSError as error:
        raise Problem("storage_unavailable", f"{database} cannot be locked: {error.strerror}") from error


def _holder(handle: int) -> str:
    """The process that holds the lock. It writes its name just after locking: until then an earlier one's is read."""
    for _ in range(_READ_TIMES):
        pid, _, command = os.pread(handle, 100, 0).decode().strip().partition(" ")
        if pid.isdecimal() and _is_alive(int(pid)):
            break
        time.sleep(_READ_AGAIN_SECONDS)
    if not pid:
        return "another process"
    since = datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC)
    return f"`kaisoumail {command}`, process {pid}, since {since:%Y-%m-%d %H:%M:%S} UTC"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it belongs to another user
        return True
    return True
