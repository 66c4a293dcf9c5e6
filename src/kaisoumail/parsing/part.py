"""The nodes of a message's MIME tree, as both tree readers return them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_PARTS: Final = 1000

# Two names of RFC 6838, 4.2. Text that follows them without a semicolon is a mistake of the sender.
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(?=[\s;(]|\Z)")


@dataclass(slots=True)
class Part:
    """
    One node of a MIME tree.

    *size* counts the decoded bytes. *load* returns them and decodes again on each call, so that a tree never holds the
    content of all its parts. *declared* is whether the part has a Content-Type field.
    """

    content_type: str
    parameters: Mapping[str, str]
    disposition: str | None
    filename: str | None
    content_id: str | None
    declared: bool = True
    size: int = 0
    load: Callable[[], bytes] = bytes
    children: list["Part"] = field(default_factory=list)

    @property
    def is_multipart(self) -> bool:
        return self.content_type.startswith("multipart/")

    @property
    def is_message(self) -> bool:
        return self.content_type == "message/rfc822"


@dataclass(slots=True)
class Tree:
    """The MIME tree of a message, and what went wrong while reading it, as in `ParsedMessage.defects`."""

    root: Part
    defects: list[str]


def content_type_or_default(declared: str) -> str:
    """The media type that *declared* begins with, else text/plain (RFC 2045, 5.2)."""
    found = _TYPE.match(declared.strip().lower())
    return found[0] if found else "text/plain"
