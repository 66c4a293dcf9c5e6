"""What import-linter does not check: the length of files, their names, what packages say of themselves."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
MAX_LINES = 400
BANNED_NAMES = {"services", "utils", "core", "common", "helpers", "managers", "service", "util", "helper", "manager"}


def test_every_package_says_in_at_most_ten_lines_what_it_holds() -> None:
    for package in sorted(path for path in SOURCE.rglob("*/") if any(path.glob("*.py"))):
        if (
            package.parent == SOURCE
            or package.name in ("migrations", "versions")
            or package.parent.name.endswith(".egg-info")
        ):
            continue
        file = package / "__init__.py"
        assert file.exists(), f"{package} has no __init__.py"
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        assert docstring, f"{file} does not say what is in here"
        assert len(docstring.splitlines()) <= 10, f"{file} says too much"


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


def test_no_file_or_package_has_a_name_that_says_nothing() -> None:
    named = {part.removesuffix(".py") for path in _hand_written() for part in path.relative_to(SOURCE).parts}

    assert named & BANNED_NAMES == set()


def _names_imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_what_test_modules_share_stands_in_a_module_that_is_none() -> None:
    root = SOURCE.parent
    files = [path for folder in ("tests", "benches") for path in root.glob(f"{folder}/**/*.py")]

    borrowed = {
        f"{path.relative_to(root)}: {name}"
        for path in files
        for name in _names_imported(path)
        if name.startswith("tests.") and any(part.startswith(("test_", "_")) for part in name.split("."))
    }

    assert borrowed == set()


def test_commands_may_import_no_package_but_these() -> None:
    contracts = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [forbidden] = [each["forbidden_modules"] for each in contracts if each.get("source_modules") == ["kaisoumail.cli"]]

    packages = {f"kaisoumail.{path.stem}" for path in (SOURCE / "kaisoumail").iterdir() if path.stem[0] != "_"}

    allowed = {"server", "operations", "auth", "settings", "model", "errors"}
    assert packages - set(forbidden) == {f"kaisoumail.{name}" for name in allowed | {"cli"}}


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
