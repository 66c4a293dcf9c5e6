"""The MIME tree by fast-mail-parser: fast on ordinary messages, not used where it is known to be slow or wrong."""

import re
from functools import partial
from typing import Final

from fast_mail_parser import ParseError, PyLazyMimePart, parse_email_tree

from kaisoumail.parsing.parameters import with_parameters
from kaisoumail.parsing.part import MAX_PARTS, Part, Tree, content_type_or_default

# Measured with 0.10.0 (2026-11): time grows with the square of the encoded-words in one part's header
# (2,000 of them 6 ms, 8,000 broken ones 280 ms); a message in a message is copied once per level
# (200 levels around 1 MB: 560 ms and 200 MB); it makes a part even where a boundary is not on a line of its own
# (5,000,000 of them 9 s).
# Worst: it recurses once per level of multipart before it checks the depth, and a message of 1.3 MB with 10,000
# to 20,000 levels crashes the process. An encoded-word can hide a multipart.
_MAX_ENCODED_WORDS: Final = 500
_MAX_MULTIPARTS: Final = 32
_MAX_DASHES: Final = 10_000
_MAX_NESTED_MESSAGES: Final = 8
_MAX_BYTES_AROUND_MESSAGES: Final = 256 * 1024
_ENCODINGS: Final = frozenset(("7bit", "8bit", "binary", "base64", "quoted-printable"))
# A message that is a single text has no parts in its body: only its own fields, which come first, can be expensive.
_ONE_TEXT: Final = re.compile(
    rb"(?:content-type: text/(?:plain|html)[ \t]*[;\r]|(?!content-type:))(?!.*=\?)", re.DOTALL
)
_LIKELY_NEEDED: Final = frozenset(("text/plain", "text/html"))


class _NeedsTolerantReader(Exception):
    """The library's result is incomplete."""


def fast_tree(content_headers: bytes, raw: bytes, body_start: int) -> Tree | None:
    """
    The tree of a message, or None if `tolerant_tree` must read it.

    *content_headers* are its MIME header fields; its body starts at *body_start* of *raw*. Returns None for input that
    would be expensive, and where the library is known to lose content: undecodable parts, multiparts whose boundary is
    missing, parts without an empty line.
    """
    message = b"".join((content_headers, b"\r\n", memoryview(raw)[body_start:]))
    if not _ONE_TEXT.match(content_headers) and _is_expensive(message):
        return None
    try:
        root = parse_email_tree(message, mode="lazy")
        reader = _Reader()
        part = reader.part(root, is_root=True)
        if reader.is_empty and raw[body_start:].strip():
            return None
    except (ParseError, _NeedsTolerantReader):
        return None
    return Tree(part, ["too_many_parts"] if reader.is_cut else [])


def _is_expensive(message: bytes) -> bool:
    if message.count(b"=?") > _MAX_ENCODED_WORDS or message.count(b"--") > _MAX_DASHES:
        return True
    lowered = message.lower()
    if lowered.count(b"multipart") > _MAX_MULTIPARTS:
        return True
    messages = lowered.count(b"message/rfc822") + lowered.count(b"multipart/digest")
    return messages > _MAX_NESTED_MESSAGES or (messages > 0 and len(message) > _MAX_BYTES_AROUND_MESSAGES)


class _Reader:
    def __init__(self) -> None:
        self.left = MAX_PARTS
        self.is_empty = True
        self.is_cut = False

    def part(self, node: PyLazyMimePart, *, is_root: bool = False) -> Part:
        self.left -= 1
        headers = {name.lower(): values[0] for name, values in node.headers.items()}
        if headers.get("content-transfer-encoding", "7bit").strip().lower() not in _ENCODINGS:
            raise _NeedsTolerantReader
        # We parse types and names ourselves: the library (0.10.0) breaks quoted names and RFC 2231 continuations.
        parameters = with_parameters(headers.get("content-type", ""))[1]
        disposition, about_file = with_parameters(headers.get("content-disposition", ""))
        part = Part(
            content_type=content_type_or_default(node.content_type),
            parameters=parameters,
            disposition=disposition or None,
            filename=about_file.get("filename") or parameters.get("name") or None,
            content_id=headers.get("content-id"),
            declared="content-type" in headers,
        )
        if part.is_multipart:
            if not node.children:
                raise _NeedsTolerantReader
        else:
            content = _content(node)
            if not content and not headers and not is_root:
                raise _NeedsTolerantReader
            self.is_empty = self.is_empty and not content
            part.size = len(content)
            part.load = partial(bytes, content) if part.content_type in _LIKELY_NEEDED else partial(_content, node)
        for child in node.children:
            if self.left == 0:
                self.is_cut = True
                break
            part.children.append(self.part(child))
        return part


def _content(node: PyLazyMimePart) -> bytes:
    return node.content or b""
