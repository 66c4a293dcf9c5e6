"""`GET /api/version` tells the commit that runs, in a checkout, from a `git archive` and from a wheel."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kaisoumail.server.release import read_release, release_fields

ROOT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _stored(folder: Path, **values: str) -> Path:
    file = folder / "release.json"
    known = {"commit": COMMIT, "refs": "HEAD -> main, origin/main", "builtAt": "2026-11-30T12:00:00+01:00"}
    file.write_text(json.dumps(known | values))
    return file


def _git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    told = subprocess.run(["git", "-C", folder, *identity, *words], capture_output=True, text=True, check=True)
    return told.stdout.strip()


def test_what_the_build_wrote_is_the_release(tmp_path: Path) -> None:
    release = read_release(_stored(tmp_path))

    assert (release.commit, release.branch) == (COMMIT, "main")
    assert release.built_at == datetime(2026, 11, 30, 11, 0, tzinfo=UTC)
    assert release_fields(release)["builtAt"] == "2026-11-30T11:00:00.000Z"


@pytest.mark.parametrize(
    ("refs", "branch"),
    [("HEAD -> trunk", "trunk"), ("main, origin/main", "main"), ("HEAD, tag: v1", "unknown"), ("", "unknown")],
)
def test_the_branch_is_the_first_name_of_the_commit(tmp_path: Path, refs: str, branch: str) -> None:
    assert read_release(_stored(tmp_path, refs=refs)).branch == branch


def test_a_checkout_asks_git(tmp_path: Path) -> None:
    file = _stored(tmp_path, commit="$Format:%H$")
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "first")

    release = read_release(file)

    assert (release.commit, release.branch) == (_git(tmp_path, "rev-parse", "HEAD"), "main")


def test_without_git_the_commit_is_unknown(tmp_path: Path) -> None:
    release = read_release(_stored(tmp_path, commit="$Format:%H$"))

    assert (release.commit, release.branch) == ("unknown", "unknown")


def test_git_archive_fills_in_the_commit(tmp_path: Path) -> None:
    attributes = (ROOT / ".gitattributes").read_text()
    [path] = [line.split()[0] for line in attributes.splitlines() if line.endswith("export-subst")]
    file = tmp_path / "from" / path
    file.parent.mkdir(parents=True)
    file.write_bytes((ROOT / path).read_bytes())
    (tmp_path / "from" / ".gitattributes").write_text(attributes)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        _git(tmp_path / "from", *words)
    _git(tmp_path / "from", "archive", "--output", str(tmp_path / "release.tar"), "HEAD")
    subprocess.run(["tar", "-xf", tmp_path / "release.tar", "-C", tmp_path], check=True)

    release = read_release(tmp_path / path)

    assert (release.commit, release.branch) == (_git(tmp_path / "from", "rev-parse", "HEAD"), "main")
