"""
The client behind a connection, also through the operator's reverse proxies.

A proxy writes its client into `X-Forwarded-For` and `X-Forwarded-Proto`, but so can any client. They are trusted
only from a peer that the operator named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]


@dataclass(frozen=True, slots=True)
class Client:
    """The *address* a request came from, None where there is none (a Unix socket), and whether it came over TLS."""

    address: str | None
    is_tls: bool


def client_of(peer: str | None, is_tls: bool, forwarded_for: str, forwarded_proto: str, trusted: Networks) -> Client:
    """
    The client: *peer* itself or, if that is a *trusted* proxy, the client it forwards for.

    This is the right-most address of *forwarded_for* that is no trusted proxy: anything left of it the client
    could have written itself. If that item is no address, the client is *peer*. The last item of
    *forwarded_proto* was written by the nearest proxy.
    """
    peer_address = find_address(peer or "")
    if peer_address is None or not _is_in(peer_address, trusted):
        return Client(peer if peer_address is None else str(peer_address), is_tls)
    proto = forwarded_proto.rpartition(",")[2].strip().lower()
    return Client(str(_forwarded_client(forwarded_for, trusted) or peer_address), proto == "https" if proto else is_tls)


def find_address(text: str) -> Address | None:
    """*text* as an address, without zone and port, an IPv4-mapped IPv6 address as IPv4; None if it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=1024)
def client_key(address: str) -> str:
    """The client that limits count *address* for: an IPv4 address itself, an IPv6 address its /64 (one customer)."""
    found = find_address(address)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found or address)


def is_within(address: str, networks: Networks) -> bool:
    """Whether *address* is in one of *networks*; False for what is no address."""
    found = find_address(address) if networks else None
    return found is not None and _is_in(found, networks)


def _forwarded_client(forwarded_for: str, trusted: Networks) -> Address | None:
    """The client that the proxies name; None if they name none, or what they name is no address."""
    found = None
    for item in reversed(forwarded_for.split(",")):
        found = find_address(item)
        if found is None or not _is_in(found, trusted):
            return found
    return found


def _is_in(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)
