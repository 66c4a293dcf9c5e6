"""One secret of the operator, a key of its own for each purpose: what is signed for one fits no other."""

import hmac


def key_for(purpose: str, secret: str) -> bytes:
    """The 32 byte key for *purpose*, such as `session v1`, derived from the operator's *secret*."""
    return hmac.digest(secret.encode(), f"kaisoumail {purpose}".encode(), "sha256")
