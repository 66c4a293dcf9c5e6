"""
Cuts runs of combining marks and format characters to the length that writing systems need.

Normalizing sorts the marks on one letter, at a cost that grows with the square of their number (64 KB of two
alternating marks: 4.3 s of CPU, measured 2026-11 with CPython 3.11), and a terminal or browser that draws a thousand
marks on one letter hides the lines around it.
"""

import re
import unicodedata
from typing import Final

# UAX #15, Stream-Safe Text Format: no more than 30 non-starters; languages need far fewer.
MAX_MARKS: Final = 30
# Zero-width, direction and tag characters; the longest in use is the flag of a region: six tags.
MAX_FORMATS: Final = 16

# Marks (M*) and formats (Cf) are neither letters nor digits nor space. Symbols match as well and are sorted out in the
# runs that are found: a table of all marks would cost more at startup than the messages do.
_LONG_RUN: Final = re.compile(rf"[^\x00-\x7f\w\s]{{{MAX_FORMATS + 1},}}+")


def without_long_runs(text: str) -> str:
    """
    *text* with at most `MAX_MARKS` combining marks and `MAX_FORMATS` format characters between two others.

    Both are counted over the same run, so that neither interrupts the other's. Characters over the limit are dropped.
    """
    return text if text.isascii() else _LONG_RUN.sub(_shorten, text)


def _shorten(run: re.Match[str]) -> str:
    characters: list[str] = []
    marks = formats = 0
    for character in run[0]:
        category = unicodedata.category(character)
        if category[0] == "M":
            marks += 1
            if marks > MAX_MARKS:
                continue
        elif category == "Cf":
            formats += 1
            if formats > MAX_FORMATS:
                continue
        else:
            marks = formats = 0
        characters.append(character)
    return "".join(characters)
