"""Passkeys, and the challenges that prove that a browser's response is fresh."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from kaisoumail.errors import InvalidValue

CHALLENGE_LIFETIME: Final = timedelta(minutes=5)
MAX_NAME: Final = 64

Ceremony = Literal["registration", "authentication"]


@dataclass(frozen=True, slots=True)
class Passkey:
    """
    A WebAuthn credential as stored: never the private key, which stays with its owner.

    *credential_id* is base64url, *public_key* is COSE, *counter* the authenticator's own count of
    signatures (0 from those that do not count).
    """

    id: str
    user_id: str
    name: str
    credential_id: str
    public_key: bytes
    counter: int
    device_type: str
    backed_up: bool
    transports: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None


@dataclass(frozen=True, slots=True)
class Challenge:
    """
    What a browser must sign; valid for one response.

    *id* is the keyed hash of the cookie for a registration, the hex digits of *challenge* for a sign-in. A registration
    is bound to the user who started it, *user_id*, and carries the *name* they chose for the passkey.
    """

    id: str
    ceremony: Ceremony
    challenge: bytes
    user_id: str | None = None
    name: str | None = None


def passkey_name(text: str) -> str:
    """*text* trimmed, as the name of a passkey: 1 to 64 characters on one line. Raises InvalidValue."""
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME or any(unicodedata.category(each) in ("Cc", "Cs") for each in name):
        raise InvalidValue("passkey name", f"Expected 1 to {MAX_NAME} characters on one line")
    return name
