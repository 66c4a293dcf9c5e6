"""
The limit of file descriptors, and how many connections each listener may hold within it.

A process without free descriptors cannot accept connections, open its database or start a reader. So the limit is
raised at startup as far as the system allows, and the listeners share what our own use leaves.
"""

import resource
from dataclasses import dataclass
from typing import Final

_TARGET: Final = 65_536
_OWN_USE: Final = 160  # databases, PostgreSQL, Cloudflare, readers' pipes, blobs being written, log
_BEING_REFUSED: Final = 64  # connections over the limit, until the refusal is sent
_LEAST: Final = 16
LEAST_DESCRIPTORS: Final = 256
"""With fewer no process of ours is useful: it could open its databases, but serve no connections."""


@dataclass(frozen=True, slots=True)
class ConnectionShares:
    """How many connections the listeners may hold; *is_cut* when that is fewer than configured."""

    http: int
    smtp: int
    is_cut: bool


def raise_descriptor_limit() -> int:
    """
    Raise the soft limit of this process to 65,536, or to its hard limit if that is lower; a higher one stays.

    Returns the limit in effect; an unlimited one counts as 65,536.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _TARGET if hard == resource.RLIM_INFINITY else min(hard, _TARGET)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return _TARGET if soft == resource.RLIM_INFINITY else soft


def connection_shares(descriptors: int, http: int, smtp: int) -> ConnectionShares:
    """
    The *http* and *smtp* connections as configured, or reduced to what fits into *descriptors*.

    If they do not fit, they are reduced in proportion, but neither below a third of what fits: SMTP always has its
    own connections.
    """
    available = max(descriptors - _OWN_USE - _BEING_REFUSED, 3 * _LEAST)
    if http + smtp <= available:
        return ConnectionShares(http, smtp, is_cut=False)
    for_smtp = round(available * smtp / (http + smtp))
    for_smtp = min(smtp, max(for_smtp, available // 3), available - min(http, available // 3))
    return ConnectionShares(min(http, available - for_smtp), for_smtp, is_cut=True)
