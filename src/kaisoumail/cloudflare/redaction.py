"""Removes our token from texts: an answer of Cloudflare or a proxy, or a library's error, may repeat what was sent."""

import json
import re
from typing import Final
from urllib.parse import quote

BLANK: Final = "[token]"
LONGEST_TEXT: Final = 500
_MOST_READ: Final = 65_536
# A character of a token as an upstream may escape it in JSON; any other escape is matched whole and left as it is.
_ESCAPE: Final = re.compile(rb"\\(?:u00([2-7][0-9a-fA-F])|.)", re.DOTALL)
_SHORTEST: Final = 8  # Cloudflare's tokens have 40 characters; blanking "x" would blank words


class Redaction:
    """Blanks *token*, in upper or lower case, and in the forms that URLs, JSON and Python's `repr` give it."""

    def __init__(self, token: str) -> None:
        as_json = json.dumps(token)[1:-1]
        forms = {token, quote(token, safe=""), as_json, as_json.replace("/", "\\/"), repr(token)[1:-1]}
        self._forms = sorted(forms, key=len, reverse=True) if len(token) >= _SHORTEST else []
        pattern = "|".join(map(re.escape, self._forms)) or r"(?!)"
        self._in_text = re.compile(pattern, re.IGNORECASE)
        self._in_body = re.compile(pattern.encode(), re.IGNORECASE)

    def text(self, text: str) -> str:
        """*text* as one line of at most 500 printable characters, for messages, logs and pages."""
        printable = "".join(letter if letter.isprintable() else " " for letter in text[:_MOST_READ])
        blanked = self._in_text.sub(BLANK, " ".join(printable.split()))
        if len(text) > _MOST_READ and self._forms:
            blanked = blanked[: -len(self._forms[0])]  # the cut may have left half a token
        return blanked[:LONGEST_TEXT]

    def body(self, body: bytes) -> bytes:
        """*body* without the token; applied before anything of it is read."""
        if b"\\u00" in body:
            body = _ESCAPE.sub(_unescaped, body)
        lower = body.lower()  # searching plain bytes is a hundred times faster than a pattern
        if any(form.lower().encode() in lower for form in self._forms):
            return self._in_body.sub(BLANK.encode(), body)
        return body


def _unescaped(escape: re.Match[bytes]) -> bytes:
    """The character of a JSON escape, unless a JSON text needs it escaped."""
    if escape[1] is None:
        return escape[0]
    character = bytes([int(escape[1], 16)])
    return escape[0] if character in b'"\\\x7f' else character
