"""The low water mark: no room, no mail, and it is looked at again."""

import os
from pathlib import Path

import pytest

from kaisoumail.errors import Problem
from kaisoumail.storage.disk_guard import DiskGuard


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def test_mail_is_taken_while_there_is_more_than_enough(tmp_path: Path) -> None:
    DiskGuard((tmp_path,), _free(tmp_path) // 2).refuse_if_low()


def test_mail_is_refused_for_now_when_there_is_less_in_any_of_the_folders(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        DiskGuard((tmp_path, Path("/proc")), 1).refuse_if_low()

    assert caught.value.code == "storage_full"
    assert caught.value.kind.retry
    assert caught.value.kind.smtp.startswith("452")


def test_zero_means_nobody_looks(tmp_path: Path) -> None:
    DiskGuard((tmp_path / "nowhere",), 0).refuse_if_low()


def test_the_disk_is_looked_at_again_after_a_moment(tmp_path: Path) -> None:
    moments = iter([0.0, 0.0, 0.1, 1.0, 1.0])
    folder = tmp_path / "mount"
    folder.symlink_to("/proc")
    mark = DiskGuard((folder,), 1, now=lambda: next(moments))
    with pytest.raises(Problem):
        mark.refuse_if_low()
    folder.unlink()
    folder.mkdir()
    with pytest.raises(Problem):
        mark.refuse_if_low()

    mark.refuse_if_low()
