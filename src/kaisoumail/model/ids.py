"""Identifiers: a prefix that says what it is, then 32 lower-case hex digits."""

from uuid import uuid4


def new_id(prefix: str) -> str:
    """A fresh identifier such as `mbx_0f9c…`. Prefixes in use: usr key psk ses dom sub mbx msg rcp att req."""
    return f"{prefix}_{uuid4().hex}"
