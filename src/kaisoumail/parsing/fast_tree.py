"""The MIME tree by fast-mail-parser: quick on ordinary mail, not asked where it is known to be slow or wrong."""

from typing import Final

from fast_mail_parser import ParseError, PyLazyMimePart, parse_email_tree

from kaisoumail.parsing.parameters import with_parameters
from kaisoumail.parsing.part import MAX_PARTS, Part, Tree, content_type_or_default, wants_content

# Measured with 0.10.0 (2026-11): time grows with the square of the encoded-words in one part's header
# (2,000 of them 6 ms, 8,000 broken ones 280 ms), and a message in a message is copied once per level
# (200 levels around 1 MB: 560 ms and 200 MB).
_MAX_ENCODED_WORDS: Final = 2000
_MAX_NESTED_MESSAGES: Final = 8
_MAX_BYTES_AROUND_MESSAGES: Final = 256 * 1024
_ENCODINGS: Final = frozenset(("7bit", "8bit", "binary", "base64", "quoted-printable"))


class _Distrusted(Exception):
    """What came back cannot be all there is."""


def fast_tree(content_headers: bytes, body: bytes, *, keep_all: bool = False) -> Tree | None:
    """
    The tree of a mail with these MIME header fields and this *body*, or None if `tolerant_tree` must read it.

    None is the answer for input that would be expensive, and wherever the library is known to lose
    something: undecodable parts, multiparts whose boundary is missing, parts without an empty line.
    """
    if _is_expensive(body):
        return None
    try:
        root = parse_email_tree(content_headers + b"\r\n" + body, mode="lazy")
        reader = _Reader(keep_all=keep_all)
        part = reader.part(root, is_root=True)
        if reader.is_empty and body.strip():
            return None
    except (ParseError, _Distrusted):
        return None
    return Tree(part, ["too_many_parts"] if reader.left == 0 else [])


def _is_expensive(body: bytes) -> bool:
    if body.count(b"=?") > _MAX_ENCODED_WORDS:
        return True
    lowered = body.lower()
    messages = lowered.count(b"message/rfc822") + lowered.count(b"multipart/digest")
    return messages > _MAX_NESTED_MESSAGES or (messages > 0 and len(body) > _MAX_BYTES_AROUND_MESSAGES)


class _Reader:
    def __init__(self, *, keep_all: bool) -> None:
        self.keep_all = keep_all
        self.left = MAX_PARTS
        self.is_empty = True

    def part(self, node: PyLazyMimePart, *, is_root: bool = False) -> Part:
        self.left -= 1
        headers = {name.lower(): values[0] for name, values in node.headers.items()}
        if headers.get("content-transfer-encoding", "7bit").strip().lower() not in _ENCODINGS:
            raise _Distrusted
        # Types and names are read by us: the library (0.10.0) breaks quoted names and pieces of RFC 2231.
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
                raise _Distrusted
        else:
            content = node.content or b""
            if not content and not headers and not is_root:
                raise _Distrusted
            self.is_empty = self.is_empty and not content
            part.size = len(content)
            part.content = content if self.keep_all or wants_content(part.content_type) else None
        for child in node.children:
            if self.left == 0:
                break
            part.children.append(self.part(child))
        return part
