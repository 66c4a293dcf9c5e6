"""What import-linter cannot see: imports inside functions, the length of files, the doors of rooms."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
PRODUCT = SOURCE / "kaisoumail"
MAX_LINES = 400
BANNED_NAMES = {"services", "utils", "core", "common", "helpers", "managers", "service", "util", "helper", "manager"}

# A room may import only from rooms with a smaller number; rooms with the same number do not know each other.
FLOORS = {
    "errors": 1,
    "model": 2,
    "variables": 3,
    "network": 3,
    "settings": 4,
    "parsing": 5,
    "auth": 5,
    "storage": 6,
    "cloudflare": 6,
    "public_dns": 6,
    "readers": 7,
    "workflows": 8,
    "operations": 9,
    "api": 10,
    "web": 10,
    "inbound": 10,
    "server": 11,
    "cli": 12,
    "__main__": 13,
}


def _room(path: Path) -> str:
    return path.relative_to(PRODUCT).parts[0].removesuffix(".py")


def _product_files() -> list[Path]:
    return [path for path in sorted(PRODUCT.rglob("*.py")) if path != PRODUCT / "__init__.py"]


def _imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            package, _, rest = name.partition(".")
            if package == "kaisoumail" and rest:
                yield rest.partition(".")[0]


@pytest.mark.parametrize("path", _product_files(), ids=lambda path: str(path.relative_to(PRODUCT)))
def test_every_import_points_to_a_lower_floor(path: Path) -> None:
    here = _room(path)

    wrong = [room for room in _imported_rooms(path) if room != here and FLOORS[room] >= FLOORS[here]]

    assert wrong == [], f"{here} may not import {wrong}"


def test_every_room_has_a_floor() -> None:
    rooms = {_room(path) for path in _product_files()}

    assert rooms <= FLOORS.keys()


def test_every_room_has_a_door_of_at_most_ten_lines() -> None:
    for room in sorted(
        path for path in SOURCE.glob("*/*/") if (path / "__init__.py").exists() or any(path.glob("*.py"))
    ):
        if room.name.startswith("_") or room.parent.name.endswith(".egg-info"):
            continue
        door = room / "__init__.py"
        assert door.exists(), f"{room} has no door"
        docstring = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8")))
        assert docstring, f"{door} does not say what is in here"
        assert len(docstring.splitlines()) <= 10, f"{door} says too much"


def _hand_written() -> list[Path]:
    files = [path for suffix in ("py", "html", "css", "js", "mjs") for path in SOURCE.rglob(f"*.{suffix}")]
    return [path for path in files if "vendor" not in path.parts and "versions" not in path.parts]


def test_no_hand_written_file_is_longer_than_a_reader_can_hold() -> None:
    too_long = {
        str(path.relative_to(SOURCE)): lines
        for path in _hand_written()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }

    assert too_long == {}


def test_no_file_or_room_has_a_name_that_says_nothing() -> None:
    named = {part.removesuffix(".py") for path in _hand_written() for part in path.relative_to(SOURCE).parts}

    assert named & BANNED_NAMES == set()


def test_no_file_names_a_package_registry() -> None:
    root = SOURCE.parent
    hosts = ["pythonhosted" + ".org", "registry.npmjs" + ".org", "pypi" + ".org/simple"]
    tracked = [
        *root.glob("*.lock"),
        *root.glob("*.toml"),
        *root.glob("*.md"),
        root / "Makefile",
        *root.glob("tests/*/*.json"),
        *root.glob("src/**/*.*"),
    ]

    naming = [
        str(path.relative_to(root))
        for path in tracked
        if path.is_file() and any(host in path.read_text(encoding="utf-8", errors="replace") for host in hosts)
    ]

    assert naming == []
