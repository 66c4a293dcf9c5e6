"""
The relying party of our passkeys: its RP ID, and the origins where they may be used.

Web Authentication Level 3, "RP ID": a passkey belongs to a domain that is no public suffix; every origin that uses the
passkey is this domain or below it.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from itertools import accumulate
from typing import Final
from urllib.parse import urlsplit

from kaisoumail.errors import Problem
from kaisoumail.model.domain import registrable

LOCALHOST: Final = "localhost"
_NEEDS_NAME: Final = "Configured origins must use localhost or a domain name for passkeys"
_IS_PUBLIC: Final = "Configured origins must resolve to a non-public domain for passkeys"
_SHARES_NOTHING: Final = "Configured origins must share a non-public RP ID suffix"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """*id* is the domain that passkeys belong to, *origins* are where they may be used."""

    id: str
    origins: tuple[str, ...]

    def must_know(self, origin: str | None) -> None:
        """
        Raises Problem `passkey_origin_not_allowed` unless *origin*, the Origin header, may begin a ceremony.

        A request without the header may if only one origin is configured.
        """
        if origin not in self.origins and not (origin is None and len(self.origins) == 1):
            raise Problem("passkey_origin_not_allowed", "Passkey origin is not allowed")


@lru_cache(maxsize=16)
def relying_party(origins: tuple[str, ...]) -> RelyingParty:
    """
    The relying party for the operator's trusted *origins*.

    Raises Problem `passkey_not_configured`; if there are *origins*, its details have the reason.
    A public suffix is refused even if it is privately owned, such as pages.dev: browsers refuse it too.
    """
    if not origins:
        raise Problem("passkey_not_configured", "Passkey auth is not configured")
    hosts = [urlsplit(origin).hostname or "" for origin in origins]
    if any(_is_ip(host) for host in hosts):
        raise _unfit(_NEEDS_NAME)
    if set(hosts) == {LOCALHOST}:
        return RelyingParty(LOCALHOST, origins)
    for suffix in _suffixes(hosts[0]) if len(hosts) > 1 else hosts:
        if _is_private(suffix) and all(f".{host}".endswith(f".{suffix}") for host in hosts):
            return RelyingParty(suffix, origins)
    raise _unfit(_SHARES_NOTHING if len(hosts) > 1 else _IS_PUBLIC)


def find_relying_party(origins: tuple[str, ...]) -> RelyingParty | None:
    """The relying party for *origins*, or None where passkeys cannot be used."""
    try:
        return relying_party(origins)
    except Problem:
        return None


def _suffixes(host: str) -> list[str]:
    """*host* and its parent domains, the longest first."""
    labels = reversed(host.split("."))
    return list(accumulate(labels, lambda shorter, label: f"{label}.{shorter}"))[::-1]


def _is_private(name: str) -> bool:
    """Whether *name* is a registrable domain or below one: it has a dot and is no public suffix."""
    return "." in name and registrable(name) is not None


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _unfit(reason: str) -> Problem:
    return Problem("passkey_not_configured", "Passkey auth is not configured", reason=reason)
