"""Decodes bytes whose charset label may be missing, wrong or hostile."""

import codecs
import re
from functools import lru_cache
from typing import Final

from kaisoumail.parsing.character_runs import without_long_runs

# The label → the codec to decode with: supersets, as in browsers (WHATWG Encoding, read 2026-11).
_SUPERSETS: Final = {
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "big5": "big5hkscs",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "windows-31j": "cp932",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "iso-8859-8-i": "iso-8859-8",
}
# Codecs that are slow by nature, decode escapes, or are no charset of messages.
_REFUSED: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_LABEL: Final = re.compile(r"[a-z0-9._:+-]{1,40}")
_META: Final = re.compile(rb"<meta[^>]{0,200}?charset\s{0,8}=\s{0,8}[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_META_WITHIN: Final = 1024
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Controls, and marks that turn the direction of what follows: they would show a file "…fdp.exe" as "…exe.pdf".
_UNSHOWN: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def decode(content: bytes, charset: str | None, *, is_html: bool = False) -> str:
    """
    *content* as text.

    Uses *charset* if it is known and not "ascii"; otherwise UTF-8 if the bytes are valid UTF-8, else the charset that
    HTML declares in a `<meta>` (with *is_html*), else Windows-1252. Never raises: bytes that cannot be decoded become
    U+FFFD. NUL and lone surrogates, which no database stores, are removed, and long runs of marks are cut.
    """
    codec = codec_named(charset) if charset else None
    if codec in (None, "ascii", "utf-8"):
        try:
            return _bounded(content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            if codec != "utf-8":
                codec = (_declared_in_html(content) if is_html else None) or "cp1252"
    return _bounded(content.decode(codec or "cp1252", "replace"))


@lru_cache(maxsize=256)
def codec_named(charset: str) -> str | None:
    """The name of Python's codec for the label *charset*, or None if it is unknown or refused."""
    label = charset.partition("(")[0].strip().strip("\"'").lower()
    if not _LABEL.fullmatch(label):
        return None
    try:
        found = codecs.lookup(_SUPERSETS.get(label, label))
        # Codecs from bytes to bytes (zip, hex) raise only when used, and not on empty input.
        b"x".decode(found.name, "replace")
    except (LookupError, ValueError):
        return None
    return None if found.name.replace("-", "_") in _REFUSED else _SUPERSETS.get(found.name, found.name)


def without_unstorable(text: str) -> str:
    """*text* without NUL characters and lone surrogates, which PostgreSQL and UTF-8 refuse."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else _SURROGATE.sub("", text)


def one_line(text: str) -> str:
    """*text* on one line, without controls and without marks that turn its direction."""
    return without_long_runs(" ".join(_UNSHOWN.sub("", text).split()))


def _bounded(text: str) -> str:
    return without_long_runs(without_unstorable(text))


def _declared_in_html(content: bytes) -> str | None:
    match = _META.search(content[:_META_WITHIN])
    return codec_named(match[1].decode("ascii")) if match else None
