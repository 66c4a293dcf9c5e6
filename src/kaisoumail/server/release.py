"""
The release of this installation, for `GET /api/version`.

It is in `release.json` beside this file: the build of a wheel writes it (`setup.py`), `git archive` fills it in
(`.gitattributes`). In a checkout the file has only placeholders, and the commit comes from git.
"""

import importlib.metadata
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from kaisoumail.model.clock import iso

_FILE: Final = Path(__file__).with_name("release.json")
_GIT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Release:
    """The *version* of the package; *commit* and *branch*, or `unknown`; when it was built or checked out."""

    version: str
    commit: str
    branch: str
    built_at: datetime


class _Stored(msgspec.Struct, rename="camel"):
    commit: str
    refs: str
    built_at: str


def release_fields(release: Release) -> dict[str, str]:
    """*release* as `GET /api/version` shows it."""
    return {
        "version": release.version,
        "commitSha": release.commit,
        "branch": release.branch,
        "builtAt": iso(release.built_at),
    }


def read_release(file: Path = _FILE) -> Release:
    """The release in *file*, or that of the checkout around it while it has only placeholders."""
    version = importlib.metadata.version("kaisoumail")
    stored = msgspec.json.decode(file.read_bytes(), type=_Stored)
    if not stored.commit.startswith("$"):
        built_at = datetime.fromisoformat(stored.built_at).astimezone(UTC)
        return Release(version, stored.commit or "unknown", _branch(stored.refs), built_at)
    commit, branch = (_git(file.parent, *words) for words in (("HEAD",), ("--abbrev-ref", "HEAD")))
    return Release(version, commit, branch, datetime.fromtimestamp(file.stat().st_mtime, UTC))


def _branch(refs: str) -> str:
    """`main` of `HEAD -> main, origin/main`, as git's `%D` lists the names of a commit."""
    first = refs.partition(",")[0].removeprefix("HEAD -> ").strip()
    return first if first and first != "HEAD" else "unknown"


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "rev-parse", *words]
    try:
        answer = subprocess.run(  # noqa: S603 - fixed arguments
            command, capture_output=True, text=True, check=True, timeout=_GIT_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    name = answer.stdout.strip()
    return "detached" if name == "HEAD" else name
