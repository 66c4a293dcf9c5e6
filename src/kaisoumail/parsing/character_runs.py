"""
Runs of characters that show nothing of their own, cut to what writing needs.

Normalising sorts the marks on one letter, at a cost that grows with the square of their number (64 KB of two marks by
turns: 4.3 s of CPU, measured 2026-11 with CPython 3.11), and a terminal or browser that draws a thousand of them on one
letter hides the lines around it.
"""

import re
import unicodedata
from typing import Final

# UAX #15, Stream-Safe Text Format: no more than 30 non-starters; what languages need is far below.
MAX_MARKS: Final = 30
# Zero-width, direction and tag characters; the longest in use is the flag of a region: six tags.
MAX_FORMATS: Final = 16

# Marks (M*) and formats (Cf) are neither letters nor digits nor space. Symbols are in as well: they are told apart in
# the runs that are found, and a table of all marks would cost more at the start than mails do.
_LONG_RUN: Final = re.compile(rf"[^\x00-\x7f\w\s]{{{MAX_FORMATS + 1},}}+")


def without_long_runs(text: str) -> str:
    """
    *text* with at most `MAX_MARKS` combining marks and `MAX_FORMATS` format characters between two others.

    Both are counted over the same run, so that neither divides the other's. What is over the limit is dropped.
    """
    return text if text.isascii() else _LONG_RUN.sub(_shorten, text)


def _shorten(run: re.Match[str]) -> str:
    kept: list[str] = []
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
        kept.append(character)
    return "".join(kept)
