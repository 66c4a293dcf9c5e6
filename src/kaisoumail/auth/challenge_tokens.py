"""
The cookie of a passkey sign-in in progress: its challenge, its expiry, and a signature.

Any client may begin a sign-in as often as it likes, so nothing is stored until the client answers the challenge.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from kaisoumail.auth.purposes import key_for

# 32 bytes are 43 characters of base64 without the padding, which WebAuthn omits everywhere.
_TOKEN: Final = re.compile(r"([0-9]{1,11})\.([A-Za-z0-9_-]{43})\.([0-9a-f]{64})", re.ASCII)


def challenge_token(secret: str, challenge: bytes, until: datetime) -> str:
    """A token with *challenge*, 32 bytes, valid until *until*, in whole seconds."""
    text = f"{int(until.timestamp())}.{urlsafe_b64encode(challenge).rstrip(b'=').decode()}"
    return f"{text}.{_signature(secret, text)}"


def find_challenge(token: str, secrets: Sequence[str], now: datetime) -> bytes | None:
    """The challenge in *token*; None if it was signed with none of *secrets*, or if it has expired at *now*."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    signatures = [_signature(secret, f"{found[1]}.{found[2]}") for secret in secrets]
    if not any(hmac.compare_digest(signature, found[3]) for signature in signatures):
        return None
    until = datetime.fromtimestamp(int(found[1]), UTC)
    return None if until <= now else urlsafe_b64decode(found[2] + "=")


def _signature(secret: str, text: str) -> str:
    return hmac.new(key_for("passkey challenge v1", secret), text.encode(), "sha256").hexdigest()
