"""
The signature on a hand-over from the Email Worker (`POST /api/inbound`).

    HMAC-SHA256(secret, timestamp \\n envelope-from \\n envelope-to \\n sha256-hex(body))

with each header value as sent. The formula is promised in docs/reference/inbound.md.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from kaisoumail.errors import Problem
from kaisoumail.model.message import Envelope

MAX_AGE_SECONDS: Final = 300
_SIGNATURE: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedHandover:
    """The four headers of a hand-over, as sent."""

    envelope_from: str
    envelope_to: str
    timestamp: str
    signature: str


def sign(secret: str, timestamp: str, envelope_from: str, envelope_to: str, body: bytes) -> str:
    """The signature a Worker must send, 64 hex digits."""
    signed = "\n".join((timestamp, envelope_from, envelope_to, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), signed.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def must_be_plausible(handover: SignedHandover, now: datetime) -> None:
    """
    Look at what can be judged before the body is there, so that nobody without a signature sends one.

    Raises Problem `invalid_signature` as `envelope_of` does.
    """
    if not _SIGNATURE.fullmatch(handover.signature) or not _is_recent(handover.timestamp, now):
        raise _invalid()


def envelope_of(handover: SignedHandover, body: bytes, secret: str, now: datetime) -> Envelope:
    """
    The envelope that *handover* proves for *body*.

    Raises Problem `invalid_signature` when the signature is wrong or the timestamp is more than
    300 seconds away from *now*, without telling which.
    """
    expected = sign(secret, handover.timestamp, handover.envelope_from, handover.envelope_to, body)
    genuine = hmac.compare_digest(expected.encode(), handover.signature.lower().encode("utf-8", "replace"))
    if not genuine or not _is_recent(handover.timestamp, now):
        raise _invalid()
    return Envelope(unquote(handover.envelope_from), unquote(handover.envelope_to))


def _invalid() -> Problem:
    return Problem("invalid_signature", "Invalid signature")


def _is_recent(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(int(timestamp) - now.timestamp()) <= MAX_AGE_SECONDS
