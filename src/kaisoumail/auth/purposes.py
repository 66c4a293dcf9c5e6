"""Derives a key for each purpose from the operator's secret: a signature for one purpose is invalid for all others."""

import hmac


def key_for(purpose: str, secret: str) -> bytes:
    """The 32 byte key for *purpose*, such as `session v1`, derived from the operator's *secret*."""
    return hmac.digest(secret.encode(), f"kaisoumail {purpose}".encode(), "sha256")
