"""The header block of a message or of one of its parts: fields in order, with duplicates, at bounded cost."""

import re
from dataclasses import dataclass
from typing import Final

from kaisoumail.parsing.character_runs import without_long_runs
from kaisoumail.parsing.charsets import without_unstorable
from kaisoumail.parsing.parsed_message import Header

MAX_HEADER_BYTES: Final = 128 * 1024
MAX_HEADERS: Final = 1000

_FIELD: Final = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)")
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_FOLD: Final = re.compile(r"\r?\n|\r")
# Left by mbox files and by some relays in front of the first real field.
_ENVELOPE_LINE: Final = re.compile(rb"\s*+>?From [^\n]*\n|(?:[ \t]*\r?\n)+")


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The fields, where the body starts, and whether fields beyond the limits were *cut*."""

    fields: tuple[Header, ...]
    body_start: int
    cut: bool

    def all(self, key: str) -> list[str]:
        """The values of every field named *key* (lower-case), in order."""
        return [field.value for field in self.fields if field.key == key]

    def last(self, key: str) -> str | None:
        """The value of the last field named *key* (of duplicates the last one counts, as in the contract)."""
        return next((field.value for field in reversed(self.fields) if field.key == key), None)

    def first(self, key: str) -> str | None:
        """The value of the first field named *key*."""
        return next((field.value for field in self.fields if field.key == key), None)


def read_headers(raw: bytes, start: int = 0, end: int | None = None) -> HeaderBlock:
    """
    The header block of *raw* between *start* and *end*; `body_start` is an index into *raw*.

    The block ends at the first empty line, or at the first line that cannot be a header field: that line belongs to the
    body, so nothing is lost when a sender forgot the empty line. Returns at most `MAX_HEADERS` fields and
    `MAX_HEADER_BYTES`; the body after a longer block is found all the same.
    """
    fields: list[Header] = []
    cut = False
    end = len(raw) if end is None else end
    position = start = _after_envelope_line(raw, start, end)
    while match := _FIELD.match(raw, position, end):
        if len(fields) >= MAX_HEADERS or match.end() - start > MAX_HEADER_BYTES:
            cut = True
            blank = _BLANK_LINE.search(raw, position, end)
            return HeaderBlock(tuple(fields), blank.end() if blank else end, cut)
        fields.append(Header(match[1].decode("ascii").lower(), unfolded(match[2])))
        position = match.end()
    if raw.startswith(b"\r\n", position, end):
        position += 2
    elif raw.startswith(b"\n", position, end):
        position += 1
    return HeaderBlock(tuple(fields), position, cut)


def unfolded(value: bytes) -> str:
    """A field value as one line of text: decoded as UTF-8, else as Latin-1; long runs of marks are cut."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    text = without_unstorable(text).strip()
    return without_long_runs(_FOLD.sub("", text) if "\n" in text or "\r" in text else text)


def _after_envelope_line(raw: bytes, start: int, end: int) -> int:
    match = _ENVELOPE_LINE.match(raw, start, end)
    if match and _FIELD.match(raw, match.end(), end):
        return match.end()
    return start
