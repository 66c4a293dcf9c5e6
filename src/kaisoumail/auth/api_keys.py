"""API keys: `cfm_` and 24 random bytes. Only a hash is kept; the random part makes a salt needless."""

import hashlib
import secrets
from typing import Final

PREFIX_LENGTH: Final = 12


def new_secret() -> str:
    """A fresh key of 36 characters, to be shown once."""
    return "cfm_" + secrets.token_urlsafe(24)


def hash_of(secret: str) -> str:
    """What is stored and looked up: SHA-256 of the whole secret, 64 hex digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def prefix_of(secret: str) -> str:
    """The first twelve characters, by which people recognise a key."""
    return secret[:PREFIX_LENGTH]
