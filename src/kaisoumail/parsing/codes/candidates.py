"""Everything in a text that has the form of a code, except parts of something else, such as a link or an amount."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_CANDIDATES: Final = 200

_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_REACH: Final = 16  # characters before and after the digits that a code, and what touches it, can extend to

# A code must not be the end of a longer number, an address, a colour or a masked card number.
_BEFORE: Final = r"(?<![A-Za-z0-9_@./\\:,+#*•·…%&?=~-])(?<![0-9][ -])(?<![0-9]\) )"
# A comma may be followed by "5 minutes", but neither by thousands nor by the next of several codes.
_AFTER: Final = r"(?![A-Za-z0-9_@*•])(?![.:/\\][0-9]|,[0-9]{3})(?![ -][0-9])(?!-[A-Za-z0-9])"
# Letters touch digits somewhere in `7KM-4XQ`; in `JIRA-1234` they do not.
_MIXED: Final = r"(?=[A-Z0-9-]{0,7}(?:[A-Z][0-9]|[0-9][A-Z]))"
_FORM: Final = re.compile(
    # Only at the start of a word with a digit, or of a short prefix: everywhere else costs a single lookahead.
    r"(?<![A-Za-z0-9])(?=[A-Za-z]{0,7}[0-9]|[A-Z]{1,4}-|[A-Z] [A-Z0-9] )(?:"
    r"(?:[A-Z]|FB)-(?P<prefixed>[0-9]{4,8})(?![A-Za-z0-9@-])"
    rf"|{_BEFORE}(?:"
    rf"{_MIXED}(?P<halves>[A-Z0-9]{{3}}-[A-Z0-9]{{3}}|[A-Z0-9]{{4}}-[A-Z0-9]{{4}})"
    r"|(?P<keyed>(?=[A-Z0-9-]{0,8}[0-9])(?=[0-9-]{0,8}[A-Z])(?:[A-Z0-9]{4}-[A-Z0-9]{4}|[A-Z]{3}-[0-9]{3}))"
    r"|(?P<spread>[0-9](?:[ \n-][0-9]){3,7})(?!\n[0-9](?![0-9]))"
    r"|(?P<boxes>[A-Z0-9](?:[ \n][A-Z0-9]){3,7})(?![ \n][A-Z0-9](?![A-Za-z0-9]))"
    r"|(?P<pairs>[0-9]{2}[ -][0-9]{2}[ -][0-9]{2})"
    r"|(?P<grouped>[0-9]{3}[ -][0-9]{3}|[0-9]{4}[ -][0-9]{4})"
    rf"|(?P<plain>[A-Za-z0-9]{{4,8}})){_AFTER}"
    # After punctuation that introduces rather than joins: `code:123456`, `code,123456`, `OTP=123456`
    rf"|(?<=[:,=])(?<![0-9][:,])(?P<introduced>[A-Za-z0-9]{{4,8}}){_AFTER})",
    re.ASCII,
)
_SEPARATORS: Final = str.maketrans("", "", " \n-")
# ASCII only: Chinese text follows an address directly, without a space.
_LINK: Final = re.compile(r"(?:[hH][tT][tT][pP][sS]?://|www\.|WWW\.)[^\s<>\"')\]\u0080-\U0010ffff]+")
_IN_LOCAL_PART: Final = frozenset("@._%+'-")
_MAIL_BEFORE: Final = re.compile(r"@[A-Za-z0-9.-]*\Z")
_MAIL_AFTER: Final = re.compile(r"[A-Za-z0-9._%+'-]{0,64}@")
# `example.com/verify?id=123456` without a scheme
_PATH_BEFORE: Final = re.compile(r"[A-Za-z0-9]\.[A-Za-z]{2,}/[^\s\u0080-\U0010ffff]*\Z")
_MONEY_BEFORE: Final = re.compile(
    r"(?:[$€£¥₩₹₽₺₫฿₴₪₦₱]|\b(?:USD|EUR|GBP|RMB|CNY|JPY|INR|Rs\.?|Rp\.?|CAD|AUD|CHF|HKD|TWD|NT|KRW|VND|IDR|THB|TRY|"
    r"RUB|PLN|SEK|NOK|DKK|BRL|MXN|UAH|CZK|HUF|RON|SAR|AED|EGP|ILS|SGD|MYR|PHP|BTC|ETH))\s?\Z",
    re.IGNORECASE,
)
_MONEY_AFTER: Final = re.compile(
    r"[ ]?(?:[$€£¥₩₹₽₺₫฿₴₪元円원%‰°]|(?:USD|EUR|GBP|RMB|CNY|JPY|INR|CAD|AUD|CHF|HKD|TWD|KRW|VND|IDR|THB|TRY|TL|RUB|"
    r"PLN|SEK|NOK|DKK|BRL|MXN|UAH|CZK|HUF|RON|SAR|AED|EGP|ILS|SGD|MYR|PHP|KB|MB|GB|TB|(?-i:AM|PM)|px|kg|km|m|kr|Ft|Kč|zł|lei)\b)",
    re.IGNORECASE,
)
_AMOUNT: Final = re.compile(
    r"[0-9]{1,5}(?:mins?|hrs?|hours?|days?|secs?|px|pt|k|kb|mb|gb|tb|th|nd|rd|st|am|pm|ms|kg|km|kbps|mbps|mah|h|m|s)",
    re.IGNORECASE | re.ASCII,
)
_COUNTED: Final = ("01234567890", "12345678", "09876543210", "98765432")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible code: *code* without separators, its *form*, and its place from *start* to *end* in the text."""

    code: str
    form: str
    start: int
    end: int

    @property
    def is_digits(self) -> bool:
        return self.code.isdigit()


