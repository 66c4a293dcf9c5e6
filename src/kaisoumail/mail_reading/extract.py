"""What is read off a mail once, when it arrives, however many recipients it has."""

import threading
from typing import Final, Literal

import msgspec
import zstandard

from kaisoumail.model.code import Doubt, Link, Verification
from kaisoumail.model.message import digest_of
from kaisoumail.parsing.codes.find import FoundCode, decided
from kaisoumail.parsing.codes.links import find_link
from kaisoumail.parsing.mime import NO_SUBJECT, parse
from kaisoumail.parsing.preview import NO_PREVIEW, preview_of

_LEVEL: Final = 1
_mine: Final = threading.local()  # making a compressor costs more than a small mail does; sharing one is not allowed


class ExtractedFields(msgspec.Struct, frozen=True, array_like=True):
    """
    What lists show of a mail, its size and digest, and all of it as zstd (*compressed*).

    *doubts* is what may be the code where the rules found none.
    """

    size: int
    digest: bytes
    compressed: bytes
    subject: str
    preview: str
    from_name: str | None
    from_address: str | None
    attachment_count: int
    has_html: bool
    status: Literal["parsed", "failed"]
    verification: Verification | None = None
    link: Link | None = None
    doubts: tuple[Doubt, ...] = ()


def facts_of(raw: bytes) -> ExtractedFields:
    """The facts of *raw*. Never raises on bad mail."""
    parsed = parse(raw)
    decision = decided(parsed.subject, parsed.text, parsed.html)
    return ExtractedFields(
        size=len(raw),
        digest=digest_of(raw),
        compressed=_compressed(raw),
        subject=parsed.subject,
        preview=preview_of(parsed.text, parsed.html),
        from_name=parsed.from_name,
        from_address=parsed.from_address,
        attachment_count=len(parsed.attachments),
        has_html=bool(parsed.html),
        status=parsed.status,
        verification=None if decision.found is None else _verification(decision.found),
        link=find_link(parsed.subject, parsed.text, parsed.html),
        doubts=decision.doubts,
    )


def facts_of_unreadable(raw: bytes) -> ExtractedFields:
    """What can be said of a mail that no reader survived: it is kept, and its bytes are there."""
    return ExtractedFields(
        size=len(raw),
        digest=digest_of(raw),
        compressed=_compressed(raw),
        subject=NO_SUBJECT,
        preview=NO_PREVIEW,
        from_name=None,
        from_address=None,
        attachment_count=0,
        has_html=False,
        status="failed",
    )


def _compressed(raw: bytes) -> bytes:
    if not hasattr(_mine, "compressor"):
        _mine.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    compressed: bytes = _mine.compressor.compress(raw)
    return compressed


def _verification(found: FoundCode) -> Verification:
    return Verification(found.code, found.source, found.method, found.evidence, found.word or None, found.confidence)
