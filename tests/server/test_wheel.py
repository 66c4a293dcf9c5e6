"""The wheel has everything: `kaisoumail demo` works from it alone, and tells the commit it was built from."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by pip from a copy of what git would commit, so that nothing is left in this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    names = [name for name in tracked.decode().split("\0") if name and not name.startswith("tests/")]
    for name in names:
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "source")]
    subprocess.run([*pip, *offline], check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1764500000"})
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> dict[str, str]:
    """An environment that finds the wheel's files and the locked dependencies, but not this checkout."""
    folder = wheel.parent / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(folder), str(wheel)], check=True)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    # What is on PYTHONPATH brings no .pth files along: the one that leads to src/ is not read.
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONPATH": f"{folder}{os.pathsep}{sysconfig.get_path('purelib')}"}


def _base_python() -> str:
    """The interpreter without its virtual environment."""
    return str(getattr(sys, "_base_executable", sys.executable))


def test_every_file_that_is_no_python_is_in_the_wheel(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard", "src"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = {name.removeprefix("src/") for name in tracked.stdout.split("\0") if name}

    with zipfile.ZipFile(wheel) as archive:
        assert files - set(archive.namelist()) == set()


@pytest.fixture
def demo(installed: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The URL of a `kaisoumail demo` that is ready."""
    ports = [
        word for name in ("port", "smtp-port", "cloudflare-port", "cloudflare-smtp-port") for word in (f"--{name}", "0")
    ]
    command = [_base_python(), "-s", "-m", "kaisoumail", "demo", "--data-dir", str(tmp_path / "data"), *ports]
    with subprocess.Popen(command, env=installed, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(found[1] for line in process.stdout if (found := re.search(r"ready (http://\S+)", line)))
        finally:
            process.terminate()


def test_the_demo_runs_from_the_wheel_alone(demo: str, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        release = json.loads(archive.read("kaisoumail/server/release.json"))
    with httpx.Client(base_url=demo) as client:
        page = client.get("/login")
        version = client.get("/api/version").json()

        assert page.status_code == 200
        for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
            assert client.get(path).status_code == 200
        assert client.get("/docs/quick-start").status_code == 200
    assert version["builtAt"] == "2025-11-30T10:53:20.000Z"
    assert version["commitSha"] == (release["commit"] or "unknown")
