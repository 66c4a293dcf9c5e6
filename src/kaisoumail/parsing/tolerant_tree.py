"""
The MIME tree by our own reader, for mail that fast-mail-parser loses or would be slow on.

The standard library is not used here: its reader is quadratic in nesting and in header parameters.
This one looks at each byte once per level and stops at `MAX_DEPTH` levels.
"""

import binascii
import re
from typing import Final

from kaisoumail.parsing.headers import HeaderBlock, read_headers
from kaisoumail.parsing.parameters import with_parameters
from kaisoumail.parsing.part import MAX_PARTS, Part, Tree, content_type_or_default, wants_content
from kaisoumail.parsing.uuencode import without_files

MAX_DEPTH: Final = 16

_UUENCODE: Final = frozenset(("x-uuencode", "uuencode", "x-uue", "uue"))

# A boundary nobody declared: the first line that looks like one, near the start of the body.
_LOST_BOUNDARY: Final = re.compile(rb"(?:\A|\n)--([!-~]{1,70})[ \t]*\r?\n")
_LOST_WITHIN: Final = 8 * 1024
_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def tolerant_tree(block: HeaderBlock, body: bytes, *, keep_all: bool = False) -> Tree:
    """The tree of the mail with this header *block* and *body*; always one, with its defects named."""
    reader = _Reader(keep_all=keep_all)
    root = reader.part(block, body, depth=0, default="text/plain")
    return Tree(root, sorted(reader.defects))


class _Reader:
    def __init__(self, *, keep_all: bool) -> None:
        self.keep_all = keep_all
        self.left = MAX_PARTS
        self.defects: set[str] = set()

    def part(self, block: HeaderBlock, body: bytes, depth: int, default: str) -> Part:
        self.left -= 1
        said = block.first("content-type")
        bare, parameters = with_parameters(said or "")
        disposition, about_file = with_parameters(block.first("content-disposition") or "")
        part = Part(
            content_type=content_type_or_default(bare) if said else default,
            parameters=parameters,
            disposition=disposition or None,
            filename=about_file.get("filename") or parameters.get("name") or None,
            content_id=block.first("content-id"),
            declared=said is not None,
        )
        if part.is_multipart:
            self.add_children(part, body, depth)
        else:
            content = transfer_decoded(body, block.first("content-transfer-encoding") or "")
            part.size = len(content)
            part.content = content if self.keep_all or wants_content(part.content_type) else None
            if part.is_message:
                self.add_message(part, content, depth)
        return part

    def add_children(self, part: Part, body: bytes, depth: int) -> None:
        if depth >= MAX_DEPTH:
            self.defects.add("nested_too_deep")
            part.content_type, part.size = "application/octet-stream", len(body)
            return
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        sections = _sections(body, part.parameters.get("boundary", ""))
        if sections is None:
            if not body.strip():
                return
            self.defects.add("structure_repaired")
            sections = _sections(body, _lost_boundary(body))
        if sections is None:
            # Not a multipart at all, then: show what is there rather than nothing.
            part.children.append(Part("text/plain", {}, None, None, None, size=len(body), content=body))
            return
        for section in sections:
            if self.left <= 0:
                self.defects.add("too_many_parts")
                return
            block = read_headers(section)
            part.children.append(self.part(block, section[block.body_start :], depth + 1, default))

    def add_message(self, part: Part, content: bytes, depth: int) -> None:
        if depth >= MAX_DEPTH:
            self.defects.add("nested_too_deep")
            return
        if self.left > 0:
            block = read_headers(content)
            part.children.append(self.part(block, content[block.body_start :], depth + 1, "text/plain"))


def transfer_decoded(body: bytes, encoding: str) -> bytes:
    """*body* without its transfer encoding; broken encodings give what can be had of them."""
    name = encoding.split("(", 1)[0].strip(" \t;\"'").lower()
    if name == "quoted-printable":
        return binascii.a2b_qp(body)
    if name == "base64":
        letters = body.translate(None, _NOT_BASE64)
        if len(letters) % 4 == 1:
            letters = letters[:-1]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    if name in _UUENCODE:
        files = without_files(body.decode("latin-1").replace("\r\n", "\n"))[1]
        return files[0].content if files else body
    return body


def _sections(body: bytes, boundary: str) -> list[bytes] | None:
    """The bytes between the boundary lines, or None when *boundary* is empty or nowhere to be found."""
    marks = _marks(body, b"--" + boundary.rstrip().encode("utf-8")) if boundary.strip() else []
    if not marks:
        return None
    sections = []
    for index, (_start, end, closes) in enumerate(marks):
        if closes:
            break
        until = marks[index + 1][0] if index + 1 < len(marks) else len(body)
        sections.append(body[end:until])
    return sections


def _lost_boundary(body: bytes) -> str:
    found = _LOST_BOUNDARY.search(body[:_LOST_WITHIN])
    return found[1].decode("ascii") if found else ""


def _marks(body: bytes, delimiter: bytes) -> list[tuple[int, int, bool]]:
    """Where each boundary line starts (with the line break before it) and ends, and whether it is the last."""
    marks: list[tuple[int, int, bool]] = []
    position = body.find(delimiter)
    while position != -1 and len(marks) <= MAX_PARTS:
        after = position + len(delimiter)
        if position == 0 or body[position - 1] == 0x0A:
            line_end = body.find(b"\n", after)
            end = len(body) if line_end == -1 else line_end + 1
            rest = body[after:end][:80].strip()
            if rest in (b"", b"--"):
                start = position - 1 if position else 0
                start -= 1 if start > 0 and body[start - 1] == 0x0D else 0
                marks.append((max(start, marks[-1][1] if marks else 0), end, rest == b"--"))
                after = end
        position = body.find(delimiter, after)
    return marks
