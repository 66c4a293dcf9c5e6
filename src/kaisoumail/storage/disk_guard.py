"""The low water mark: no mail is taken when the disk is nearly full, so that what is running can still be kept."""

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from kaisoumail.errors import Problem

_LOOK_AGAIN_SECONDS: Final = 0.5


class DiskGuard:
    """
    At least *min_free* bytes must be free where each of *folders* is.

    A database that runs full in the middle of a write recovers, but everything else on the machine
    suffers; a sender that is asked to come back loses nothing.
    """

    def __init__(self, folders: tuple[Path, ...], min_free: int, now: Callable[[], float] = monotonic) -> None:
        self._folders = folders
        self._min_free = min_free
        self._now = now
        self._looked_at = float("-inf")
        self._is_low = False

    def refuse_if_low(self) -> None:
        """Raises Problem `storage_full`, which may pass, while there is less room than that."""
        if self._min_free and self._now() - self._looked_at >= _LOOK_AGAIN_SECONDS:
            self._looked_at = self._now()
            self._is_low = any(_free(folder) < self._min_free for folder in self._folders)
        if self._is_low:
            raise Problem("storage_full", "The disk is nearly full")


def _free(folder: Path) -> int:
    """Bytes that an ordinary process may still write where *folder* is."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
