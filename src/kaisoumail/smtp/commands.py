"""Parses SMTP command lines strictly (RFC 5321, 4.1.1)."""

import re
from dataclasses import dataclass, field
from typing import Final

_MAX_ADDRESS: Final = 320
_MAX_PARAMETERS: Final = 16
# A path is in angle brackets; a quoted local part may contain any character, brackets too.
_PATH: Final = re.compile(r'[ ]?<((?:[^<>"\\]|"(?:[^"\\]|\\.)*+")*+)>(?:[ ]+(.*))?', re.DOTALL)
_BARE: Final = re.compile(r"[ ]?([^\s<>]+@[^\s<>]+)(?:[ ]+(.*))?", re.DOTALL)
_ROUTE: Final = re.compile(r"@[^:]*:")  # an old source route (RFC 5321, appendix C), to be ignored
_PARAMETER: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]*))?")


class BadSyntax(Exception):
    """A malformed or misplaced command; the text is the reply."""


@dataclass(frozen=True, slots=True)
class Path:
    """An envelope address, "" for the null sender, and the parameters after it by upper-case name."""

    address: str
    parameters: dict[str, str | None] = field(default_factory=dict)


def command(line: bytes) -> tuple[str, str]:
    """
    The verb in upper case, and the rest of the line. Raises BadSyntax for bytes that are not UTF-8.

    Control characters are refused as well: they would end up in logs and lists.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise BadSyntax("500 5.5.2 Syntax error: commands are ASCII, or UTF-8 with SMTPUTF8") from None
    if not text.isprintable() and any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise BadSyntax("500 5.5.2 Syntax error: control character in command")
    verb, _, rest = text.partition(" ")
    return verb.upper(), rest.rstrip(" ")


def path(argument: str, keyword: str) -> Path:
    """
    The path after *keyword* (`FROM` or `TO`), as in `FROM:<ada@shop.example> SIZE=1000`.

    Raises BadSyntax for anything else. An address without brackets is accepted, as by most servers.
    """
    name, colon, rest = argument.partition(":")
    found = _PATH.fullmatch(rest) or _BARE.fullmatch(rest) if colon and name.strip().upper() == keyword else None
    if found is None:
        raise BadSyntax(f"501 5.5.4 Syntax: {'MAIL' if keyword == 'FROM' else 'RCPT'} {keyword}:<address>")
    address = _ROUTE.sub("", found[1], count=1) if found[1].startswith("@") else found[1]
    if len(address) > _MAX_ADDRESS:
        raise BadSyntax("501 5.1.3 Address too long")
    return Path(address, _parameters(found[2] or ""))


def _parameters(text: str) -> dict[str, str | None]:
    words = text.split()
    if len(words) > _MAX_PARAMETERS:
        raise BadSyntax("501 5.5.4 Too many parameters")
    parameters: dict[str, str | None] = {}
    for word in words:
        found = _PARAMETER.fullmatch(word)
        if found is None:
            raise BadSyntax("501 5.5.4 Syntax error in parameter")
        parameters[found[1].upper()] = found[2]
    return parameters


def size(value: str | None) -> int:
    """The number of bytes in *value*. Raises BadSyntax unless it is a number of at most 20 digits."""
    if value is None or not (value.isascii() and value.isdigit()) or len(value) > 20:
        raise BadSyntax("501 5.5.4 Syntax error: SIZE must be a number of bytes")
    return int(value)
