"""The guide: complete in every language, true to the product, and every way into it leads somewhere."""

import asyncio
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from kaisoumail.api import app as api
from kaisoumail.cloudflare.errors import AI, DNS, RULES, SETTINGS, WORKERS, ZONE
from kaisoumail.errors import CODES
from kaisoumail.http.guide_links import PLACES
from kaisoumail.model.domain import DomainStatus
from kaisoumail.settings.description import SECTIONS
from kaisoumail.settings.settings import DECLARATIONS
from kaisoumail.web import languages
from kaisoumail.web.guide import FOLDER, INDEX, SLUGS, read_page
from kaisoumail.web.render import CONTENT_SECURITY_POLICY
from tests.web.conftest import Site, text_of

ALL = (INDEX, *SLUGS)
PAGES = [(language, slug) for language in languages.NAMES for slug in ALL]


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids += [known["id"] or ""] if "id" in known else []
        self.links += [known["href"] or ""] if tag == "a" else []


def _seen(html: str) -> _Seen:
    seen = _Seen()
    seen.feed(html)
    return seen


def _html(slug: str, language: str, *, in_url: bool = False) -> str:
    parts = read_page(slug, language, in_url=in_url).parts
    return "".join(part.text for part in parts if not part.is_code)


def _source(slug: str, language: str) -> str:
    return (FOLDER / language / f"{slug}.md").read_text(encoding="utf-8")


def _rows(slug: str, language: str) -> Iterator[list[str]]:
    """The cells of every table row whose first cell is one piece of code."""
    for line in _source(slug, language).splitlines():
        if re.match(r"\| `[^`]+` \|", line):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


# complete


def test_every_language_has_every_page_and_none_that_is_not_listed() -> None:
    for language in languages.NAMES:
        assert {path.stem for path in (FOLDER / language).glob("*.md")} == set(ALL)


@pytest.mark.parametrize("slug", ALL)
def test_both_languages_have_the_same_anchors_on_the_same_levels_in_the_same_order(slug: str) -> None:
    english, chinese = read_page(slug, "en"), read_page(slug, "zh")

    assert [(s.anchor, s.level) for s in english.sections] == [(s.anchor, s.level) for s in chinese.sections]
    assert [part.is_code for part in english.parts] == [part.is_code for part in chinese.parts]
    assert not {section.title for section in english.sections} & {
        section.title for section in chinese.sections if section.title != "Cloudflare"
    }


@pytest.mark.parametrize(("language", "slug"), PAGES)
def test_no_page_is_empty_and_no_section_is(language: str, slug: str) -> None:
    page = read_page(slug, language)

    assert page.title
    assert page.sections
    for text in re.split(r"^#+ .*$", _source(slug, language), flags=re.MULTILINE)[1:]:
        assert len(text.strip()) > 12


@pytest.mark.parametrize(("language", "slug"), PAGES)
def test_every_anchor_is_in_the_page_once(language: str, slug: str) -> None:
    assert _seen(_html(slug, language)).ids == [section.anchor for section in read_page(slug, language).sections]


# links


@pytest.mark.parametrize("kind", PLACES)
def test_every_refusal_that_is_explained_leads_to_a_page_and_anchor_in_both_languages(kind: str) -> None:
    slug, anchor = PLACES[kind]

    for language in languages.NAMES:
        assert f'id="{anchor}"' in _html(slug, language)


@pytest.mark.parametrize(("language", "slug"), PAGES)
def test_every_link_inside_the_guide_resolves(language: str, slug: str) -> None:
    for link in _seen(_html(slug, language)).links:
        place, _, anchor = link.partition("#")
        target = place.removeprefix("/docs").strip("/") or (slug if not place else INDEX)
        assert place in ("", "/docs") or place.startswith("/docs/"), link
        assert target in ALL, link
        assert not anchor or f'id="{anchor}"' in _html(target, language), link


def test_with_the_language_in_the_url_links_to_other_pages_keep_it() -> None:
    links = _seen(_html("project-domain-binding", "zh", in_url=True)).links

    assert "/docs/cloudflare-token-permissions?lang=zh#permissions" in links
    assert all("?lang=zh" in link for link in links if link.startswith("/docs"))


# true to the product


@pytest.mark.parametrize(("language", "slug"), PAGES)
def test_what_stands_in_bold_is_said_by_the_product_in_these_very_words(language: str, slug: str) -> None:
    words = json.loads((FOLDER.parent / "locale" / f"{language}.json").read_text(encoding="utf-8"))
    bold = {re.sub(r"\s+", " ", text) for text in re.findall(r"\*\*(.+?)\*\*", _source(slug, language))}

    assert bold - set(words.values()) == set()
    assert "**" not in _html(slug, language)


@pytest.mark.parametrize(("language", "slug"), PAGES)
def test_every_code_variable_and_permission_that_is_named_exists(language: str, slug: str) -> None:
    quoted = re.findall(r"`([^`\n]+)`", _source(slug, language))
    codes = {text for text in quoted if re.fullmatch(r"[a-z]+(_[a-z]+)+", text)}
    variables = {match for text in quoted for match in re.findall(r"^([A-Z]+(?:_[A-Z]+)+)\b", text)}
    permissions = {text for text in quoted if re.fullmatch(r"(?:Zone|Account): .*: (?:Edit|Read)", text)}

    assert codes - CODES.keys() - {status.value for status in DomainStatus} == set()
    assert variables - {each.variable.name for each in DECLARATIONS} - {"KAISOUMAIL_URL"} == set()
    assert permissions <= {ZONE, SETTINGS, RULES, DNS, WORKERS, AI}


