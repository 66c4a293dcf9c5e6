"""
How many file descriptors there are, and how many connections each listener may therefore hold.

A process that has none left cannot accept, open its database or start a reader. So the limit is raised as far as the
system allows at the start, and the listeners share what is left after our own use.
"""

import resource
from dataclasses import dataclass
from typing import Final

_WANTED: Final = 65_536
_OWN_USE: Final = 160  # databases, PostgreSQL, Cloudflare, readers' pipes, blobs being written, log
_TOLD_ONLY: Final = 64  # connections that are over the limit, until they have heard so
_LEAST: Final = 16
LEAST_DESCRIPTORS: Final = 256
"""With fewer no process of ours works: it could open its databases, but serve nobody."""


@dataclass(frozen=True, slots=True)
class ConnectionShares:
    """How many connections the listeners may hold, and whether that is less than they were given."""

    http: int
    smtp: int
    is_cut: bool


def raise_descriptor_limit() -> int:
    """Raise this process's soft limit to 65,536, or to its hard limit if that is lower; the limit that holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return _WANTED if soft == resource.RLIM_INFINITY else soft


def connection_shares(descriptors: int, http: int, smtp: int) -> ConnectionShares:
    """
    What *http* and *smtp* connections that were asked for become with so many *descriptors*.

    Where they do not fit each has the share it had of both, but never less than a third: mail keeps its own.
    """
    available = max(descriptors - _OWN_USE - _TOLD_ONLY, 3 * _LEAST)
    if http + smtp <= available:
        return ConnectionShares(http, smtp, is_cut=False)
    for_smtp = round(available * smtp / (http + smtp))
    for_smtp = min(smtp, max(for_smtp, available // 3), available - min(http, available // 3))
    return ConnectionShares(min(http, available - for_smtp), for_smtp, is_cut=True)
