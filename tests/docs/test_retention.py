"""How long things are kept is said once in code and once on a page, and no table is forgotten."""

import re
from datetime import timedelta
from pathlib import Path

from kaisoumail.operations.retention import BOUNDED, DAILY, HOURLY, Rule
from kaisoumail.storage.engine.schema import metadata

PAGE = Path(__file__).parents[2] / "docs/how-it-works/retention.md"


def _rows(columns: int) -> list[tuple[str, ...]]:
    """The rows of the page's tables with so many columns, without their heads."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]
    return [row for row in rows if len(row) == columns and row[0] not in ("kind", "table") and "---" not in row[0]]


def _as_on_the_page(rule: Rule) -> tuple[str, ...]:
    place = "the blob store" if rule.table is None else f"`{rule.table.name}`"
    return rule.kind, place, _time(rule.kept), rule.counted_from


def _time(kept: timedelta | str) -> str:
    if isinstance(kept, str):
        return f"`{kept.upper()}`"
    return {0: "not at all", 1: "1 day"}.get(kept.days, f"{kept.days} days")


def test_the_page_says_how_long_everything_is_kept() -> None:
    assert _rows(4) == [_as_on_the_page(rule) for rule in (*HOURLY, *DAILY)]


def test_the_page_says_why_the_other_tables_need_no_age() -> None:
    assert _rows(2) == [(f"`{name}`", why) for name, why in BOUNDED.items()]


def test_every_table_has_an_age_or_a_reason_why_it_needs_none() -> None:
    aged = {rule.table.name for rule in (*HOURLY, *DAILY) if rule.table is not None}

    assert aged.isdisjoint(BOUNDED)
    assert aged | set(BOUNDED) == set(metadata.tables)


def test_ages_that_an_operator_sets_are_named_as_in_the_environment() -> None:
    environment = (PAGE.parents[1] / "reference/environment.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([A-Z_]+)`", environment, re.M))

    assert {rule.kept.upper() for rule in (*HOURLY, *DAILY) if isinstance(rule.kept, str)} <= named