@pytest.mark.parametrize("language", languages.NAMES)
def test_the_tables_of_variables_are_those_of_the_settings(language: str) -> None:
    rows = {name.strip("`"): rest for name, *rest in _rows("deployment-environment", language) if name.isupper()}
    unset = {"en": {"none", "in DATA_DIR"}, "zh": {"无", "在 DATA_DIR 中"}}[language]
    required = {"en": "required", "zh": "必填"}[language]

    assert list(rows) == [each.variable.name for section in SECTIONS for each in section.declarations]
    for each in DECLARATIONS:
        default, meaning, *set_when = rows[each.variable.name]
        if each.is_required:
            assert default == required
        elif each.default in (None, ()):
            assert default in unset
        else:
            assert default == f"`{str(each.default).lower() if isinstance(each.default, bool) else each.default}`"
        assert meaning == each.variable.meaning if language == "en" else meaning
        assert len(set_when) == (each.variable.set_when is not None)
        assert language != "en" or set_when in ([], [each.variable.set_when])


@pytest.mark.parametrize("language", languages.NAMES)
def test_the_list_of_endpoints_is_the_one_of_the_api(language: str) -> None:
    listed = [cells[0].strip("`") for cells in _rows("api-reference", language)]
    served = {
        f"{method} {re.sub(r'{[^}]*}', '{id}', path)}"
        for route in api.router().routes
        for path in [route.path]
        for method in route.methods
        if method != "OPTIONS"
    }

    assert sorted(listed) == sorted(served)


# served


def test_anybody_reads_every_page_without_signing_in(site: Site) -> None:
    with site.visitor() as nobody:
        for slug in ALL:
            page = nobody.get("/docs" if slug == INDEX else f"/docs/{slug}")
            assert page.status_code == 200, slug
            assert read_page(slug, "en").title in text_of(page)
            assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
            assert 'class="rail"' not in page.text
            assert 'href="/login"' in page.text


def test_who_is_signed_in_reads_it_inside_the_product(site: Site) -> None:
    with site.member() as bob:
        page = bob.get("/docs/faq")

    assert 'class="rail"' in page.text
    assert 'href="/login"' not in page.text
    assert "Bob" in text_of(page)


@pytest.mark.parametrize(
    ("path", "wanted", "cookie", "lang"),
    [
        ("/docs/faq", "en", None, "en"),
        ("/docs/faq", "zh-CN", None, "zh-Hans"),
        ("/docs/faq", "zh-CN", "en", "en"),
        ("/docs/faq?lang=zh", "en", "en", "zh-Hans"),
        ("/docs/faq?lang=xx", "en", "zh", "zh-Hans"),
    ],
)
def test_the_language_is_the_urls_else_the_one_of_the_other_pages(
    site: Site, path: str, wanted: str, cookie: str | None, lang: str
) -> None:
    with site.visitor(language=wanted) as reader:
        if cookie:
            reader.cookies.set("kaisoumail_language", cookie)
        page = reader.get(path)

    title = read_page("faq", "zh" if lang == "zh-Hans" else "en").title
    assert f'<html lang="{lang}"' in page.text
    assert f"<h1>{title}</h1>" in page.text
    assert ("登录" in text_of(page)) is (lang == "zh-Hans")


def test_choosing_a_language_leaves_the_one_in_the_url(site: Site) -> None:
    with site.visitor() as reader:
        page = reader.get("/docs/faq?lang=zh")

    assert 'name="next" value="/docs/faq"' in page.text
    assert 'href="/docs/quick-start?lang=zh"' in page.text


@pytest.mark.parametrize("path", ["/docs/nothing", "/docs/index", "/docs/../settings", "/docs/faq/more"])
def test_a_page_that_is_not_there_is_the_404_page(site: Site, path: str) -> None:
    with site.admin() as admin:
        page = admin.get(path, headers={"accept": "text/html"})

    assert page.status_code == 404
    assert "There is no such page" in text_of(page)


def test_every_page_leads_to_the_one_before_and_after_in_reading_order(site: Site) -> None:
    with site.visitor() as nobody:
        first, second = nobody.get("/docs").text, nobody.get(f"/docs/{SLUGS[0]}").text
        last = nobody.get(f"/docs/{SLUGS[-1]}").text

    assert (f'rel="next" href="/docs/{SLUGS[0]}"' in first, 'rel="prev"' in first) == (True, False)
    assert ('rel="prev" href="/docs"' in second, f'rel="next" href="/docs/{SLUGS[1]}"' in second) == (True, True)
    assert 'rel="next"' not in last


def test_code_can_be_copied_exactly_and_ids_are_not_doubled(site: Site) -> None:
    with site.visitor() as nobody:
        page = nobody.get("/docs/project-domain-binding")

    ids = _seen(page.text).ids
    assert len(ids) == len(set(ids))
    assert 'data-copy="dig +short NS customer.com"' in page.text
    assert "&#39;Content-Type: application/json&#39;" in page.text


def test_many_readers_at_once_get_the_same_page(site: Site) -> None:
    async def read() -> set[str]:
        async with httpx.AsyncClient(base_url=site.product.url, timeout=60) as client:
            answers = await asyncio.gather(*(client.get("/docs/faq") for _ in range(20)))
        return {answer.text for answer in answers}

    assert len(asyncio.run(read())) == 1


def test_a_refusal_on_domains_links_to_its_section(site: Site) -> None:
    with site.admin() as admin:
        refused = admin.post("/domains", data={"domain": "mail.other.com"})
        link = next(link for link in _seen(refused.text).links if link.startswith("/docs/"))
        section = admin.get(link)

    assert link == "/docs/project-domain-binding#bind-apex-only"
    assert 'id="bind-apex-only"' in section.text
