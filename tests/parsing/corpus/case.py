"""One mail and what is to be read from it."""

from dataclasses import dataclass
from typing import Any, Final

ANYTHING: Final = object()
NO_SUBJECT: Final = "(no subject)"


@dataclass(frozen=True, slots=True)
class File:
    """One attachment as the reader must list it; *content* is its decoded bytes."""

    filename: str | None
    content_type: str
    content: bytes
    disposition: str = "attachment"
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One mail and what is expected of it; *sender* is (name, address)."""

    name: str
    raw: bytes
    subject: Any = "s"
    sender: Any = (None, "a@b.co")
    text: Any = None
    html: Any = None
    files: Any = ()
    status: str = "parsed"
    defects: Any = ANYTHING


def mail(*lines: str | bytes, subject: str | None = "s", sender: str | None = "a@b.co") -> bytes:
    """A mail of *lines* (header fields, an empty one, the body) under a plain Subject and From."""
    head = [f"Subject: {subject}"] if subject is not None else []
    head += [f"From: {sender}"] if sender is not None else []
    return b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in (*head, *lines))


def parts(*sections: bytes, kind: str = "mixed", more: str = "") -> bytes:
    """A multipart of *sections*, each a header block, an empty line and a body."""
    body = b"".join(b"--b\r\n" + section + b"\r\n" for section in sections) + b"--b--\r\n"
    return mail(f"Content-Type: multipart/{kind}; boundary=b{more}", "", body)


def part(content_type: str | None, body: str | bytes, *fields: str) -> bytes:
    """One section for `parts`."""
    head = [f"Content-Type: {content_type}"] if content_type is not None else []
    raw = body.encode() if isinstance(body, str) else body
    return "".join(f"{line}\r\n" for line in (*head, *fields)).encode() + b"\r\n" + raw
