"""Decodes RFC 2047 encoded-words in linear time (the standard library is quadratic on hostile input)."""

import binascii
import re
from typing import Final

from kaisoumail.parsing.character_runs import without_long_runs
from kaisoumail.parsing.charsets import decode

# No part may contain "?", so every attempt stops at the next one: linear on any input.
_WORD: Final = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?([^?]*)\?=")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]+")


def decode_words(value: str) -> str:
    """
    *value* with its encoded-words decoded.

    White space between two encoded-words is not part of the text (RFC 2047, 6.2). Adjacent words of one
    charset are joined as bytes before decoding, since many senders split a character across two words.
    """
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending, charset = bytearray(), ""
    end = 0
    for match in _WORD.finditer(value):
        between = value[end : match.start()]
        label = match[1].split("*", 1)[0].lower()  # RFC 2231 allows a language: utf-8*en
        if charset and (between.strip() or label != charset):
            pieces.append(decode(bytes(pending), charset))
            pending.clear()
        if between.strip() or not charset:
            pieces.append(between)
        pending += _word_bytes(match[2], match[3])
        charset, end = label, match.end()
    if charset:
        pieces.append(decode(bytes(pending), charset))
    pieces.append(value[end:])
    return without_long_runs("".join(pieces))  # again: words of different charsets are decoded separately


def _word_bytes(encoding: str, payload: str) -> bytes:
    if encoding in "qQ":
        return binascii.a2b_qp(payload.encode("utf-8"), header=True)
    letters = _NOT_BASE64.sub("", payload)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + "=" * (-len(letters) % 4))
