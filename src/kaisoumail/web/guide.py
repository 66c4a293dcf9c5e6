"""
`/docs`: the guide, public, in the language of the reader.

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
    """A heading with an anchor; *level* is 2, or 3 inside the 2 before."""

    anchor: str
    title: str
    level: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page as HTML, or a code block as plain text to be copied."""

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

    With *in_url* its links to other pages name the language, because the URL of this page does. Raises
    ValueError for a page without a title, or a heading without an anchor.
    """
    source = (FOLDER / language / f"{slug}.md").read_text(encoding="utf-8")
    tokens = _markdown.parse(source)
    if len(tokens) < 3 or (tokens[0].type, tokens[0].tag) != ("heading_open", "h1"):
        raise ValueError(f"{language}/{slug}.md does not begin with its title")
    sections = tuple(_sections(tokens[3:], f"{language}/{slug}.md"))
    if in_url:
        _add_language_to_links(tokens, language)
    return GuidePage(slug, _text(tokens[1]), sections, tuple(_parts(tokens[3:])))


def _sections(tokens: list[Token], name: str) -> Iterator[Section]:
    """The headings; moves each anchor from the text of its heading to its id."""
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


def _add_language_to_links(tokens: Iterable[Token], language: str) -> None:
    for token in tokens:
        for child in token.children or ():
            target = str(child.attrGet("href") or "")
            if child.type == "link_open" and target.startswith("/docs"):
                path, hash_, anchor = target.partition("#")
                child.attrSet("href", url(path, lang=language) + hash_ + anchor)


def _parts(tokens: list[Token]) -> Iterator[Part]:
    """The page split at its code blocks, which get a copy button; tables are wrapped in an element that scrolls."""
    pending: list[Token] = []
    for token in tokens:
        if token.type == "fence":
            yield Part(_html_of(pending))
            yield Part(token.content.rstrip("\n"), is_code=True)
            pending = []
        elif token.type == "table_open":
            pending += [_html_token('<div class="guide-table" tabindex="0">'), token]
        elif token.type == "table_close":
            pending += [token, _html_token("</div>\n")]
        else:
            pending.append(token)
    yield Part(_html_of(pending))


def _html_of(tokens: list[Token]) -> str:
    return str(_markdown.renderer.render(tokens, _markdown.options, {}))


def _html_token(html: str) -> Token:
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
    """The page *slug* of the guide. Raises Problem `not_found`."""
    return await _render(request, context, slug if slug in SLUGS else None)


async def _render(request: "Request[Any, Any, Any]", context: Context, slug: str | None) -> Response[Any]:
    await _set_viewer(request, context)
    if slug is None:
        raise Problem("not_found", "Not found")
    requested = request.query_params.get("lang")
    language = requested if requested in NAMES else language_of(request)
    pages = [read_page(each, language, in_url=requested == language) for each in (INDEX, *SLUGS)]
    at = [each.slug for each in pages].index(slug)
    return page(
        request,
        "guide/page.html",
        spoken=language,
        words=words_in(language),
        lang=requested if requested == language else None,
        guide=pages[at],
        pages=pages,
        previous=pages[at - 1] if at else None,
        following=pages[at + 1] if at + 1 < len(pages) else None,
    )


async def _set_viewer(request: "Request[Any, Any, Any]", context: Context) -> None:
    """Set the viewer that the layout shows, if signed in. The guide also opens when the session cannot be checked."""
    try:
        viewer = await find_session_viewer(request, context)
    except Problem:
        return
    if viewer is not None:
        request.scope["state"]["viewer"] = viewer
