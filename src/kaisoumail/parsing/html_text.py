"""
The visible text of HTML, by one pass over its tags.

No tree is built, on purpose: with the error repair of the HTML standard, stray formatting tags make trees
that grow with the square of the input. selectolax (Lexbor) needed 16 s and 5.7 GB for 55 KB of
`<p><b a=1><b a=2>…<p>x<p>x…` (1.0.2, measured 2026-11). A pass over the tags is linear.
"""

import html
import re
from collections.abc import Iterator
from typing import Final

from kaisoumail.parsing.character_runs import without_long_runs

MAX_HTML: Final = 256 * 1024

# Each alternative that begins to match also ends, at the latest at the end of the input: the standard requires this for
# an unclosed tag, and it makes the cost linear.
_VALUE: Final = r"""(?:[^>=]++|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?)*+>?"""
_UNSEEN: Final = "script|style|title|template|noscript|iframe|noembed|noframes|xmp|object|svg"
_MARKUP: Final = re.compile(
    rf"<!--(?:.*?)(?:-->|\Z)|<(?P<unseen>{_UNSEEN})\b{_VALUE}(?:.*?)(?:</(?P=unseen)(?=[\s/>])[^>]*+>?|\Z)"
    rf"|</?(?P<tag>[a-z][^\s/>]*+){_VALUE}|<[!?/][^>]*+>?",
    re.IGNORECASE | re.DOTALL,
)
_NEW_LINE: Final = frozenset(
    "address article aside blockquote body br caption center dd details div dl dt fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hr html li main nav ol option p pre section summary table tbody tfoot thead"
    " tr ul".split()
)
_CELL: Final = frozenset(("td", "th", "img", "input", "button", "select", "textarea"))
_JOINT: Final = "\0"
_HIDING: Final = (
    r"""(?:\sstyle\s?=\s?(?:"[^"<>]{0,600}?|'[^'<>]{0,600}?)(?:display\s?:\s?none|visibility\s?:\s?hidden"""
    r"""|mso-hide\s?:\s?all|(?<![a-z-])(?:max-height|font-size|opacity)\s?:\s?0(?![.\d]))|\shidden(?=[\s>=]))"""
)
_SIGNS_OF_HIDING: Final = tuple(
    "none,hidden,mso-hide,max-height:0,max-height: 0,font-size:0,font-size: 0,opacity:0,opacity: 0".split(",")
)
# `<` ends every attempt, which makes this linear.
_TAG_THAT_HIDES: Final = re.compile(
    rf"<(?P<name>[a-z][a-z0-9]{{0,15}})(?=\s)[^<>]{{0,300}}?{_HIDING}[^<>]*+>", re.IGNORECASE
)
_NEVER_HIDDEN: Final = frozenset(
    ("html", "body", "img", "br", "hr", "input", "meta", "link", "area", "base", "col", "wbr")
)
_MAX_HIDDEN: Final = 20
_PICTURE: Final = re.compile(r"""<img\b[^<>]{0,800}?\salt\s?=\s?"([^"<>]{4,160})"[^<>]{0,800}>""", re.IGNORECASE)
_LONG_REFERENCE: Final = re.compile(r"&#x?[0-9a-f]{9,};?", re.IGNORECASE)
# Soft hyphens, joiners, direction marks: invisible, used to pad previews and to split words for filters.
_INVISIBLE: Final = re.compile("[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")


def text_of(markup: str, limit: int = MAX_HTML) -> str:
    """
    The text of the first *limit* characters of *markup*: blocks on lines of their own, cells separated,
    entities decoded, without scripts, styles and empty lines.

    Inline tags are removed, so that digits in separate boxes stay one number; between a letter and a
    digit they become a space, so that "code<b>123456</b>" is not one word.
    """
    markup = markup[:limit].replace("\0", "").replace("\n", " ").replace("\r", " ")
    pieces = _MARKUP.split(markup)
    for index in range(2, len(pieces), 3):
        pieces[index - 1] = ""
        pieces[index] = _separator(pieces[index])
    text = _join_inline("".join(pieces))
    if "&" in text:
        # A reference this long denotes no character, and Python refuses to parse numbers of 4,300 digits.
        text = html.unescape(_LONG_REFERENCE.sub("\ufffd", text))
    return tidy(text)


def shown_and_hidden(markup: str, limit: int = MAX_HTML) -> tuple[str, str]:
    """
    The visible text of *markup* as by `text_of`, and separately the text that styles hide, such as a preheader.

    Only styles of the element itself are evaluated, which is where senders put them. The alternative text of
    pictures is visible. An element that is never closed hides nothing.
    """
    markup = _PICTURE.sub(_alternative, markup[:limit])
    lowered = markup.lower()
    spans = list(_hidden_spans(markup)) if any(sign in lowered for sign in _SIGNS_OF_HIDING) else []
    if not spans:
        return text_of(markup), ""
    begins, ends = zip(*spans, strict=True)
    shown = [markup[start:end] for start, end in zip((0, *ends), (*begins, len(markup)), strict=True)]
    return text_of("<br>".join(shown)), text_of("<br>".join(markup[start:end] for start, end in spans))


def _hidden_spans(markup: str) -> Iterator[tuple[int, int]]:
    """The spans of hidden elements from their start tag to their end tag; at most 20 candidates are examined."""
    done = examined = 0
    for match in _TAG_THAT_HIDES.finditer(markup):
        name = match["name"].lower()
        if match.start() < done or name in _NEVER_HIDDEN or examined == _MAX_HIDDEN:
            continue
        examined += 1
        depth, end = 1, 0
        for tag in re.compile(rf"<(/?){name}(?=[\s/>])[^<>]*+>?", re.IGNORECASE).finditer(markup, match.end()):
            depth += -1 if tag[1] else 1
            if depth == 0:
                end = tag.end()
                break
        if end:
            yield match.start(), end
            done = end


def _join_inline(text: str) -> str:
    """*text* without the marks of inline tags, which become a space between a letter and a digit."""
    pieces = [piece for piece in text.split(_JOINT) if piece]
    for index in range(len(pieces) - 1):
        left, right = pieces[index][-1], pieces[index + 1][0]
        if (left.isalpha() and right.isdecimal()) or (left.isdecimal() and right.isalpha()):
            pieces[index] += " "
    return "".join(pieces)


def _alternative(match: re.Match[str]) -> str:
    return f" {match[1]} {match[0]}"


def tidy(text: str) -> str:
    """*text* without invisible characters, runs of white space, and empty lines."""
    lines = (" ".join(line.split()) for line in visible(text).split("\n"))
    return "\n".join(line for line in lines if line)


def visible(text: str) -> str:
    """*text* without invisible characters, and without long runs of marks, which these may have divided."""
    return text if text.isascii() else without_long_runs(_INVISIBLE.sub("", text))


def _separator(tag: str | None) -> str:
    if tag is None:
        return ""
    name = tag.lower()
    if name in _NEW_LINE:
        return "\n"
    return " " if name in _CELL else _JOINT
