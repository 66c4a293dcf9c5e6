"""Every word in every language, and the choice between them."""

import json
import re
import string
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from kaisoumail.cloudflare.limiter import ROUTES
from kaisoumail.errors import CODES, Problem
from kaisoumail.http.guide_links import PLACES
from kaisoumail.mail_routing.difference import ConflictKind
from kaisoumail.model.code import LinkKind
from kaisoumail.model.delegation import DnsAnswer
from kaisoumail.model.domain import EVENT_KINDS
from kaisoumail.model.user import Role
from kaisoumail.web import domains, languages, passkeys, workspace
from kaisoumail.web.problems import problem_view, words_exist
from kaisoumail.web.render import environment
from tests.people import NOON

WEB = Path(languages.__file__).parent
CATALOGUES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (WEB / "locale").glob("*.json")}
KINDS = {"other", *PLACES, *(code for code in CODES if words_exist(code))}
STATES = ("not_enabled", "ready", "off", "waiting", "delegated", "attention")

# Keys that templates put together: what stands before, and everything that may follow.
FAMILIES: dict[str, list[str]] = {
    "problem.": [f"{kind}.{part}" for kind in KINDS for part in ("title", "text")],
    "state.": [*STATES, *(f"{state}.text" for state in STATES)],
    "role.": [role.value for role in Role],
    "theme.": ["system", "light", "dark"],
    "mailbox.": ["expired", "destroying", "destroyed"],
    "code.in_": ["subject", "body"],
    "link.": [*get_args(LinkKind)],
    "nav.": ["inbox", "domains", "passkeys"],
    "passkeys.done_": list(passkeys.NOTICES),
    "passkeys.kept_": ["one", "many"],
    "notice.": list(workspace.NOTICES),
    "event.": [*EVENT_KINDS],
    "conflict.": [kind.value for kind in ConflictKind],
    "token.kind_": ["user", "account"],
    "result.": ["pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"],
    "defect.": [
        "no_headers",
        "headers_cut",
        "structure_repaired",
        "structure_unreadable",
        "nested_too_deep",
        "too_many_parts",
        "too_many_recipients",
        "text_cut",
    ],
    "time.": ["ago", "in", "days", "hours", "minutes", "seconds", "now", "soon"],
    "stage.": ["look", "create", "found", "name_servers", "routing", "ready"],
    "stage.state.": ["done", "now", "waiting", "failed", "ahead"],
    "dns.": [*(answer.value for answer in DnsAnswer if answer is not DnsAnswer.NAME_SERVERS), "set", "partly", "old"],
    "operation.": [operation for operation in ROUTES if operation != "cloudflare.internal"],
}


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _keys_used() -> set[str]:
    """Every key templates and code name whole, with those they build out of a family."""
    sources = [path.read_text(encoding="utf-8") for path in (*WEB.rglob("*.html"), *WEB.glob("*.py"))]
    literal = {key for text in sources for key in re.findall(r"""\bt\(["']([a-z_.]+)["'][,)]""", text)}
    return literal | {prefix + rest for prefix, rests in FAMILIES.items() for rest in rests}


def test_both_catalogues_have_the_same_keys_and_placeholders() -> None:
    assert CATALOGUES.keys() == languages.NAMES.keys()
    english, chinese = CATALOGUES["en"], CATALOGUES["zh"]

    assert english.keys() == chinese.keys()
    assert {key for key in english if _placeholders(english[key]) != _placeholders(chinese[key])} == set()


def test_nothing_is_left_untranslated() -> None:
    same = {"domains.cloudflare", "domains.zone_id", "reader.html"}

    assert {key for key, text in CATALOGUES["zh"].items() if text == CATALOGUES["en"][key]} == same


def test_every_key_that_is_used_exists_and_every_key_that_exists_is_used() -> None:
    noticed = {key for key in CATALOGUES["en"] if re.match(r"notice\.(bound|retried|disabled)_", key)}

    assert _keys_used() - CATALOGUES["en"].keys() == set()
    assert CATALOGUES["en"].keys() - _keys_used() - noticed == set()


def test_every_outcome_on_domains_has_its_words() -> None:
    for key in CATALOGUES["en"]:
        done, _, state = key.removeprefix("notice.").partition("_")
        if key.startswith("notice.") and done in domains.NOTICES:
            assert state in STATES


def test_every_key_a_template_builds_belongs_to_a_known_family() -> None:
    built = {
        prefix
        for path in WEB.rglob("*.html")
        for prefix in re.findall(r"""\bt\(["']([a-z_.]+)["'] ~""", path.read_text(encoding="utf-8"))
    }

    assert built <= FAMILIES.keys()


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_problem_has_a_title_and_a_way_out_in_both_languages(code: str) -> None:
    shown = problem_view(Problem(code, "What happened"))

    assert words_exist(shown.kind)
    for language in languages.NAMES:
        t = languages.words_in(language)
        assert t(f"problem.{shown.kind}.title")
        assert t(f"problem.{shown.kind}.text", **shown.details)


def test_every_template_compiles() -> None:
    made = environment()

    for name in made.list_templates():
        made.get_template(name)


@pytest.mark.parametrize(
    ("remembered", "accepted", "chosen"),
    [
        (None, "", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, "de,zh;q=0.5,en;q=0.4", "zh"),
        (None, "fr-FR", "en"),
        (None, "zh;q=0,en;q=0.1", "en"),
        (None, "zh;q=high", "en"),
        ("zh", "en", "zh"),
        ("xx", "zh", "zh"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_best_the_browser_wants(
    remembered: str | None, accepted: str, chosen: str
) -> None:
    assert languages.chosen_language(remembered, accepted) == chosen


@pytest.mark.parametrize(
    ("passed", "english", "chinese"),
    [
        (timedelta(seconds=20), "just now", "刚刚"),
        (timedelta(seconds=200), "3 min ago", "3 分钟前"),
        (timedelta(hours=5, minutes=59), "5 h ago", "5 小时前"),
        (timedelta(days=3), "3 d ago", "3 天前"),
        (timedelta(hours=-2), "in 2 h", "2 小时后"),
    ],
)
def test_times_are_told_in_the_largest_unit(passed: timedelta, english: str, chinese: str) -> None:
    assert languages.ago(languages.words_in("en"), NOON - passed, NOON) == english
    assert languages.ago(languages.words_in("zh"), NOON - passed, NOON) == chinese


def test_sizes_are_told_for_people() -> None:
    assert [languages.size(count) for count in (812, 4096, 1_250_000)] == ["812 B", "4.1 KB", "1.2 MB"]
