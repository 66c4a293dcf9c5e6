"""Nobody else on the machine reads what we write, nor what an older release left readable."""

import os
import struct
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kaisoumail.storage.data_folder import data_folder
from tests.builders import an_email
from tests.crash.senders import ready
from tests.handing_over import hand_over
from tests.servers import a_world, command, start

DEMO = ["demo", "--port", "0", "--smtp-port", "0", "--cloudflare-port", "0", "--cloudflare-smtp-port", "0"]
LARGE = an_email(subject="Large", text="x" * 100_000)


def _open_to_others(folder: Path) -> list[str]:
    """What below *folder*, and the folder itself, has any right for group or others."""
    return [str(path) for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077]


def test_i15_everything_that_serve_writes_is_private(tmp_path: Path) -> None:
    with a_world(tmp_path) as world, world.product() as product:
        ready(product)
        hand_over(product.url, "ada@mail.customer.com", LARGE)

        written = {path.name for path in (tmp_path / "data").rglob("*")}

        assert {"kaisoumail.db", "kaisoumail.db-wal", "kaisoumail.db-shm", "workflows.db", "blobs"} <= written
        assert any(path.is_file() for path in (tmp_path / "data" / "blobs").rglob("*"))
        assert _open_to_others(tmp_path / "data") == []


def test_everything_that_the_demo_writes_is_private(tmp_path: Path) -> None:
    process = start(*DEMO, "--data-dir", str(tmp_path / "demo"))
    try:
        written = {path.name for path in (tmp_path / "demo").iterdir()}

        assert {"demo.json", "cloudflare.json", "kaisoumail.db", "workflows.db"} <= written
        assert _open_to_others(tmp_path / "demo") == []
    finally:
        process.close()


@pytest.mark.parametrize("words", [["database", "migrate"], ["doctor"], ["users", "add", "a@b.example", "--name", "A"]])
def test_everything_that_a_command_writes_is_private(tmp_path: Path, words: list[str]) -> None:
    done = command(*words, SESSION_SECRET="a-session-secret-for-tests", DATA_DIR=str(tmp_path / "new" / "data"))

    assert done.returncode == 0
    assert _open_to_others(tmp_path / "new") == []


def _an_older_folder(folder: Path) -> None:
    """What a release that took the umask as it was left behind."""
    for name in (
        "kaisoumail.db",
        "kaisoumail.db-wal",
        "workflows.db",
        "demo.json",
        "blobs/3f/msg_3f.eml",
        "blobs/st/raw",
        "notes",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
        (folder / name).chmod(0o644)
    for name in ("blobs/3f", "blobs/st", "blobs", "."):
        (folder / name).chmod(0o755)


def test_what_an_older_release_wrote_is_made_private_once_and_what_is_not_ours_is_left(tmp_path: Path) -> None:
    _an_older_folder(tmp_path)

    with capture_logs() as first:
        data_folder(str(tmp_path)).tighten()
    with capture_logs() as second:
        data_folder(str(tmp_path)).tighten()

    assert _open_to_others(tmp_path) == [str(tmp_path), str(tmp_path / "notes")]
    assert [(line["event"], line.get("count")) for line in first] == [
        ("files.made_private", 9),
        ("files.folder_open_to_others", None),
    ]
    assert [line["event"] for line in second] == ["files.folder_open_to_others"]


def test_a_folder_that_was_given_for_blobs_stays_as_it_is_and_its_blobs_become_private(tmp_path: Path) -> None:
    given = tmp_path / "disk"
    _an_older_folder(given)

    with capture_logs() as lines:
        data_folder(str(tmp_path / "data"), blob_store_url=f"file://{given}/blobs").tighten()

    assert _open_to_others(given / "blobs") == [str(given / "blobs")]
    assert lines[-1]["folder"] == str(given / "blobs")


def test_a_file_with_an_access_control_list_is_left_to_whoever_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "kaisoumail.db").write_bytes(b"")
    _let_read(tmp_path / "kaisoumail.db", user=12345)

    data_folder(str(tmp_path)).tighten()

    assert (tmp_path / "kaisoumail.db").stat().st_mode & 0o777 == 0o640


def _let_read(path: Path, user: int) -> None:
    """As `setfacl -m u:USER:r`: owner rw, that user r, group none, mask r, others none."""
    nobody = 0xFFFFFFFF
    entries = [(0x01, 6, nobody), (0x02, 4, user), (0x04, 0, nobody), (0x10, 4, nobody), (0x20, 0, nobody)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(path, "system.posix_acl_access", acl)
