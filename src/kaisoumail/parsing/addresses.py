"""Parses address headers: a scanner that reads each character once and never rejects a header."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kaisoumail.parsing.charsets import one_line
from kaisoumail.parsing.encoded_words import decode_words

MAX_NAME: Final = 256
_MAX_ADDRESS: Final = 320

# The form that every client validates again (contract 0.1). One address outside it must never break a list.
_PROMISED: Final = re.compile(
    r"(?!\.)(?!.*\.\.)[A-Za-z0-9_'+\-.]*[A-Za-z0-9_+\-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}"
)
_TOKEN: Final = re.compile(
    r'"(?P<quoted>(?:[^"\\]|\\.)*+)"?'
    r"|<(?P<angle>[^<>]*+)>?"
    r'|(?P<separator>[,;][\s,;]*+)|(?P<mark>[():>])|(?P<text>[^"<>(),;:]++)',
    re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParsedMailbox:
    """One mailbox of an address header; *address* is None when it does not have the promised form."""

    name: str | None
    address: str | None


def is_promised(address: str) -> bool:
    """Whether *address* has the form that the API promises for e-mail fields."""
    return len(address) <= _MAX_ADDRESS and _PROMISED.fullmatch(address) is not None


def mailboxes_in(value: str) -> Iterator[ParsedMailbox]:
    """
    The mailboxes in an address header's *value*, group members included, in order.

    Comments, quoted names, encoded-words, groups and Outlook's semicolons are understood. An entry in
    which there is neither a name nor an address is yielded too, so that a caller can count entries.
    """
    entry = _Entry()
    depth = 0
    for match in _TOKEN.finditer(value):
        kind = match.lastgroup
        piece = match[kind] if kind else match[0]
        if kind == "mark" and piece == "(":
            depth += 1
        elif kind == "mark" and piece == ")":
            depth = max(0, depth - 1)
        elif depth:
            entry.comment.append(match[0])
        elif kind == "separator":
            yield entry.mailbox()
            entry = _Entry()
        elif kind == "mark" and piece == ":":
            entry.phrase.clear()  # the text before it was the name of a group
        elif kind == "angle":
            entry.angle = piece if piece.strip() or entry.angle is None else entry.angle
        elif kind == "quoted":
            entry.quoted = True
            entry.phrase.append(_ESCAPED.sub(r"\1", piece))
        elif kind == "text":
            entry.phrase.append(piece)
    yield entry.mailbox()


class _Entry:
    """The parts of one mailbox that were read so far."""

    def __init__(self) -> None:
        self.phrase: list[str] = []
        self.comment: list[str] = []
        self.angle: str | None = None
        self.quoted = False

    def mailbox(self) -> ParsedMailbox:
        phrase = "".join(self.phrase).strip()
        if self.angle is not None:
            address, name = self.angle.rpartition(":")[2].strip(), phrase  # after the colon of an obsolete source route
        elif "@" in phrase and not self.quoted:
            address, name = phrase, "".join(self.comment)
        else:
            address, name = "", phrase
        return ParsedMailbox(_name(name), address if is_promised(address) else None)


def _name(raw: str) -> str | None:
    # Cut before decoding to bound the cost; an encoded-word is seldom more than eight times as long as its text.
    return one_line(decode_words(raw[: MAX_NAME * 8]))[:MAX_NAME] or None
