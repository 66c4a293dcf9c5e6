"""Who is asking, whatever the headers claim."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.model.client_address import Client, client_key, client_of

PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"), ip_network("127.0.0.1")]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        # nobody is believed but the operator's proxies
        ("203.0.113.5", "", "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("203.0.113.5", "10.0.0.1", "203.0.113.5"),
        # a proxy speaks for its client
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("2001:db8:1::7", "2001:db8:2::9", "2001:db8:2::9"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        # through several proxies, and what the client wrote itself stays left
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2,10.0.0.3", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, garbage, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        # as some proxies write it
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8:2::9]:4711", "2001:db8:2::9"),
        ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        # what is no address is nobody
        ("10.0.0.1", "garbage", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, garbage", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.999", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(peer: str, forwarded_for: str, address: str) -> None:
    assert client_of(peer, False, forwarded_for, "", PROXIES).address == address


@pytest.mark.parametrize(
    ("peer", "is_tls", "proto", "seen"),
    [
        ("203.0.113.5", False, "https", False),
        ("203.0.113.5", True, "http", True),
        ("10.0.0.1", False, "https", True),
        ("10.0.0.1", False, "HTTPS", True),
        ("10.0.0.1", False, "https, http", False),
        ("10.0.0.1", False, "", False),
        ("10.0.0.1", True, "", True),
        ("10.0.0.1", True, "http", False),
    ],
)
def test_tls_is_what_the_nearest_proxy_says(peer: str, is_tls: bool, proto: str, seen: bool) -> None:
    assert client_of(peer, is_tls, "198.51.100.1", proto, PROXIES).is_tls is seen


def test_a_peer_without_an_address_stays_without_one() -> None:
    assert client_of(None, False, "198.51.100.1", "https", PROXIES) == Client(None, False)


@given(st.text(), st.text(), st.text())
def test_whatever_stands_in_the_headers_there_is_an_answer(peer: str, forwarded_for: str, proto: str) -> None:
    client_of(peer, False, forwarded_for, proto, PROXIES)
    client_of("10.0.0.1", False, forwarded_for, proto, PROXIES)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:2:3:4:5:6:7", "2001:db8:2:3::/64"),
        ("2001:db8:2:3::1", "2001:db8:2:3::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_one_customer_counts_as_one(address: str, counted: str) -> None:
    assert client_key(address) == counted
