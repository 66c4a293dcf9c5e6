"""The extract of a message: read once on arrival, for any number of recipients."""

import threading
from typing import Final, Literal

import msgspec
import zstandard

from kaisoumail.model.code import Link, UncertainCode, Verification
from kaisoumail.model.message import digest_of
from kaisoumail.parsing.codes.find import FoundCode, decide
from kaisoumail.parsing.codes.links import find_link
from kaisoumail.parsing.mime import NO_SUBJECT, parse
from kaisoumail.parsing.preview import NO_PREVIEW, preview_of

_LEVEL: Final = 1
_per_thread: Final = threading.local()  # a compressor costs more than a small message, and must not be shared


class ExtractedFields(msgspec.Struct, frozen=True, array_like=True):
    """
    The fields that lists show of a message, its *size* in bytes, its *digest*, and the whole message as zstd
    (*compressed*).

    *uncertain_codes* are possible codes when the rules found none.
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
    uncertain_codes: tuple[UncertainCode, ...] = ()


def extract(raw: bytes) -> ExtractedFields:
    """The extract of the message *raw*. Never raises on malformed messages."""
    parsed = parse(raw)
    decision = decide(parsed.subject, parsed.text, parsed.html)
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
        uncertain_codes=decision.uncertain_codes,
    )


def unreadable_fields(raw: bytes) -> ExtractedFields:
    """The extract of a message that could not be read: its bytes are stored, the other fields are placeholders."""
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
    if not hasattr(_per_thread, "compressor"):
        _per_thread.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    compressed: bytes = _per_thread.compressor.compress(raw)
    return compressed


def _verification(found: FoundCode) -> Verification:
    return Verification(found.code, found.source, found.method, found.evidence, found.word or None, found.confidence)
