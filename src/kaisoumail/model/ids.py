"""Identifiers: a prefix that says what it is, then 32 lower-case hex digits that grow with time."""

import os
import time
from typing import Final

_RANDOM_BYTES: Final = 10


def new_id(prefix: str) -> str:
    """
    A fresh identifier such as `mbx_019ac3…`. Prefixes in use: usr key psk ses dom sub mbx msg rcp att req.

    Like a UUID of version 7 (RFC 9562, 5.7) it begins with the millisecond: what is stored together lies together
    in every index, so that keeping a mail costs the same in a large store as in a small one. The other 80 bits are
    random: it cannot be guessed, and need not be, since knowing an id permits nothing.
    """
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{os.urandom(_RANDOM_BYTES).hex()}"
