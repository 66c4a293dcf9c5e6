"""The text and HTML body of a MIME tree, and the list of its other parts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from html import escape
from io import StringIO
from typing import Final

from kaisoumail.parsing.charsets import decode
from kaisoumail.parsing.encoded_words import decode_words
from kaisoumail.parsing.headers import read_headers
from kaisoumail.parsing.html_text import text_of
from kaisoumail.parsing.part import Part
from kaisoumail.parsing.uuencode import without_files

# More than anyone reads. Joining holds the text several times in memory, at up to four bytes a character.
MAX_TEXT_BYTES: Final = 4 * 1024 * 1024
MAX_RENDERED: Final = 512 * 1024

_SHOWN_HEADERS = ("from", "to", "cc", "date", "subject")
# In a message with one of these, enclosed messages are attachments, not content (a bounce quotes the bounced message).
_REPORTS = ("message/delivery-status", "message/feedback-report")


@dataclass(slots=True)
class Bodies:
    """
    *text* and *html* are None when the message has no such body; *files* are all parts that are no body. *cut* is
    whether the bodies were cut at the limits.
    """

    text: str | None
    html: str | None
    files: tuple[Part, ...]
    cut: bool = False


@dataclass(slots=True)
class _Section:
    """Texts of equal meaning: the members of one multipart/alternative, or a single part."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)


def bodies_of(root: Part) -> Bodies:
    """
    The bodies and files of a message, as the contract (4.1) describes them.

    Members of one multipart/alternative are one section. When a message has both kinds of text, a section
    that lacks one is rendered from the other, so that both bodies are complete; an HTML-only message has no
    text. An enclosed message is shown in place under a short header unless it is attached. Uuencoded files
    in a text come after the others. At most 4 MiB of all texts together are read.
    """
    reader = _Reader(messages_are_files=any(_holds_report(part) for part in _walk(root)))
    reader.read(root, None)
    sections = [section for section in reader.sections if section.plain or section.html]
    has_text = any(section.plain for section in sections)
    has_html = any(section.html for section in sections)
    renderer = _Renderer()
    text = "\n".join(renderer.text(section) for section in sections) if has_text else ""
    html = "\n".join(renderer.html(section) for section in sections) if has_html else ""
    files = (*reader.files, *reader.files_in_text)
    return Bodies(text or None, html or None, files, reader.is_cut or renderer.is_cut)


class _Reader:
    def __init__(self, messages_are_files: bool) -> None:
        self.messages_are_files = messages_are_files
        self.sections: list[_Section] = []
        self.files: list[Part] = []
        self.files_in_text: list[Part] = []
        self.left = MAX_TEXT_BYTES
        self.is_cut = False

    def read(self, part: Part, section: _Section | None) -> None:
        is_attached = part.disposition == "attachment"
        if part.is_message and not is_attached and not self.messages_are_files and part.children:
            self.new_section().plain.append(_header_lines(part.load()))
            self.read(part.children[0], None)
        elif part.children:
            if section is None and part.content_type in ("multipart/alternative", "multipart/related"):
                section = self.new_section()
            if part.is_message:
                self.files.append(part)
                return
            for child in part.children:
                self.read(child, section)
        elif part.content_type == "text/plain" and not is_attached:
            text = self.plain_text(part)
            if text is not None:
                (section or self.new_section()).plain.append(text)
        elif part.content_type == "text/html" and not is_attached:
            (section or self.new_section()).html.append(self.lines_of(part))
        elif not part.is_multipart:
            self.files.append(part)

    def plain_text(self, part: Part) -> str | None:
        """The text of *part* without uuencoded files; None when it consists of such files only."""
        text, files = without_files(self.lines_of(part))
        self.files_in_text += [
            Part(
                "application/octet-stream",
                {},
                "attachment",
                name,
                None,
                size=len(content),
                load=partial(bytes, content),
            )
            for name, content in files
        ]
        if files and not text.strip():
            return None
        if part.parameters.get("format", "").lower() == "flowed":
            return _unwrap_flowed(text, drop_space=part.parameters.get("delsp", "").lower() == "yes")
        return text

    def lines_of(self, part: Part) -> str:
        content = part.load()
        if len(content) > self.left:
            content = _truncate(content, self.left)
            self.left = 0
            self.is_cut = True
        else:
            self.left -= len(content)
        text = decode(content, part.parameters.get("charset"), is_html=part.content_type == "text/html")
        return StringIO(text, newline=None).getvalue() if "\r" in text else text  # every line ends in "\n"

    def new_section(self) -> _Section:
        self.sections.append(_Section())
        return self.sections[-1]


def _walk(part: Part) -> Iterable[Part]:
    pending = [part]
    while pending:
        part = pending.pop()
        yield part
        pending.extend(part.children)


def _truncate(content: bytes, limit: int) -> bytes:
    """The first *limit* bytes of *content*, or a few less: half a character would make the rest look undecodable."""
    cut = content[:limit]
    return cut[:-4] + bytes(byte for byte in cut[-4:] if byte < 0x80)


def _holds_report(part: Part) -> bool:
    return part.content_type in _REPORTS


class _Renderer:
    """Renders text as HTML and HTML as text, at most `MAX_RENDERED` characters: each takes several times its size."""

    def __init__(self) -> None:
        self.left = MAX_RENDERED
        self.is_cut = False

    def text(self, section: _Section) -> str:
        return "\n".join(section.plain or [text_of(self._cut_to_limit(html)) for html in section.html])

    def html(self, section: _Section) -> str:
        return "\n".join(
            section.html or [f"<div>{_with_line_breaks(self._cut_to_limit(text))}</div>" for text in section.plain]
        )

    def _cut_to_limit(self, source: str) -> str:
        part = source[: self.left]
        self.left -= len(part)
        self.is_cut = self.is_cut or len(part) < len(source)
        return part


def _with_line_breaks(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")


def _unwrap_flowed(text: str, *, drop_space: bool) -> str:
    """*text* without its soft line breaks (RFC 3676): a line that ends in a space continues on the next."""
    written = StringIO()
    depth_before, open_before = -1, False
    for line in StringIO(text):
        whole = line.removesuffix("\n")
        content = whole.lstrip(">")
        depth = len(whole) - len(content)
        content = content.removeprefix(" ")
        is_signature = content == "-- "
        if not (open_before and depth == depth_before and not is_signature):
            written.write("\n" if depth_before >= 0 else "")
            written.write(">" * depth + " " if depth else "")
        depth_before, open_before = depth, content.endswith(" ") and not is_signature
        written.write(content[:-1] if open_before and drop_space else content)
    return written.getvalue() + ("\n" if text.endswith("\n") else "")


def _header_lines(message: bytes) -> str:
    block = read_headers(message)
    shown = [(key, block.first(key)) for key in _SHOWN_HEADERS]
    lines = [f"{key.capitalize()}: {decode_words(value[:2000])}" for key, value in shown if value]
    return "\n".join([*lines, ""])
