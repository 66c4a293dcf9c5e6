"""
The MIME tree by our own parser, for messages that fast-mail-parser reads wrongly or slowly.

The standard library is not used here: its parser is quadratic in nesting and in header parameters.
This one scans each byte once per level, stops at `MAX_DEPTH` levels, and copies nothing: a part is a span of the bytes.
"""

import re
from functools import partial
from typing import Final

from kaisoumail.parsing.headers import HeaderBlock, read_headers
from kaisoumail.parsing.parameters import with_parameters
from kaisoumail.parsing.part import MAX_PARTS, Part, Tree, content_type_or_default
from kaisoumail.parsing.transfer import decode_transfer, encoding_named

MAX_DEPTH: Final = 16

# A boundary that is not declared: the first line that looks like one, near the start of the body.
_LOST_BOUNDARY: Final = re.compile(rb"(?:\A|(?<=\n))--([!-~]{1,70})[ \t]*\r?\n")
_LOST_WITHIN: Final = 8 * 1024

Span = tuple[int, int]


def tolerant_tree(block: HeaderBlock, raw: bytes) -> Tree:
    """The tree of the message *raw* with the header *block*, and its defects. Never raises on malformed input."""
    reader = _Reader()
    root = reader.part(block, raw, len(raw), depth=0, default="text/plain")
    return Tree(root, sorted(reader.defects))


class _Reader:
    def __init__(self) -> None:
        self.left = MAX_PARTS
        self.defects: set[str] = set()

    def part(self, block: HeaderBlock, raw: bytes, end: int, depth: int, default: str) -> Part:
        """The part with the header *block* and the body that ends at *end* of *raw*."""
        self.left -= 1
        declared = block.first("content-type")
        bare, parameters = with_parameters(declared or "")
        disposition, about_file = with_parameters(block.first("content-disposition") or "")
        part = Part(
            content_type=content_type_or_default(bare) if declared else default,
            parameters=parameters,
            disposition=disposition or None,
            filename=about_file.get("filename") or parameters.get("name") or None,
            content_id=block.first("content-id"),
            declared=declared is not None,
        )
        body = (block.body_start, end)
        if part.is_multipart:
            self.add_children(part, raw, body, depth)
        else:
            self.add_content(part, raw, body, depth, encoding_named(block.first("content-transfer-encoding")))
        return part

    def add_content(self, part: Part, raw: bytes, body: Span, depth: int, encoding: str | None) -> None:
        part.load = partial(_content, raw, body, encoding)
        part.size = body[1] - body[0] if encoding is None else len(part.load())
        if part.is_message:
            inner, span = (raw, body) if encoding is None else (part.load(), (0, part.size))
            self.add_message(part, inner, span, depth)

    def add_children(self, part: Part, raw: bytes, body: Span, depth: int) -> None:
        if depth >= MAX_DEPTH:
            self.defects.add("nested_too_deep")
            part.content_type, part.size = "application/octet-stream", body[1] - body[0]
            part.load = partial(_content, raw, body, None)
            return
        sections = _sections(raw, body, part.parameters.get("boundary", ""))
        if sections is None and raw[slice(*body)].strip():
            self.defects.add("structure_repaired")
            # Without any boundary this is no multipart: show its content as text rather than nothing.
            sections = _sections(raw, body, _lost_boundary(raw, body))
            if sections is None:
                load = partial(_content, raw, body, None)
                part.children.append(Part("text/plain", {}, None, None, None, size=body[1] - body[0], load=load))
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        for start, end in sections or ():
            if self.left <= 0:
                self.defects.add("too_many_parts")
                return
            part.children.append(self.part(read_headers(raw, start, end), raw, end, depth + 1, default))

    def add_message(self, part: Part, raw: bytes, body: Span, depth: int) -> None:
        if depth >= MAX_DEPTH:
            self.defects.add("nested_too_deep")
        elif self.left <= 0:
            self.defects.add("too_many_parts")
        else:
            block = read_headers(raw, *body)
            part.children.append(self.part(block, raw, body[1], depth + 1, "text/plain"))


def _content(raw: bytes, body: Span, encoding: str | None) -> bytes:
    content = raw[slice(*body)]
    return content if encoding is None else decode_transfer(content, encoding)


def _sections(raw: bytes, body: Span, boundary: str) -> list[Span] | None:
    """The spans between the boundary lines, or None when *boundary* is empty or does not occur."""
    if not boundary.strip():
        return None
    # The line break before a boundary belongs to it (RFC 2046, 5.1.1). There always is one: a header precedes the body.
    # A pattern that begins with fixed bytes is searched for at memory speed.
    line = re.compile(rb"\n--" + re.escape(boundary.rstrip().encode()) + rb"(--)?[ \t]*+\r?(?=\n|\Z)")
    sections: list[Span] = []
    opened = None
    for mark in line.finditer(raw, max(body[0] - 1, 0), body[1]):
        if opened is not None:
            sections.append((opened, max(opened, mark.start() - (raw[mark.start() - 1] == 0x0D))))
        opened = None if mark[1] else min(mark.end() + 1, body[1])
        if opened is None or len(sections) > MAX_PARTS:
            return sections
    return None if opened is None else [*sections, (opened, body[1])]


def _lost_boundary(raw: bytes, body: Span) -> str:
    found = _LOST_BOUNDARY.search(raw, body[0], min(body[1], body[0] + _LOST_WITHIN))
    return found[1].decode("ascii") if found else ""