def candidates_in(text: str) -> Iterator[Candidate]:
    """The candidates in *text*, which must come from `plain`, in order, at most 200."""
    if not any(digit in text for digit in "0123456789"):
        return  # ten tests with `in` are ten times faster than one regular expression
    may_link = "://" in text or "www." in text or "WWW." in text
    links = [match.span() for match in _LINK.finditer(text)] if may_link else []
    found = 0
    for start, end in _around_digits(text):
        for match in _FORM.finditer(text, start, end):
            form = match.lastgroup
            assert form is not None
            code = match[form].translate(_SEPARATORS)
            span = match.span(form)
            if _is_code(code, form) and not _is_in_address(text, *span, links) and not _is_measure(text, *span):
                yield Candidate(code, form, *span)
                found += 1
                if found == MAX_CANDIDATES:
                    return


def _around_digits(text: str) -> Iterator[tuple[int, int]]:
    """
    The spans around digits, each long enough for a whole code and what touches it.

    Most of a message has no digits; scanning only these spans is about twenty times cheaper.
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


def _is_code(code: str, form: str) -> bool:
    """
    Whether it is four to eight digits, or four to eight letters and digits with at least one of each.

    The API allows no others: codes of letters alone, and longer ones, are never found.
    """
    if not 4 <= len(code) <= 8 or code.isalpha():
        return False
    if form == "spread" and any(code in counted for counted in _COUNTED):
        return False  # the numbers of a scale from 1 to 5
    return code.isdigit() or _AMOUNT.fullmatch(code) is None


def _is_in_address(text: str, start: int, end: int, links: list[tuple[int, int]]) -> bool:
    """Whether it is part of a link or of an email address."""
    before = bisect_right(links, (start, len(text))) - 1
    if before >= 0 and start < links[before][1]:
        return True
    if end < len(text) and text[end] in _IN_LOCAL_PART and _MAIL_AFTER.match(text, end):
        return True
    if start == 0 or text[start - 1].isspace() or not text[start - 1].isascii():
        return False
    near = text[max(0, start - 64) : start]
    return bool(_MAIL_BEFORE.search(near) or _PATH_BEFORE.search(near))


def _is_measure(text: str, start: int, end: int) -> bool:
    """Whether it is an amount of money, a percentage, a size or a time of day."""
    return bool(_MONEY_BEFORE.search(text[max(0, start - 5) : start]) or _MONEY_AFTER.match(text[end : end + 5]))
