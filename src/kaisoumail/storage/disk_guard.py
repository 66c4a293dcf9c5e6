"""No message is accepted when the disk is nearly full, so that work under way can still be stored."""

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from kaisoumail.errors import Problem

_CHECK_SECONDS: Final = 0.5


class DiskGuard:
    """
    Refuses messages while a file system of *folders* has less than *min_free* bytes free.

    A database whose disk fills up in the middle of a write recovers, but everything else on the machine
    suffers; a sender that is asked to try again later loses nothing.
    """

    def __init__(self, folders: tuple[Path, ...], min_free: int, now: Callable[[], float] = monotonic) -> None:
        self._folders = folders
        self._min_free = min_free
        self._now = now
        self._checked_at = float("-inf")
        self._is_low = False

    def refuse_if_low(self) -> None:
        """Raises Problem `storage_full`, which may pass, while less than that is free."""
        if self._min_free and self._now() - self._checked_at >= _CHECK_SECONDS:
            self._checked_at = self._now()
            self._is_low = any(_free(folder) < self._min_free for folder in self._folders)
        if self._is_low:
            raise Problem("storage_full", "The disk is nearly full")


def _free(folder: Path) -> int:
    """How many bytes an unprivileged process may still write in the file system of *folder*."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
