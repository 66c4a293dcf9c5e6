"""Files in the text of a message, as old senders write them (POSIX `uuencode`)."""

import binascii
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

MAX_FILES: Final = 100

_BEGIN: Final = re.compile(r"begin [0-7]{3,4} (\S[^\r\n]*)")
_ANY_BEGIN: Final = re.compile(r"^begin [0-7]{3,4} \S", re.MULTILINE)
_SHIFT, _MASK = 32, 63


class EmbeddedFile(NamedTuple):
    """A decoded file; *filename* is as the sender wrote it."""

    filename: str
    content: bytes


def without_files(text: str) -> tuple[str, list[EmbeddedFile]]:
    """
    *text* without its uuencoded files, and those files; its lines must end in `\\n`.

    Only a complete file from `begin` to `end` is removed; everything else stays text. A `begin` line is never a line
    of data, so no line is examined for two files and the cost is linear.
    """
    if "begin " not in text or not _ANY_BEGIN.search(text):
        return text, []
    lines = text.split("\n")
    remaining: list[str] = []
    files: list[EmbeddedFile] = []
    at = 0
    while at < len(lines):
        begin = _BEGIN.fullmatch(lines[at].rstrip()) if len(files) < MAX_FILES else None
        end, content = _read(lines, at + 1) if begin else (at, None)
        if begin and content is not None:
            files.append(EmbeddedFile(begin[1], content))
            at = end
        else:
            remaining.append(lines[at])
        at += 1
    return "\n".join(remaining), files


def _read(lines: Sequence[str], at: int) -> tuple[int, bytes | None]:
    """The index of the `end` line and the decoded data; None instead of the data when the lines are not uuencoded."""
    content = bytearray()
    while at < len(lines):
        line = lines[at].rstrip("\r")
        if line.rstrip() == "end":
            return at, bytes(content)
        piece = _line(line)
        if piece is None:
            return at, None
        content += piece
        at += 1
    return at, None


def _line(line: str) -> bytes | None:
    if not line.strip() or not line.isascii():
        return None if line.strip() else b""
    count = (ord(line[0]) - _SHIFT) & _MASK
    length = 1 + (count + 2) // 3 * 4
    if len(line.rstrip()) > length + 1:  # some writers add a checksum letter
        return None
    try:
        return binascii.a2b_uu(line[:length].ljust(length))  # some relays cut trailing blanks
    except binascii.Error:
        return None
