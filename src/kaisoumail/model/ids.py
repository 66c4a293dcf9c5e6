"""Identifiers: a prefix for the kind, then 32 lower-case hex digits that grow with time."""

import os
import time
from typing import Final

_RANDOM_BYTES: Final = 10


def new_id(prefix: str) -> str:
    """
    A fresh identifier such as `mbx_019ac3…`. Prefixes in use: usr key psk ses dom sub mbx msg rej evt run req;
    parts of a message (`part_id`) use rcp and att.

    Like a UUID of version 7 (RFC 9562, 5.7) it begins with the millisecond: rows stored together lie together in
    every index, so that storing a message costs the same in a large database as in a small one. The other 80 bits are
    random: an id cannot be guessed. Security does not depend on that, since knowing an id permits nothing.
    """
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{os.urandom(_RANDOM_BYTES).hex()}"
