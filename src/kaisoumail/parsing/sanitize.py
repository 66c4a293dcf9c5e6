"""
HTML of a message, sanitized for display.

The HTML is untrusted, so only what is known to be harmless stays. Scripts, forms, frames and style sheets are removed,
and everything that would be fetched from elsewhere: a remote picture shows its sender who opened the message, when
and from where. The page that shows the result has a Content-Security-Policy as second line of defence
(`html_document.py`).
"""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import unquote

import nh3

from kaisoumail.parsing.character_runs import without_long_runs
from kaisoumail.parsing.markup_bounds import cut_where_too_deep, with_few_attributes, with_short_stretches

# Replaces a picture that would have been fetched; the size that the message sets for the picture applies to it. The
# name after `#` is how a page counts these pictures.
REMOTE_IMAGE: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='24' height='24'%3E"
    "%3Crect width='24' height='24' fill='%23e8edec'/%3E%3C/svg%3E#remote-image"
)

_TAGS: Final = {
    "a", "abbr", "address", "article", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite",
    "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font",
    "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "main", "mark", "ol",
    "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "summary",
    "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
_WITH_CONTENT: Final = {
    "script", "style", "title", "iframe", "frame", "frameset", "noframes", "noscript", "noembed", "object", "embed",
    "applet", "template", "svg", "math", "textarea", "select", "video", "audio", "canvas", "xmp", "plaintext",
}  # fmt: skip
_ATTRIBUTES: Final = {
    "*": {"align", "bgcolor", "border", "dir", "height", "lang", "style", "title", "valign", "width"},
    "a": {"href"},
    "col": {"span"},
    "font": {"color", "face", "size"},
    "tamed-font": {"color", "face", "size"},
    "img": {"alt", "hspace", "src", "vspace"},
    "ol": {"start", "type"},
    "table": {"background", "cellpadding", "cellspacing"},
    "td": {"background", "colspan", "rowspan"},
    "th": {"background", "colspan", "rowspan", "scope"},
    "tr": {"background"},
}
_STYLES: Final = {
    "background", "background-color", "background-image", "background-position", "background-repeat",
    "background-size", "border", "border-bottom", "border-collapse", "border-color", "border-left",
    "border-radius", "border-right", "border-spacing", "border-style", "border-top", "border-width", "box-sizing",
    "clear", "color", "direction", "display", "float", "font", "font-family", "font-size", "font-style",
    "font-variant", "font-weight", "height", "letter-spacing", "line-height", "list-style", "list-style-type",
    "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-height", "max-width", "min-height",
    "min-width", "opacity", "overflow", "overflow-wrap", "padding", "padding-bottom", "padding-left", "padding-right",
    "padding-top", "table-layout", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align",
    "visibility", "white-space", "width", "word-break", "word-spacing", "word-wrap",
}  # fmt: skip
_EMBEDDED_IMAGE: Final = re.compile(
    r"(?<=[\"'(=\s])data:image/(?:png|gif|jpe?g|webp|bmp);base64,[a-z0-9+/=\s]*+", re.IGNORECASE
)
_NUMBERED: Final = re.compile(r"embedded:(\d{1,6})")
_REMOTE: Final = re.compile(r"(?:https?:)?//[^\s\\\"'()<>]+", re.IGNORECASE)
_LINK: Final = re.compile(r"(?:https?:)?//|mailto:|tel:", re.IGNORECASE)
_DECLARATION: Final = re.compile(r"""(?:[^;"']++|"[^"]*+"?|'[^']*+'?)++""")
# Scans each word, and each run of white space, once.
_FUNCTION: Final = re.compile(r"(?<![-\w])([-\w]++)\s*+\(|(?<![-\w\s])\s*+\(")
_URL: Final = re.compile(r"""url\(\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'()]*+))\s*+\)""", re.IGNORECASE)
_HARMLESS: Final = frozenset(
    ("", "rgb", "rgba", "hsl", "hsla", "calc", "min", "max", "clamp", "linear-gradient", "radial-gradient", "url")
)

# Bounds on the cost of one message. The parser takes time in the square of the depth of the tags, and of the number of
# attributes in one tag; markup of this size takes it about a second at worst (nh3 0.3.8).
MAX_MARKUP: Final = 384 * 1024
_MAX_TAGS: Final = 12_000
_MAX_BRACKETS: Final = 40_000
_MAX_STYLE: Final = 8 * 1024
_MAX_REPEATED: Final = 400_000
_START_TAG: Final = re.compile(r"<[a-z]", re.IGNORECASE)
_BRACKET: Final = re.compile("<")
_FORMATTING: Final = ("b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
_FORMATTING_TAG: Final = re.compile(rf"<(/?)({'|'.join(_FORMATTING)})(?=[\s/>])", re.IGNORECASE)
_TAMED_TAG: Final = re.compile(rf"<(/?)tamed-({'|'.join(_FORMATTING)})(?=[\s>])")


class SanitizedHtml(NamedTuple):
    """A fragment that is safe to show, and how many remote pictures are *blocked* in it."""

    html: str
    blocked: int


def safe_html(html: str, pictures: Mapping[str, str] | None = None, *, remote: bool = False) -> SanitizedHtml:
    """
    *html* without anything that runs, submits or is fetched; a fragment, not a page.

    Links open in a new window that has no access to ours. Pictures inside the message stay: `data:` ones, and those in
    *pictures*, which maps a Content-ID without its angle brackets to a URL of ours. All others are replaced by a
    placeholder, unless *remote* is true: then those with an absolute URL stay.
    """
    embedded: list[str] = []

    def embed(found: re.Match[str]) -> str:
        embedded.append("".join(found[0].split()))
        return f"embedded:{len(embedded) - 1}"

    # Embedded pictures are long; replaced by a number they cost the parser nothing.
    bounded = cut_where_too_deep(with_few_attributes(_truncate(_EMBEDDED_IMAGE.sub(embed, html))))
    markup = with_short_stretches(bounded)
    filter_ = _Filter(embedded, pictures or {}, remote=remote)
    clean = _TAMED_TAG.sub(r"<\1\2", _cleaner(filter_).clean(_with_inert_formatting(markup)))
    return SanitizedHtml(without_long_runs(clean), filter_.blocked)  # again: decoded entities can form new runs


def _truncate(html: str) -> str:
    """*html*, cut before a tag where it exceeds what may be parsed."""
    end = len(html)
    for pattern, limit in ((_START_TAG, _MAX_TAGS), (_BRACKET, _MAX_BRACKETS)):
        beyond = next(islice(pattern.finditer(html), limit, None), None)
        end = end if beyond is None else min(end, beyond.start())
    if end > MAX_MARKUP:
        end = max(html.rfind("<", 0, MAX_MARKUP), 0) or MAX_MARKUP
    return html if end == len(html) else html[:end] + "…"


def _with_inert_formatting(html: str) -> str:
    """
    *html* with its formatting tags renamed to unknown ones, if a parser could multiply them.

    A parser repeats every unclosed `<b>` in each paragraph that follows (HTML, "reconstruct the active
    formatting elements"), so a hundred kilobytes can become gigabytes. Unknown tags are not repeated.
    """
    formatting = sum(1 for _ in _FORMATTING_TAG.finditer(html))
    others = sum(1 for _ in _START_TAG.finditer(html))
    return html if formatting * others <= _MAX_REPEATED else _FORMATTING_TAG.sub(r"<\1tamed-\2", html)


class _Filter:
    """Decides on each attribute, and counts the pictures that it blocks."""

    def __init__(self, embedded: list[str], pictures: Mapping[str, str], *, remote: bool) -> None:
        self.embedded, self.pictures, self.remote = embedded, pictures, remote
        self.blocked = 0

    def __call__(self, tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return self.style(value)
        if attribute == "background":
            return self.address(value)
        if attribute == "src":
            return self.address(value) or REMOTE_IMAGE
        if attribute == "href":
            return value if _LINK.match(value.strip()) else None
        return value

    def address(self, value: str) -> str | None:
        """The URL to load the picture at *value* from; None if it must not be loaded."""
        value = value.strip()
        number = _NUMBERED.fullmatch(value)
        if number:
            return self.embedded[int(number[1])] if int(number[1]) < len(self.embedded) else None
        if value[:4].lower() == "cid:":
            return self.pictures.get(unquote(value[4:]))
        if not _REMOTE.fullmatch(value):
            return None
        if not self.remote:
            self.blocked += 1
            return None
        return value if value[0] != "/" else f"https:{value}"

    def style(self, value: str) -> str | None:
        """The declarations of *value* that fetch nothing, or only allowed pictures."""
        if len(value) > _MAX_STYLE or "\\" in value or "/*" in value:
            return None
        declarations = [self.declaration(each) for each in _DECLARATION.findall(value)]
        return ";".join(each for each in declarations if each) or None

    def declaration(self, text: str) -> str | None:
        functions = [name.lower() for name in _FUNCTION.findall(text)]
        if not functions:
            return text if "@" not in text else None
        if not _HARMLESS.issuperset(functions):
            return None
        addresses = [self.address(next(filter(None, found.groups()), "")) for found in _URL.finditer(text)]
        if None in addresses or len(addresses) != functions.count("url"):
            return None
        inserted = iter(addresses)
        return _URL.sub(lambda _: f'url("{next(inserted)}")', text)


def _cleaner(attribute_filter: _Filter) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS | {f"tamed-{name}" for name in _FORMATTING},
        clean_content_tags=_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute_filter,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data", "embedded"},
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )
