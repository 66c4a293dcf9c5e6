"""
`/docs`: the guide, for anybody, in the reader's language; and where it explains something.

A page is one Markdown file per language in `guide_pages`. Headings end in `{#anchor}`: anchors are the
same in every language, because errors link to them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, get
from markdown_it import MarkdownIt
from markdown_it.token import Token

from kaisoumail.errors import Problem
from kaisoumail.http.authentication import find_session_viewer
from kaisoumail.operations.context import Context
from kaisoumail.web.languages import NAMES, words_in
from kaisoumail.web.render import language_of, page, url

INDEX: Final = "index"
SLUGS: Final = (  # in reading order
    "quick-start",
    "domain-onboarding",
    "project-domain-binding",
    "domain-catalog-enablement",
    "cloudflare-token-permissions",
    "deployment-environment",
    "api-reference",
    "faq",
)
FOLDER: Final = Path(__file__).parent / "guide_pages"
_ANCHOR: Final = re.compile(r"\s*\{#([a-z0-9-]+)\}$")
_markdown: Final = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading one can link to; *level* is 2, or 3 inside the 2 before."""

    anchor: str
    title: str
    level: int


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a page as HTML, or a block of code as it is to be copied."""

    text: str
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class GuidePage:
    slug: str
    title: str
    sections: tuple[Section, ...]
    parts: tuple[Part, ...]

    @property
    def path(self) -> str:
        return _path(self.slug)


@cache
def read_page(slug: str, language: str, *, in_url: bool = False) -> GuidePage:
    """
    The page *slug* in *language*, rendered once.

    With *in_url* its links to other pages name the language, because the reader's URL does. Raises
    ValueError for a page without title, or a heading without anchor.
    """
    source = (FOLDER / language / f"{slug}.md").read_text(encoding="utf-8")
    tokens = _markdown.parse(source)
    if len(tokens) < 3 or (tokens[0].type, tokens[0].tag) != ("heading_open", "h1"):
        raise ValueError(f"{language}/{slug}.md does not begin with its title")
    sections = tuple(_sections(tokens[3:], f"{language}/{slug}.md"))
    if in_url:
        _name_language_in_links(tokens, language)
    return GuidePage(slug, _text(tokens[1]), sections, tuple(_parts(tokens[3:])))


def _sections(tokens: list[Token], name: str) -> Iterator[Section]:
    """The headings, each with its anchor moved from its text to its id."""
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        last = inline.children[-1] if inline.children else None
        found = _ANCHOR.search(last.content) if last else None
        if last is None or found is None:
            raise ValueError(f"{name}: no anchor at “{inline.content}”")
        last.content = last.content[: found.start()]
        opening.attrSet("id", found[1])
        yield Section(found[1], _text(inline), int(opening.tag[1:]))


def _name_language_in_links(tokens: Iterable[Token], language: str) -> None:
    for token in tokens:
        for child in token.children or ():
            target = str(child.attrGet("href") or "")
            if child.type == "link_open" and target.startswith("/docs"):
                place, hash_, anchor = target.partition("#")
                child.attrSet("href", url(place, lang=language) + hash_ + anchor)


def _parts(tokens: list[Token]) -> Iterator[Part]:
    """The page cut at its code blocks, which get a button; tables are put into a frame that scrolls."""
    stretch: list[Token] = []
    for token in tokens:
        if token.type == "fence":
            yield Part(_rendered(stretch))
            yield Part(token.content.rstrip("\n"), is_code=True)
            stretch = []
        elif token.type == "table_open":
            stretch += [_raw('<div class="guide-table" tabindex="0">'), token]
        elif token.type == "table_close":
            stretch += [token, _raw("</div>\n")]
        else:
            stretch.append(token)
    yield Part(_rendered(stretch))


def _rendered(tokens: list[Token]) -> str:
    return str(_markdown.renderer.render(tokens, _markdown.options, {}))


def _raw(html: str) -> Token:
    return Token("html_block", "", 0, content=html)


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ()).strip()


def _path(slug: str) -> str:
    return "/docs" if slug == INDEX else f"/docs/{slug}"


@get("/docs")
async def show_index(request: "Request[Any, Any, Any]", context: Context) -> Response[Any]:
    return await _render(request, context, INDEX)


@get("/docs/{slug:str}")
async def show_page(slug: str, request: "Request[Any, Any, Any]", context: Context) -> Response[Any]:
    return await _render(request, context, slug if slug in SLUGS else None)


async def _render(request: "Request[Any, Any, Any]", context: Context, slug: str | None) -> Response[Any]:
    await _recognise(request, context)
    if slug is None:
        raise Problem("not_found", "Not found")
    asked = request.query_params.get("lang")
    language = asked if asked in NAMES else language_of(request)
    pages = [read_page(each, language, in_url=asked == language) for each in (INDEX, *SLUGS)]
    at = [each.slug for each in pages].index(slug)
    return page(
        request,
        "guide/page.html",
        spoken=language,
        words=words_in(language),
        lang=asked if asked == language else None,
        guide=pages[at],
        pages=pages,
        previous=pages[at - 1] if at else None,
        following=pages[at + 1] if at + 1 < len(pages) else None,
    )


async def _recognise(request: "Request[Any, Any, Any]", context: Context) -> None:
    """Tell the frame who reads, if anybody is signed in. The guide opens also when nobody can be looked up."""
    try:
        viewer = await find_session_viewer(request, context)
    except Problem:
        return
    if viewer is not None:
        request.scope["state"]["viewer"] = viewer
