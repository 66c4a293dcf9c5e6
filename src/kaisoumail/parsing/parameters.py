"""Header values with parameters, such as `text/plain; charset=utf-8`."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from kaisoumail.parsing.charsets import decode
from kaisoumail.parsing.encoded_words import decode_words

MAX_VALUE: Final = 8 * 1024

_PARAMETER: Final = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+("(?:[^"\\]|\\.)*+"|[^;]*+)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_COMMENT: Final = re.compile(r"\([^()]*\)")
_SECTION: Final = re.compile(r"([^*]+)\*(\d{1,3})?(\*?)")


def with_parameters(value: str) -> tuple[str, dict[str, str]]:
    """
    The bare value, lower-cased and without comments, and its parameters by lower-cased name.

    Decodes RFC 2231 continuations and charsets (`filename*0*=utf-8''…`), and encoded-words in quotes, which are
    forbidden but common. Of duplicate parameters the first counts.
    """
    if not value:
        return "", {}
    value = value[:MAX_VALUE]
    bare = _COMMENT.sub("", value.split(";", 1)[0]).strip().lower()
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(value):
        name, content = match[1].lower(), match[2].strip()
        if content.startswith('"'):
            content = _ESCAPED.sub(r"\1", content[1:].removesuffix('"'))
        split = _SECTION.fullmatch(name)
        if split:
            encoded = split[2] is None or bool(split[3])
            sections.setdefault(split[1], {}).setdefault(int(split[2] or 0), (content, encoded))
        else:
            plain.setdefault(name, decode_words(content))
    for name, parts in sections.items():
        plain[name] = _join_parts(parts)
    return bare, plain


def _join_parts(parts: dict[int, tuple[str, bool]]) -> str:
    content = bytearray()
    charset = "utf-8"
    for number in sorted(parts):
        piece, encoded = parts[number]
        if encoded and number == min(parts) and piece.count("'") >= 2:
            charset, _language, piece = piece.split("'", 2)
        content += unquote_to_bytes(piece) if encoded else piece.encode("utf-8")
    return decode(bytes(content), charset)
