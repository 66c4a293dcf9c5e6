"""Everything in a text that could be a code by its form, and nothing that is part of something else."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kaisoumail.parsing.html_text import visible

MAX_TEXT: Final = 64 * 1024
MAX_CANDIDATES: Final = 200

# Digits of other scripts, full-width letters.
_UNUSUAL: Final = re.compile("(?![0-9])\\d|[\uff21-\uff3a\uff41-\uff5a]")
_ALONE: Final = re.compile(r"^[^\w\n]{0,8}([0-9](?:[ -]?[0-9]){3,7})[^\w\n]{0,8}$", re.ASCII | re.MULTILINE)
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_REACH: Final = 16  # the longest that may stand before or behind a code's digits, and what touches it

# A group of digits is not the end of a longer number: nothing that joins numbers may touch it.
_BEFORE: Final = r"(?<![A-Za-z0-9_@./:,+-])(?<![0-9][ -])"
# A comma may be followed by "5 minutes", but neither by thousands nor by the next of several codes.
_AFTER: Final = r"(?![A-Za-z0-9_@])(?![.:/][0-9]|,[0-9]{3})(?![ -][0-9])(?!-[A-Za-z0-9])"
# Letters touch digits somewhere in `7KM-4XQ`; in `JIRA-1234` they do not.
_MIXED: Final = r"(?=[A-Z0-9-]{0,7}(?:[A-Z][0-9]|[0-9][A-Z]))"
_FORM: Final = re.compile(
    # Only where a word with a digit in it, or a short prefix, begins: everywhere else costs one look.
    r"(?<![A-Za-z0-9])(?=[A-Za-z]{0,7}[0-9]|[A-Z]{1,4}-)(?:"
    rf"(?:[A-Z]|FB)-(?P<prefixed>[0-9]{{4,8}})(?![A-Za-z0-9@-])"
    rf"|{_BEFORE}{_MIXED}(?P<halves>[A-Z0-9]{{3}}-[A-Z0-9]{{3}}|[A-Z0-9]{{4}}-[A-Z0-9]{{4}}){_AFTER}"
    rf"|{_BEFORE}(?P<spread>[0-9](?: [0-9]){{3,7}}){_AFTER}"
    rf"|{_BEFORE}(?P<pairs>[0-9]{{2}}[ -][0-9]{{2}}[ -][0-9]{{2}}){_AFTER}"
    rf"|{_BEFORE}(?P<grouped>[0-9]{{3}}[ -][0-9]{{3}}|[0-9]{{4}}[ -][0-9]{{4}}){_AFTER}"
    rf"|{_BEFORE}(?P<plain>[A-Za-z0-9]{{4,8}}){_AFTER}"
    # After punctuation that introduces rather than joins: `code:123456`, `code,123456`
    rf"|(?<=[:,])(?<![0-9][:,])(?P<introduced>[A-Za-z0-9]{{4,8}}){_AFTER})",
    re.ASCII,
)
# ASCII only: Chinese goes on right behind an address, without a space.
_LINK: Final = re.compile(r"(?:[hH][tT][tT][pP][sS]?://|www\.|WWW\.)[^\s<>\"')\]\u0080-\U0010ffff]+")
_MAIL_BEFORE: Final = re.compile(r"@[A-Za-z0-9.-]*\Z")
_MAIL_AFTER: Final = re.compile(r"[A-Za-z0-9._%+'-]{0,64}@")
_MONEY_BEFORE: Final = re.compile(
    r"(?:[$€£¥₩₹]|\b(?:USD|EUR|GBP|RMB|CNY|JPY|INR|Rs\.?|CAD|AUD|CHF|HKD|TWD|KRW))\s?\Z", re.IGNORECASE
)
_MONEY_AFTER: Final = re.compile(
    r"\s?(?:[$€£¥₩₹元円%]|(?:USD|EUR|GBP|RMB|CNY|JPY|INR|CAD|AUD|CHF|HKD|TWD|KRW|KB|MB|GB|TB|AM|PM|px|kg|km)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """*code* without separators, and where it stands in the text it was found in."""

    code: str
    start: int
    end: int

    @property
    def is_digits(self) -> bool:
        return self.code.isdigit()


def tidy(text: str) -> str:
    """
    *text* on one line, cut to 64 KiB, with the digits of every script and full-width letters made plain.

    Punctuation stays as it is: a full-width comma ends a number where a plain one might go on with it.
    """
    start = text[:MAX_TEXT]
    return " ".join((start if start.isascii() else _UNUSUAL.sub(_plain, visible(start))).split())


def _plain(match: re.Match[str]) -> str:
    letter = match[0]
    return str(unicodedata.digit(letter)) if letter.isdecimal() else unicodedata.normalize("NFKC", letter)


def alone_on_a_line(text: str) -> frozenset[str]:
    """The digit codes of *text* (not tidy) that have a line to themselves, as mails like to show the one."""
    start = text[:MAX_TEXT]
    plain = start if start.isascii() else _UNUSUAL.sub(_plain, visible(start))
    return frozenset(match[1].replace(" ", "").replace("-", "") for match in _ALONE.finditer(plain))


def candidates_in(text: str) -> Iterator[Candidate]:
    """The candidates in *text* (tidy), in order, at most 200."""
    may_link = "://" in text or "www." in text or "WWW." in text
    links = [match.span() for match in _LINK.finditer(text)] if may_link else []
    found = 0
    for start, end in _around_digits(text):
        for match in _FORM.finditer(text, start, end):
            kind = match.lastgroup
            assert kind is not None
            code = match[kind].replace(" ", "").replace("-", "")
            span = match.span(kind)
            if _is_code(code) and not _is_in_address(text, *span, links) and not _is_measure(text, *span):
                yield Candidate(code, *span)
                found += 1
                if found == MAX_CANDIDATES:
                    return


def _around_digits(text: str) -> Iterator[tuple[int, int]]:
    """
    The stretches that have a digit in them, each with room for what may touch it.

    Most of a mail has none; looking only here makes a mail about twenty times cheaper.
    """
    start = end = -1
    for match in _DIGITS.finditer(text):
        if match.start() - _REACH > end:
            if end >= 0:
                yield start, end
            start = max(0, match.start() - _REACH)
        end = min(len(text), match.end() + _REACH)
    if end >= 0:
        yield start, end


def _is_code(code: str) -> bool:
    """Four to eight digits, or as many letters and digits with at least one of each."""
    return 4 <= len(code) <= 8 and (code.isdigit() or not (code.isalpha() or code.isdigit()))


def _is_in_address(text: str, start: int, end: int, links: list[tuple[int, int]]) -> bool:
    """Part of a link or of a mail address."""
    before = bisect_right(links, (start, len(text))) - 1
    if before >= 0 and start < links[before][1]:
        return True
    return bool(_MAIL_AFTER.match(text, end) or _MAIL_BEFORE.search(text[max(0, start - 64) : start]))


def _is_measure(text: str, start: int, end: int) -> bool:
    """Money, a percentage, a size, a time of day."""
    return bool(_MONEY_BEFORE.search(text[max(0, start - 5) : start]) or _MONEY_AFTER.match(text[end : end + 5]))
