"""Normalizes text for the rules: ASCII digits for those of every script, lower case, no accents, indexes unchanged."""

import re
import unicodedata
from typing import Final

from kaisoumail.parsing.html_text import tidy

# Decimal digits of other scripts; full-width letters; variants of dashes and quotes.
_UNUSUAL: Final = re.compile("(?![0-9])\\d|[\uff21-\uff3a\uff41-\uff5a\u2010-\u2013\u2212\uff0d\u2018\u2019]")
_LIKE: Final = dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\uff0d", "-") | dict.fromkeys("\u2018\u2019", "'")
_ACCENTED: Final = re.compile("[\u00c0-\u024f\u0370-\u03ff\u1e00-\u1fff]")
_BARE: Final = {"ı": "i", "đ": "d", "Đ": "d", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l"}


def normalize(text: str, limit: int) -> str:
    """
    The first *limit* characters of *text*, line by line, with single spaces, composed letters and ASCII digits.

    Punctuation is unchanged: a full-width comma ends a number, where a plain one may be part of it.
    """
    return normalize_letters(tidy(text[:limit]))


def normalize_letters(tidy: str) -> str:
    """*tidy* (from `tidy`) with composed letters and ASCII digits."""
    return tidy if tidy.isascii() else _UNUSUAL.sub(_usual, unicodedata.normalize("NFC", tidy))


def fold(text: str) -> str:
    """*text* (from `normalize`) in lower case, without the accents of Latin and Greek letters; the length stays."""
    if text.isascii():
        return text.lower()
    return _ACCENTED.sub(_bare, text).lower()


def one_line(text: str) -> str:
    """*text* on one line and without hyphens, as phrases are searched in it; the length stays."""
    return text.replace("\n", " ").replace("-", " ")


def _usual(match: re.Match[str]) -> str:
    letter = match[0]
    if letter.isdecimal():
        return str(unicodedata.digit(letter))
    return _LIKE.get(letter) or unicodedata.normalize("NFKC", letter)


def _bare(match: re.Match[str]) -> str:
    letter = match[0]
    return _BARE.get(letter) or unicodedata.normalize("NFD", letter)[0]
