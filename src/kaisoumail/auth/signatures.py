"""
The two proofs on a hand-over from the Email Worker (`POST /api/inbound`), both with the secret it shares with us.

    signature  HMAC-SHA256(secret, timestamp \\n envelope-from \\n envelope-to \\n sha256-hex(body))
    ticket     length:HMAC-SHA256(secret, "ticket" \\n timestamp \\n envelope-from \\n envelope-to \\n length)

with each header value as sent. The signature proves the message. The ticket can be checked before the body arrives, and
proves only that a holder of the secret wants to hand over this many bytes; its first word keeps one from being valid as
the other. The formulas are specified in docs/reference/inbound.md.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from urllib.parse import unquote

from kaisoumail.errors import Problem
from kaisoumail.model.message import Envelope

MAX_AGE_SECONDS: Final = 300
_SIGNATURE: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_TICKET: Final = re.compile(r"(0|[1-9][0-9]{0,11}):([0-9a-fA-F]{64})", re.ASCII)

Fault = Literal["ticket", "time", "signature", "length"]


@dataclass(frozen=True, slots=True)
class SignedHandover:
    """The headers of a hand-over, as sent; *ticket* is None from an older Worker that sends none."""

    envelope_from: str
    envelope_to: str
    timestamp: str
    signature: str
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A verified ticket: its *value*, and the *length* in bytes of the body it is for."""

    value: str
    length: int


class InvalidSignature(Problem):
    """The Problem `invalid_signature`; *fault* is the cause, for the log and not for the client."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("invalid_signature", "Invalid signature")
        self.fault: Fault = fault


def sign(secret: str, timestamp: str, envelope_from: str, envelope_to: str, body: bytes) -> str:
    """The signature a Worker must send, 64 hex digits."""
    return _hmac(secret, timestamp, envelope_from, envelope_to, hashlib.sha256(body).hexdigest())


def ticket_for(secret: str, timestamp: str, envelope_from: str, envelope_to: str, length: int) -> str:
    """The ticket for a body of *length* bytes: the length, a colon, 64 hex digits."""
    return f"{length}:{_hmac(secret, 'ticket', timestamp, envelope_from, envelope_to, str(length))}"


def checked_ticket(handover: SignedHandover, secret: str, now: datetime) -> Ticket | None:
    """
    The ticket of *handover*, None without one, after all checks that are possible before the body arrives.

    Raises InvalidSignature for a wrong ticket, a timestamp more than 300 seconds away from *now*, or a malformed
    signature. The ticket is checked first: so a wrong time with a correct ticket is distinguishable from a forgery.
    """
    checked = None if handover.ticket is None else _verified_ticket(handover, handover.ticket, secret)
    if not _is_recent(handover.timestamp, now):
        raise InvalidSignature("time")
    if not _SIGNATURE.fullmatch(handover.signature):
        raise InvalidSignature("signature")
    return checked


def verified_envelope(handover: SignedHandover, body: bytes, secret: str, now: datetime) -> Envelope:
    """
    The envelope that *handover* proves for *body*.

    Raises InvalidSignature when the signature is wrong or the timestamp is more than 300 seconds away from *now*;
    the client does not learn which.
    """
    expected = sign(secret, handover.timestamp, handover.envelope_from, handover.envelope_to, body)
    if not hmac.compare_digest(expected.encode(), handover.signature.lower().encode("utf-8", "replace")):
        raise InvalidSignature("signature")
    if not _is_recent(handover.timestamp, now):
        raise InvalidSignature("time")
    return Envelope(unquote(handover.envelope_from), unquote(handover.envelope_to))


def _verified_ticket(handover: SignedHandover, value: str, secret: str) -> Ticket:
    parts = _TICKET.fullmatch(value)
    if parts is None:
        raise InvalidSignature("ticket")
    length = int(parts[1])
    expected = ticket_for(secret, handover.timestamp, handover.envelope_from, handover.envelope_to, length)
    if not hmac.compare_digest(expected.encode(), value.lower().encode()):
        raise InvalidSignature("ticket")
    return Ticket(expected, length)


def _hmac(secret: str, *lines: str) -> str:
    return hmac.digest(secret.encode(), "\n".join(lines).encode("utf-8", "surrogateescape"), "sha256").hex()


def _is_recent(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(int(timestamp) - now.timestamp()) <= MAX_AGE_SECONDS
