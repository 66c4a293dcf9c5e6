"""Blobs as files."""

import asyncio
from pathlib import Path

import pytest

from kaisoumail.errors import Problem
from kaisoumail.storage.blobs import FileBlobs, files


def test_bytes_come_back_as_they_were_kept(tmp_path: Path) -> None:
    async def work() -> None:
        blobs = FileBlobs(tmp_path)
        await blobs.put("msg_1.zst", b"\x00\xff")
        assert await blobs.find("msg_1.zst") == b"\x00\xff"

    asyncio.run(work())


def test_what_is_not_there_is_none_and_may_be_removed(tmp_path: Path) -> None:
    async def work() -> None:
        blobs = FileBlobs(tmp_path)
        await blobs.remove("msg_1.zst")
        assert await blobs.find("msg_1.zst") is None

    asyncio.run(work())


def test_removing_forgets(tmp_path: Path) -> None:
    async def work() -> None:
        blobs = FileBlobs(tmp_path)
        await blobs.put("msg_1.zst", b"x")
        await blobs.remove("msg_1.zst")
        assert await blobs.find("msg_1.zst") is None

    asyncio.run(work())


def test_what_is_listed_can_be_removed_whole_or_not(tmp_path: Path) -> None:
    async def work() -> None:
        blobs = FileBlobs(tmp_path)
        await blobs.put("msg_019f.zst", b"x")
        (tmp_path / "9f" / ".msg_029f.zst.0123abcd").write_bytes(b"unfinished")

        listed = [blob async for batch in blobs.listed() for blob in batch]
        await blobs.remove_listed(listed)

        assert {blob.name for blob in listed} == {"msg_019f.zst", ".msg_029f.zst.0123abcd"}
        assert [batch async for batch in blobs.listed() if batch] == []

    asyncio.run(work())


def test_nothing_half_written_is_ever_seen(tmp_path: Path) -> None:
    asyncio.run(FileBlobs(tmp_path).put("msg_1.zst", b"x"))

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["msg_1.zst"]


def test_a_store_that_cannot_be_written_is_a_problem_that_may_pass(tmp_path: Path) -> None:
    (tmp_path / "9f").write_text("a file where the folder should be")

    with pytest.raises(Problem) as caught:
        asyncio.run(FileBlobs(tmp_path).put("msg_019f.zst", b"x"))

    assert caught.value.code == "storage_unavailable"


def test_they_are_spread_over_folders_by_what_is_random_in_their_names(tmp_path: Path) -> None:
    for end in range(256):
        asyncio.run(FileBlobs(tmp_path).put(f"msg_01a2205837b1{end:02x}.zst", b"x"))

    assert {folder.name for folder in tmp_path.iterdir()} == {f"{end:02x}" for end in range(256)}


def test_a_folder_that_another_made_just_now_is_made_durable_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(files, "_sync_folder", synced.append)
    (tmp_path / "9f").mkdir()
    blobs = FileBlobs(tmp_path)

    asyncio.run(blobs.put("msg_019f.zst", b"x"))
    asyncio.run(blobs.put("msg_029f.zst", b"x"))

    assert synced == [tmp_path, tmp_path / "9f", tmp_path / "9f"]


def test_those_from_before_they_were_spread_are_read_and_removed(tmp_path: Path) -> None:
    (tmp_path / "st").mkdir()
    (tmp_path / "st" / "msg_1.zst").write_bytes(b"old")

    async def work() -> None:
        blobs = FileBlobs(tmp_path)
        assert await blobs.find("msg_1.zst") == b"old"
        await blobs.remove("msg_1.zst")
        assert await blobs.find("msg_1.zst") is None

    asyncio.run(work())


@pytest.mark.parametrize("name", ["../etc/passwd", "a/b", "", "a..b"])
def test_a_name_never_leaves_the_store(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a blob name"):
        asyncio.run(FileBlobs(tmp_path).put(name, b"x"))
