"""Everything in a text that could be a code by its form, and nothing that is part of something else."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_TEXT: Final = 64 * 1024
MAX_CANDIDATES: Final = 200

_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_REACH: Final = 24

# A group of digits is not the end of a longer number: nothing that joins numbers may touch it.
_BEFORE: Final = r"(?<![A-Za-z0-9_@./:,+-])(?<![0-9][ -])"
_AFTER: Final = r"(?![A-Za-z0-9_@])(?![.,:/][0-9])(?![ -][0-9])(?!-[A-Za-z0-9])"
_FORM: Final = re.compile(
    rf"(?<![A-Za-z0-9])[A-Z]-(?P<prefixed>[0-9]{{4,8}})(?![A-Za-z0-9@-])"
    rf"|{_BEFORE}(?P<spread>[0-9](?: [0-9]){{3,7}}){_AFTER}"
    rf"|{_BEFORE}(?P<pairs>[0-9]{{2}}[ -][0-9]{{2}}[ -][0-9]{{2}}){_AFTER}"
    rf"|{_BEFORE}(?P<grouped>[0-9]{{3}}[ -][0-9]{{3}}|[0-9]{{4}}[ -][0-9]{{4}}){_AFTER}"
    rf"|{_BEFORE}(?P<plain>[A-Za-z0-9]{{4,8}}){_AFTER}"
    # After punctuation that introduces rather than joins: `code:123456`, `code,123456`
    rf"|(?<=[:,])(?<![0-9][:,])(?P<introduced>[A-Za-z0-9]{{4,8}}){_AFTER}",
    re.ASCII,
)
_ADDRESSES: Final = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]+|[^\s<>@]{1,64}@[^\s<>@]{1,255}", re.IGNORECASE)
_MONEY_BEFORE: Final = re.compile(r"(?:[$€£¥₩₹]|USD|EUR|GBP|RMB|CNY|JPY)\s?\Z", re.IGNORECASE)
_MONEY_AFTER: Final = re.compile(
    r"\s?(?:[$€£¥₩₹元円%]|(?:USD|EUR|GBP|RMB|CNY|JPY|KB|MB|GB|TB|AM|PM|px|kg|km)\b)", re.IGNORECASE
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
    return " ".join((start if start.isascii() else "".join(map(_plain, start))).split())


def _plain(letter: str) -> str:
    if letter.isascii() or not letter.isalnum():
        return letter
    if letter.isdecimal():
        return str(unicodedata.digit(letter))
    return unicodedata.normalize("NFKC", letter) if "\uff21" <= letter <= "\uff5a" else letter


def candidates_in(text: str) -> Iterator[Candidate]:
    """The candidates in *text* (tidy), in order, at most 200."""
    covered = [match.span() for match in _ADDRESSES.finditer(text)]
    found = 0
    for start, end in _around_digits(text):
        for match in _FORM.finditer(text, start, end):
            kind = match.lastgroup
            assert kind is not None
            code = match[kind].replace(" ", "").replace("-", "")
            span = match.span(kind)
            if _is_code(code) and not _is_within(span[0], covered) and not _is_measure(text, *span):
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


def _is_within(position: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)


def _is_measure(text: str, start: int, end: int) -> bool:
    """Money, a percentage, a size, a time of day."""
    return bool(_MONEY_BEFORE.search(text[max(0, start - 5) : start]) or _MONEY_AFTER.match(text[end : end + 5]))
