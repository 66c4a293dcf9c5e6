"""
Mail HTML made safe to look at.

Strangers write it, so what is not known to be harmless goes: scripts, forms, frames, style sheets, and
everything that would be fetched from elsewhere, because a picture that is loaded tells its sender who
looked, when and from where. The page that shows the rest has a policy of its own as second wall.
"""

import re
from typing import Final

import nh3

# What stands where a picture was that would have been fetched. It keeps the size the mail gave it. The
# name after `#` is how a page counts them.
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
    "table": {"cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_STYLES: Final = {
    "background", "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left",
    "border-radius", "border-right", "border-spacing", "border-style", "border-top", "border-width", "box-sizing",
    "clear", "color", "direction", "display", "float", "font", "font-family", "font-size", "font-style",
    "font-variant", "font-weight", "height", "letter-spacing", "line-height", "list-style", "list-style-type",
    "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-height", "max-width", "min-height",
    "min-width", "opacity", "overflow", "overflow-wrap", "padding", "padding-bottom", "padding-left", "padding-right",
    "padding-top", "table-layout", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align",
    "visibility", "white-space", "width", "word-break", "word-spacing", "word-wrap",
}  # fmt: skip
_EMBEDDED_IMAGE: Final = re.compile(r"data:image/(?:png|gif|jpe?g|webp|bmp);base64,[a-z0-9+/=\s]*\Z", re.IGNORECASE)
_FETCHES: Final = re.compile(r"url\s*\(|image-set\s*\(|@import|expression\s*\(|\\", re.IGNORECASE)

_MAX_TAGS: Final = 12_000
_MAX_REPEATED: Final = 400_000
_START_TAG: Final = re.compile(r"<[a-z]", re.IGNORECASE)
_FORMATTING: Final = ("b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
_FORMATTING_TAG: Final = re.compile(rf"<(/?)({'|'.join(_FORMATTING)})(?=[\s/>])", re.IGNORECASE)
_TAMED_TAG: Final = re.compile(rf"<(/?)tamed-({'|'.join(_FORMATTING)})(?=[\s>])")


def safe_html(html: str) -> str:
    """
    *html* without anything that runs, submits or is fetched; a fragment, not a page.

    Links open in a new window that knows nothing of ours. Pictures inside the mail (`data:`) stay; remote
    ones, and those that point to another part of the mail (`cid:`), give way to an empty place.
    """
    return _TAMED_TAG.sub(r"<\1\2", _cleaner.clean(_tamed(_cut(html))))


def _cut(html: str) -> str:
    """At most `_MAX_TAGS` tags of *html*: deeply nested ones cost the parser the square of their number."""
    for number, tag in enumerate(_START_TAG.finditer(html)):
        if number == _MAX_TAGS:
            return html[: tag.start()] + "…"
    return html


def _tamed(html: str) -> str:
    """
    *html* with its formatting tags under names that mean nothing, if they could be made to multiply.

    A parser repeats every unclosed `<b>` in each paragraph that follows (HTML, "reconstruct the active
    formatting elements"), so a hundred kilobytes can ask for gigabytes. Unknown tags are not repeated.
    """
    formatting = sum(1 for _ in _FORMATTING_TAG.finditer(html))
    others = sum(1 for _ in _START_TAG.finditer(html))
    return html if formatting * others <= _MAX_REPEATED else _FORMATTING_TAG.sub(r"<\1tamed-\2", html)


def _kept(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "style":
        return ";".join(part for part in value.split(";") if not _FETCHES.search(part)) or None
    if tag == "img" and attribute == "src":
        return value if _EMBEDDED_IMAGE.match(value.strip()) else REMOTE_IMAGE
    if attribute == "href" and value.strip().lower().startswith("data:"):
        return None
    return value


_cleaner: Final = nh3.Cleaner(
    tags=_TAGS | {f"tamed-{name}" for name in _FORMATTING},
    clean_content_tags=_WITH_CONTENT,
    attributes=_ATTRIBUTES,
    attribute_filter=_kept,
    filter_style_properties=_STYLES,
    url_schemes={"http", "https", "mailto", "tel", "data", "cid"},
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    strip_comments=True,
)
