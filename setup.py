"""The build of the wheel: as pyproject.toml says, and `release.json` tells the commit and the time of the build."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

RELEASE = Path("kaisoumail/server/release.json")


class BuildPy(build_py):
    """Writes the release into what is built, never into the sources."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            (Path(self.build_lib) / RELEASE).write_text(json.dumps(release()), encoding="utf-8")


def release() -> dict[str, str]:
    """The commit of this checkout, or of the `git archive` that this is; built now, or at SOURCE_DATE_EPOCH."""
    known: dict[str, str] = json.loads((Path("src") / RELEASE).read_text(encoding="utf-8"))
    if known["commit"].startswith("$"):
        known = {"commit": _git("rev-parse", "HEAD"), "refs": _git("rev-parse", "--abbrev-ref", "HEAD")}
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    built = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    return {**known, "builtAt": built.isoformat(timespec="milliseconds")}


def _git(*words: str) -> str:
    """What git says of this checkout; nothing where there is no git, or no checkout."""
    try:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


setup(cmdclass={"build_py": BuildPy})
