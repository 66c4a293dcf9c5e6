"""Bounds the nesting, the attributes and the runs of text in markup to what an HTML parser reads in linear time."""

import re
from collections import Counter
from typing import Final

# As deep as browsers go (Blink, WebKit); the parser is quadratic in the depth (nh3 0.3.8: 256 KB of `<div>` 2.2 s).
MAX_DEPTH: Final = 512
# The parser compares each attribute of a tag with all before it (384 KB of one tag: 6.7 s); no message has a tenth of
# this many.
MAX_ATTRIBUTES: Final = 128
# The parser copies a text for each piece of it, and a reference or U+0080 to U+00BF begins a piece (256 KB: 1.9 s).
MAX_STRETCH: Final = 4096

_TAG: Final = re.compile(r"<(/?)([a-z][^\s/>]{0,31})", re.IGNORECASE)
# Elements that are empty, or that end where the next one begins.
_FLAT: Final = frozenset(
    "area base br col dd dt embed hr img input li link meta option p param source td th tr track wbr".split()
)
# Text after the first `>`. In an attribute that contains a `>`, a value this long would be damaged, and nothing else.
_STRETCH: Final = re.compile(rf"(\A|<[^<>]*+>)([^<]{{{MAX_STRETCH + 1},}}+)")
_ATTRIBUTE: Final = r"(?:[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+)?+)?+)"
_MANY_ATTRIBUTES: Final = re.compile(
    rf"(</?[a-z][^\s/>]*+{_ATTRIBUTE}{{{MAX_ATTRIBUTES}}}){_ATTRIBUTE}++", re.IGNORECASE
)
_MARKUP: Final = re.compile("<[a-z/!?]", re.IGNORECASE)
# Never cuts inside a reference: those have at most 33 characters.
_PIECE: Final = re.compile(rf"[^<]{{1,{MAX_STRETCH}}}[^<&;\s]{{0,40}}+[;\s]?")
_DIVIDER: Final = "<param>"  # empty and never shown; a comment would not divide text that is misplaced in a table


def with_few_attributes(html: str) -> str:
    """*html* with the first `MAX_ATTRIBUTES` attributes of each tag."""
    return _MANY_ATTRIBUTES.sub(r"\1", html)


def cut_where_too_deep(html: str) -> str:
    """*html* up to the tag that would be more than `MAX_DEPTH` elements deep."""
    open_tags: Counter[str] = Counter()
    depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _FLAT:
            continue
        if not tag[1]:
            open_tags[name] += 1
            depth += 1
        elif open_tags[name]:
            open_tags[name] -= 1
            depth -= 1
        if depth > MAX_DEPTH:
            return html[: tag.start()] + "…"
    return html


def with_short_stretches(html: str) -> str:
    """
    *html* with an invisible element in every run of text longer than `MAX_STRETCH` characters.

    Tags do not end a run here: those that a parser ignores, such as an end tag without a start tag, divide no text.
    """
    pieces: list[str] = []
    done = 0
    for found in _MARKUP.finditer(html):
        if found.start() - done > MAX_STRETCH:
            pieces.append(html[done : found.start()])
            done = found.start()
    pieces.append(html[done:])
    return _STRETCH.sub(lambda found: found[1] + _DIVIDER.join(_PIECE.findall(found[2])), _DIVIDER.join(pieces))
