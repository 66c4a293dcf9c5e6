"""Markup whose nesting and whose stretches of text are no longer than a parser of HTML takes in linear time."""

import re
from collections import Counter
from typing import Final

# As deep as browsers go (Blink, WebKit); the parser takes the square of it (nh3 0.3.8: 256 KB of `<div>` 2.2 s).
MAX_DEPTH: Final = 512
# It compares each attribute of a tag with all before it (384 KB of one tag: 6.7 s); no message has a tenth as many.
MAX_ATTRIBUTES: Final = 128
# It copies a text for each piece it is told in, and a reference or U+0080 to U+00BF begins a piece (256 KB: 1.9 s).
MAX_STRETCH: Final = 4096

_TAG: Final = re.compile(r"<(/?)([a-z][^\s/>]{0,31})", re.IGNORECASE)
# Elements that are empty, or that end where the next one begins.
_FLAT: Final = frozenset(
    "area base br col dd dt embed hr img input li link meta option p param source td th tr track wbr".split()
)
# What follows the first `>`: in an attribute that holds one, a value this long would be damaged, and no more than that.
_STRETCH: Final = re.compile(rf"(\A|<[^<>]*+>)([^<]{{{MAX_STRETCH + 1},}}+)")
_ATTRIBUTE: Final = r"(?:[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+)?+)?+)"
_CROWDED: Final = re.compile(rf"(</?[a-z][^\s/>]*+{_ATTRIBUTE}{{{MAX_ATTRIBUTES}}}){_ATTRIBUTE}++", re.IGNORECASE)
_MARKUP: Final = re.compile("<[a-z/!?]", re.IGNORECASE)
# Never inside a reference: those have at most 33 characters.
_PIECE: Final = re.compile(rf"[^<]{{1,{MAX_STRETCH}}}[^<&;\s]{{0,40}}+[;\s]?")
_NOTHING: Final = "<param>"  # empty and never shown; a comment would divide no text that stands loose in a table


def with_few_attributes(html: str) -> str:
    """*html* with the first `MAX_ATTRIBUTES` attributes of each tag."""
    return _CROWDED.sub(r"\1", html)


def cut_where_too_deep(html: str) -> str:
    """*html* up to the tag that would be more than `MAX_DEPTH` elements deep."""
    open_ones: Counter[str] = Counter()
    depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _FLAT:
            continue
        if not tag[1]:
            open_ones[name] += 1
            depth += 1
        elif open_ones[name]:
            open_ones[name] -= 1
            depth -= 1
        if depth > MAX_DEPTH:
            return html[: tag.start()] + "…"
    return html


def with_short_stretches(html: str) -> str:
    """
    *html* with an element that is not shown wherever it goes on for more than `MAX_STRETCH` characters.

    Before a tag as well: those that a parser ignores, such as an end without a beginning, divide no text.
    """
    pieces: list[str] = []
    done = 0
    for found in _MARKUP.finditer(html):
        if found.start() - done > MAX_STRETCH:
            pieces.append(html[done : found.start()])
            done = found.start()
    pieces.append(html[done:])
    return _STRETCH.sub(lambda found: found[1] + _NOTHING.join(_PIECE.findall(found[2])), _NOTHING.join(pieces))
