"""Trouble of the machine is told as "later", never as yes and never as no; and when it is over, mail flows again."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.builders import an_email
from tests.crash.senders import DOORS, Load, a_sender, ready, stored
from tests.ports import reserved_port
from tests.servers import a_world

SIZE = 12 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB, mounted for this test."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system of its own needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mails(name: str, number: int) -> list[bytes]:
    """Small and large in turn, of bytes that do not compress."""
    sizes = (8_000, 400_000)
    return [an_email(subject=f"{name} {n}", text=os.urandom(sizes[n % 2]).hex()) for n in range(number)]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("water_mark", ["0", "3000000"], ids=["until nothing fits", "down to the water mark"])
def test_a_full_disk_asks_senders_to_come_back_and_loses_nothing(
    tmp_path: Path, small_disk: Path, door: str, water_mark: str
) -> None:
    port = reserved_port()
    settings = {"DATA_DIR": str(small_disk), "SMTP_PORT": str(port), "MIN_FREE_DISK_BYTES": water_mark}
    with a_world(tmp_path, **settings) as world:
        with world.product() as product:
            ready(product)
            load = Load(_mails("Flood", 70), partial(a_sender, door, product, port))
            load.start(4)
            load.finish()
            assert set(load.answers) == {"kept", "later"}
            kept = stored(product)
            assert [raw for raw in load.kept if raw not in kept.values()] == []
        subprocess.run(["mount", "-o", f"remount,size={4 * SIZE}", str(small_disk)], check=True)
        with world.product() as restarted:
            assert stored(restarted) == kept
            after = Load(_mails("After", 4), partial(a_sender, door, restarted, port))
            after.start(1)
            after.finish()
            assert after.answers == ["kept"] * 4


@pytest.mark.parametrize("door", DOORS)
def test_a_locked_database_asks_senders_to_come_back(tmp_path: Path, database_url: str, door: str) -> None:
    port = reserved_port()
    with (
        a_world(tmp_path, DATABASE_URL=database_url, SMTP_PORT=str(port), DATABASE_PATIENCE_SECONDS="1") as world,
        world.product() as product,
    ):
        ready(product)
        mails = [an_email(subject=f"Locked {number}") for number in range(8)]
        with _locked(database_url):
            load = Load(mails, partial(a_sender, door, product, port))
            load.start(4)
            load.finish()
        assert load.answers == ["later"] * 8
        assert stored(product) == {}

        again = Load(mails, partial(a_sender, door, product, port))
        again.start(4)
        again.finish()
        assert again.answers == ["kept"] * 8
        assert sorted(stored(product).values()) == sorted(mails)


@contextmanager
def _locked(url: str) -> Iterator[None]:
    """Somebody else holds what the accepting path needs, for as long as the block lasts."""
    held: sqlite3.Connection | psycopg.Connection[tuple[object, ...]]
    if url.startswith("sqlite"):
        held = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
    else:
        held = psycopg.connect(url)
        held.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        held.rollback()
        held.close()
