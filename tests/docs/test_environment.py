"""The reference page of the environment has the groups, the order and the texts of the settings."""

import re
from collections.abc import Iterator
from pathlib import Path

from kaisoumail.settings.description import SECTIONS, Section
from kaisoumail.settings.settings import DECLARATIONS

PAGE = (Path(__file__).parents[2] / "docs/reference/environment.md").read_text(encoding="utf-8")


def _parts() -> Iterator[tuple[str, str, list[list[str]]]]:
    """The heading, the first paragraph and the rows of each part of the page that lists variables."""
    for part in re.split(r"^## ", PAGE, flags=re.M)[1 : 1 + len(SECTIONS)]:
        title, purpose, rest = part.split("\n\n", 2)
        rows = [line.strip("|").split("|") for line in rest.splitlines() if line.startswith("| `")]
        yield title, purpose, [[cell.strip() for cell in row] for row in rows]


def _expected(section: Section) -> list[list[str]]:
    variables = [each.variable for each in section.declarations]
    return [[f"`{each.name}`", each.meaning, *([each.set_when] if each.set_when else [])] for each in variables]


def test_the_page_has_the_groups_of_the_settings_in_their_order() -> None:
    parts = [(title, purpose) for title, purpose, _ in _parts()]

    assert parts == [(section.title, section.purpose) for section in SECTIONS]


def test_the_page_says_of_every_variable_what_the_settings_say() -> None:
    for section, (_, _, rows) in zip(SECTIONS, _parts(), strict=True):
        assert [[name, *rest] for name, _default, *rest in rows] == _expected(section)


def test_the_page_has_every_default() -> None:
    defaults = {row[0].strip("`"): row[1].strip("`") for _, _, rows in _parts() for row in rows}

    for each in DECLARATIONS:
        if each.is_required:
            assert defaults[each.variable.name] == "required"
        elif each.default in (None, ()):
            assert defaults[each.variable.name] in ("none", "in DATA_DIR")
        else:
            assert defaults[each.variable.name] == str(each.default).replace("True", "true").replace("False", "false")


def test_the_page_has_every_former_name_with_the_present_one() -> None:
    part = PAGE.partition("## Former names\n")[2].partition("\n## ")[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in part.splitlines() if "| `" in line]

    assert rows == [
        (f"`{former.name}`{f', in {former.unit}' if former.unit else ''}", f"`{each.variable.name}`")
        for each in DECLARATIONS
        for former in each.variable.former_names
    ]


def test_every_variable_is_in_one_part_and_the_advanced_ones_are_last() -> None:
    listed = [each for section in SECTIONS for each in section.declarations]

    assert sorted(each.variable.name for each in listed) == sorted(each.variable.name for each in DECLARATIONS)
    assert SECTIONS[-1].title == "Advanced"
    assert all(each.variable.set_when for each in SECTIONS[-1].declarations)
    assert not any(each.variable.set_when for section in SECTIONS[:-1] for each in section.declarations)
