"""A MIME tree to the two bodies a reader wants and the list of everything else."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

from kaisoumail.parsing.charsets import decoded, without_unstorable
from kaisoumail.parsing.encoded_words import words_decoded
from kaisoumail.parsing.headers import read_headers
from kaisoumail.parsing.html_text import text_of
from kaisoumail.parsing.parsed_message import Attachment, Disposition
from kaisoumail.parsing.part import Part

_SHOWN_HEADERS = ("from", "to", "cc", "date", "subject")
# With one of these in the mail, messages in it are evidence, not content (a bounce quotes what bounced).
_REPORTS = ("message/delivery-status", "message/feedback-report")


@dataclass(slots=True)
class Bodies:
    """What a tree holds: *text* and *html* are None when the mail has no such body."""

    text: str | None
    html: str | None
    attachments: tuple[Attachment, ...]


@dataclass(slots=True)
class _Section:
    """Texts that say the same thing: the members of one multipart/alternative, or a single part."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)


def bodies_of(root: Part) -> Bodies:
    """
    The bodies and attachments of a mail, as the contract (4.1) describes them.

    Members of one multipart/alternative are one section. When a mail has both kinds of text, a section
    that lacks one is rendered into it, so that neither body is missing a piece; HTML-only mail has no
    text. A message in the mail is shown in place under a short header unless it is attached.
    """
    reader = _Reader(messages_are_files=any(_holds_report(part) for part in _walk(root)))
    reader.read(root, None)
    sections = [section for section in reader.sections if section.plain or section.html]
    has_text = any(section.plain for section in sections)
    has_html = any(section.html for section in sections)
    text = "\n".join(_as_text(section) for section in sections) if has_text else ""
    html = "\n".join(_as_html(section) for section in sections) if has_html else ""
    return Bodies(text or None, html or None, tuple(reader.attachments))


class _Reader:
    def __init__(self, messages_are_files: bool) -> None:
        self.messages_are_files = messages_are_files
        self.sections: list[_Section] = []
        self.attachments: list[Attachment] = []

    def read(self, part: Part, section: _Section | None) -> None:
        attached = part.disposition == "attachment"
        if part.is_message and not attached and not self.messages_are_files and part.children:
            self.new_section().plain.append(_header_lines(part.content or b""))
            self.read(part.children[0], None)
        elif part.children:
            if section is None and part.content_type in ("multipart/alternative", "multipart/related"):
                section = self.new_section()
            if part.is_message:
                self.attachments.append(_attachment(part))
                return
            for child in part.children:
                self.read(child, section)
        elif part.content_type == "text/plain" and not attached:
            (section or self.new_section()).plain.append(_plain_text(part))
        elif part.content_type == "text/html" and not attached:
            (section or self.new_section()).html.append(_lines(_decoded(part)))
        elif not part.is_multipart:
            self.attachments.append(_attachment(part))

    def new_section(self) -> _Section:
        self.sections.append(_Section())
        return self.sections[-1]


def _walk(part: Part) -> Iterable[Part]:
    waiting = [part]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(part.children)


def _holds_report(part: Part) -> bool:
    return part.content_type in _REPORTS


def _as_text(section: _Section) -> str:
    return "\n".join(section.plain or [text_of(html) for html in section.html])


def _as_html(section: _Section) -> str:
    if section.html:
        return "\n".join(section.html)
    return "\n".join(f"<div>{_with_line_breaks(text)}</div>" for text in section.plain)


def _with_line_breaks(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")


def _decoded(part: Part) -> str:
    return decoded(part.content or b"", part.parameters.get("charset"), is_html=part.content_type == "text/html")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain_text(part: Part) -> str:
    text = _lines(_decoded(part))
    if part.parameters.get("format", "").lower() == "flowed":
        return _unflowed(text, drop_space=part.parameters.get("delsp", "").lower() == "yes")
    return text


def _unflowed(text: str, *, drop_space: bool) -> str:
    """*text* with its soft line breaks undone (RFC 3676): a line that ends in a space goes on in the next."""
    paragraphs: list[list[str]] = []
    depth_before, open_before = -1, False
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        is_signature = content == "-- "
        if open_before and depth == depth_before and not is_signature:
            paragraphs[-1].append(content)
        else:
            paragraphs.append([">" * depth + " " if depth else "", content])
        depth_before, open_before = depth, content.endswith(" ") and not is_signature
        if open_before and drop_space:
            paragraphs[-1][-1] = content[:-1]
    return "\n".join("".join(pieces) for pieces in paragraphs)


def _header_lines(message: bytes) -> str:
    block = read_headers(message)
    shown = [(key, block.first(key)) for key in _SHOWN_HEADERS]
    lines = [f"{key.capitalize()}: {words_decoded(value[:2000])}" for key, value in shown if value]
    return "\n".join([*lines, ""])


def _attachment(part: Part) -> Attachment:
    is_default = not part.declared and part.content_type == "text/plain"
    return Attachment(
        filename=_short(part.filename, 255),
        content_type="application/octet-stream" if is_default else part.content_type,
        size_bytes=part.size,
        content_id=_short(part.content_id, 998),
        disposition=_disposition(part.disposition or ""),
    )


def _disposition(said: str) -> Disposition:
    if "inline" in said:
        return "inline"
    return "attachment" if "attachment" in said else "unknown"


def _short(value: str | None, limit: int) -> str | None:
    return " ".join(without_unstorable(value).split())[:limit] or None if value else None
