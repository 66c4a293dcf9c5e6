"""
HTML to the text a reader sees, by one pass over its tags.

No tree is built, on purpose: the HTML standard's error repair makes trees from stray formatting tags
that grow with the square of the input. selectolax (Lexbor) needed 16 s and 5.7 GB for 55 KB of
`<p><b a=1><b a=2>…<p>x<p>x…` (1.0.2, measured 2026-11). A pass over the tags cannot blow up.
"""

import html
import re
from typing import Final

MAX_HTML: Final = 256 * 1024

# Each alternative that begins to match also ends, if need be at the end of the input: that is what the
# standard says of an unclosed tag, and it is what keeps the cost linear.
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
_BETWEEN_LETTER_AND_DIGIT: Final = re.compile("(?<=[^\\W\\d_])\0+(?=\\d)|(?<=\\d)\0+(?=[^\\W\\d_])")
_LONG_REFERENCE: Final = re.compile(r"&#x?[0-9a-f]{9,};?", re.IGNORECASE)
_SPACES: Final = re.compile(r"[^\S\n]+")
_BLANKS: Final = re.compile(r" ?\n\s*")
# Soft hyphens, joiners, direction marks: invisible, used to pad previews and to split words for filters.
_INVISIBLE: Final = re.compile("[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")


def text_of(markup: str, limit: int = MAX_HTML) -> str:
    """
    The text of the first *limit* characters of *markup*: blocks on lines of their own, cells apart,
    entities decoded, scripts and styles gone, no empty lines.

    Inline tags vanish, so that digits in boxes of their own stay one number; between a letter and a
    digit they become a space, so that "code<b>123456</b>" is not one word.
    """
    markup = markup[:limit].replace("\0", "").replace("\n", " ").replace("\r", " ")
    pieces = _MARKUP.split(markup)
    for index in range(2, len(pieces), 3):
        pieces[index - 1] = ""
        pieces[index] = _separator(pieces[index])
    text = "".join(pieces)
    text = _BETWEEN_LETTER_AND_DIGIT.sub(" ", text).replace(_JOINT, "")
    if "&" in text:
        # A reference this long means no character, and Python refuses to read numbers of 4,300 digits.
        text = html.unescape(_LONG_REFERENCE.sub("\ufffd", text))
    return tidied(text)


def tidied(text: str) -> str:
    """*text* without invisible characters, runs of white space, and empty lines."""
    text = visible(text)
    return _BLANKS.sub("\n", _SPACES.sub(" ", text)).strip()


def visible(text: str) -> str:
    """*text* without the characters that show nothing."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def _separator(tag: str | None) -> str:
    if tag is None:
        return ""
    name = tag.lower()
    if name in _NEW_LINE:
        return "\n"
    return " " if name in _CELL else _JOINT
