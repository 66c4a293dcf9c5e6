"""Decodes Content-Transfer-Encodings; of broken ones as much as possible."""

import binascii
from typing import Final

from kaisoumail.parsing.uuencode import without_files

_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_UUENCODE: Final = frozenset(("x-uuencode", "uuencode", "x-uue", "uue"))


def encoding_named(field: str | None) -> str | None:
    """base64, quoted-printable or uuencode if a Content-Transfer-Encoding *field* names one of them; else None."""
    name = (field or "").split("(", 1)[0].strip(" \t;\"'").lower()
    if name in _UUENCODE:
        return "uuencode"
    return name if name in ("base64", "quoted-printable") else None


def decode_transfer(body: bytes, encoding: str) -> bytes:
    """*body* decoded from *encoding*, a result of `encoding_named`."""
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if encoding == "uuencode":
        files = without_files(body.decode("latin-1").replace("\r\n", "\n"))[1]
        return files[0].content if files else body
    letters = body.translate(None, _NOT_BASE64)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
