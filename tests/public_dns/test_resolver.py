"""A resolver's answers, over real UDP on loopback."""

import asyncio
import socket
from collections.abc import Iterator

import dns.rcode
import pytest

from kaisoumail.model.delegation import Delegation, DnsAnswer
from kaisoumail.public_dns.resolver import Resolver
from tests.dns_server import SILENCE, DnsServer, a_dns_server
from tests.people import NOON

ASSIGNED = ("ada.ns.cloudflare.com", "bob.ns.cloudflare.com")
OLD = ("ns1.old-host.example", "ns2.old-host.example")


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with a_dns_server() as running:
        yield running


def _asked(server: DnsServer, name: str = "customer.com", seconds: float = 5.0) -> Delegation:
    host, port = server.address
    return asyncio.run(Resolver(host, port, lambda: NOON, seconds=seconds).delegation_of(name))


def test_the_assigned_name_servers_are_recognised_in_any_order_and_case(server: DnsServer) -> None:
    server.says["customer.com"] = ["Bob.NS.cloudflare.com", "ada.ns.cloudflare.com"]

    seen = _asked(server)

    assert seen == Delegation(DnsAnswer.NAME_SERVERS, ASSIGNED, NOON)
    assert seen.is_to(ASSIGNED)
    assert seen.others_than(ASSIGNED) == ()


def test_the_old_name_servers_are_told_by_name(server: DnsServer) -> None:
    server.says["customer.com"] = list(OLD)

    seen = _asked(server)

    assert seen.name_servers == OLD
    assert not seen.is_to(ASSIGNED)
    assert seen.others_than(ASSIGNED) == OLD


def test_an_old_name_server_beside_the_assigned_ones_must_go(server: DnsServer) -> None:
    server.says["customer.com"] = [*ASSIGNED, OLD[0]]

    seen = _asked(server)

    assert not seen.is_to(ASSIGNED)
    assert seen.others_than(ASSIGNED) == (OLD[0],)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (dns.rcode.NXDOMAIN, DnsAnswer.NO_SUCH_NAME),
        (dns.rcode.SERVFAIL, DnsAnswer.REFUSED),
        (dns.rcode.REFUSED, DnsAnswer.REFUSED),
        ([], DnsAnswer.NOTHING),
    ],
)
def test_an_answer_without_name_servers_says_why(
    server: DnsServer, said: dns.rcode.Rcode | list[str], answer: DnsAnswer
) -> None:
    server.says["customer.com"] = said

    assert _asked(server) == Delegation(answer, (), NOON)


def test_a_silent_resolver_is_given_up_in_time(server: DnsServer) -> None:
    server.says["customer.com"] = SILENCE

    assert _asked(server, seconds=0.05) == Delegation(DnsAnswer.NO_ANSWER, (), NOON)


def test_a_resolver_that_is_not_there_is_no_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        holder.connect(holder.getsockname())  # its own peer: datagrams of others are refused as at a closed port
        host, port = holder.getsockname()
        gone = Resolver(host, port, lambda: NOON, seconds=0.2)

        answer = asyncio.run(gone.delegation_of("customer.com")).answer

    assert answer is DnsAnswer.NO_ANSWER


def test_with_no_name_servers_assigned_nothing_is_delegated() -> None:
    assert not Delegation(DnsAnswer.NOTHING, (), NOON).is_to(())
