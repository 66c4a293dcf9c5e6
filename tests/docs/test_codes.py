"""docs/how-it-works/codes.md prints every rule with its points."""

import re
from pathlib import Path

from kaisoumail.parsing.codes.rules import LAST_RULES, MANY, RULES

PAGE = (Path(__file__).parents[2] / "docs" / "how-it-works" / "codes.md").read_text(encoding="utf-8")


def test_the_page_has_every_rule_with_its_points_in_order() -> None:
    printed = re.findall(r"^\| ([^|]+?) \| ([+−]\d+) \|$", PAGE, re.MULTILINE)

    assert [(name, int(points.replace("−", "-"))) for name, points in printed] == [
        (rule.name, rule.points) for rule in RULES
    ]


def test_the_page_has_every_last_rule_with_the_points_at_which_it_is_asked() -> None:
    printed = re.findall(r"^\| ([^|]+?) \| ([+−]\d+) \| (\d+) (?:to (\d+)|or more) \|$", PAGE, re.MULTILINE)

    assert [
        (name, int(points.replace("−", "-")), int(least), int(most or MANY)) for name, points, least, most in printed
    ] == [(rule.name, rule.points, rule.least, rule.most) for rule in LAST_RULES]


def test_no_two_rules_have_one_name() -> None:
    names = [rule.name for rule in RULES] + [rule.name for rule in LAST_RULES]

    assert len(names) == len(set(names))
