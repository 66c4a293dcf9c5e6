"""The one list of programs: README.md names the same, and what is missing is named before anything runs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = {"setup": "make start", "setup-dev": "make check", "test": "make test"}


def _listed() -> dict[str, list[str]]:
    """The packages of each target."""
    listed: dict[str, list[str]] = {target: [] for target in TARGETS}
    for line in (ROOT / "programs.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            target, package, _, _ = (part.strip() for part in line.split(" | "))
            listed[target].append(package)
    return listed


def test_the_readme_names_the_packages_of_the_list() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    for target, command in TARGETS.items():
        [packages] = re.findall(rf"^\| `{command}`.*? \| (.*) \|$", readme, re.MULTILINE)
        assert re.findall(r"`([^`]+)`", packages) == _listed()[target]


@pytest.mark.parametrize("target", ["setup", "setup-dev"])
def test_everything_that_is_missing_is_named_in_one_line_with_the_command_that_installs_it(
    target: str, tmp_path: Path
) -> None:
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    wanted = _listed()["setup"] + (_listed()["setup-dev"] if target == "setup-dev" else [])

    stopped = subprocess.run(
        [ROOT / ".ci" / "programs", target], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert stopped.returncode == 1
    [line] = stopped.stderr.splitlines()
    assert line.startswith("missing: make (the targets themselves), python3 (Python 3.11 or newer), ")
    assert line.endswith(f". Install as root: apt-get install --no-install-recommends {' '.join(wanted)}")
