"""API keys: `cfm_` and 24 random bytes. Only a hash is stored; with 24 random bytes it needs no salt."""

import hashlib
import secrets
from typing import Final

PREFIX_LENGTH: Final = 12


def new_secret() -> str:
    """A new key of 36 characters, to be shown once."""
    return "cfm_" + secrets.token_urlsafe(24)


def hash_of(secret: str) -> str:
    """The hash that is stored and looked up: SHA-256 of the whole secret, 64 hex digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def prefix_of(secret: str) -> str:
    """The first twelve characters, by which users recognise a key."""
    return secret[:PREFIX_LENGTH]
