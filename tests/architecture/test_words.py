"""The words that the glossary of STYLE.md replaces are in no docstring, comment, name or document."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RETIRED = (
    "doors?", "gatekeepers?", "rooms?", "floors", "house", "desks?", "wish(?:es|ed)?", "visitors?", "crowds?",
    "manners", "mails", "glance", "knots?", "asker",
)  # fmt: skip
# Words of others: what codes are about, host names, the API's own field, the column.
OTHERS = ("parsing/codes/words/", "migrations/versions/", "model/alias_names.py", "web/static/vendor/", "web/locale/")
ALLOWED = re.compile(r'"door"|`door`|\bdoor=|row\.door|desk\.hub|"room"')
_RETIRED = re.compile(rf"(?<![\w/.])_?(?:{'|'.join(RETIRED)})(?![\w/])", re.IGNORECASE)


def _python() -> list[Path]:
    files = [*(ROOT / "src").rglob("*.py"), ROOT / "setup.py"]
    return [path for path in sorted(files) if not any(each in path.as_posix() for each in OTHERS)]


def _documents() -> list[Path]:
    files = [
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / "src/kaisoumail/web/guide_pages/en").glob("*.md"),
    ]
    return [path for path in sorted(files) if path.name not in ("CHANGELOG.md", "STYLE.md")]


def _templates() -> list[Path]:
    files = [path for kind in ("html", "css", "js", "mjs") for path in (ROOT / "src").rglob(f"*.{kind}")]
    return [path for path in sorted(files) if "vendor" not in path.parts]


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Names, comments and docstrings, with their lines; what a program says to others is not ours to choose here."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.NAME and _RETIRED.search(token.string):
            yield token.start[0], token.line
        is_docstring = token.type == tokenize.STRING and token.string.lstrip("rRbBuUfF").startswith('"""')
        if token.type == tokenize.COMMENT or is_docstring:
            yield from enumerate(token.string.splitlines(), token.start[0])


def _found(lines: Iterator[tuple[int, str]]) -> list[str]:
    return [f"{number}: {line.strip()}" for number, line in lines if _RETIRED.search(ALLOWED.sub("", line)) is not None]


@pytest.mark.parametrize("path", _python(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_name_comment_or_docstring_has_a_retired_word(path: Path) -> None:
    assert _found(_texts(path)) == []


@pytest.mark.parametrize("path", _documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_has_a_retired_word(path: Path) -> None:
    assert _found(enumerate(path.read_text(encoding="utf-8").splitlines(), 1)) == []


@pytest.mark.parametrize("path", _templates(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_comment_of_a_template_style_sheet_or_script_has_a_retired_word(path: Path) -> None:
    comments = re.findall(r"\{#.*?#\}|/\*.*?\*/|//[^\n]*", path.read_text(encoding="utf-8"), re.S)

    assert _found(enumerate("\n".join(comments).splitlines(), 1)) == []


def test_log_events_are_an_area_and_an_event() -> None:
    calls = re.compile(r"_log\.(?:debug|info|warning|error|log)\(\s*(?:[\w.]+, )?\"([^\"]+)\"")
    events = {name for path in _python() for name in calls.findall(path.read_text(encoding="utf-8"))}

    assert {name for name in events if not re.fullmatch(r"[a-z_]+(?:\.[a-z_]+)+", name)} == set()
    assert {name for name in events if _RETIRED.search(name.replace(".", " ").replace("_", " "))} == set()
