"""The catalogue tells what public DNS answers for a domain that waits, where the operator named a resolver."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from tests.dns_server import SILENCE, DnsServer, a_dns_server
from tests.servers import Product, a_world


@pytest.fixture
def dns_server() -> Iterator[DnsServer]:
    with a_dns_server() as running:
        yield running


@pytest.fixture
def product(tmp_path: Path, dns_server: DnsServer) -> Iterator[Product]:
    with a_world(tmp_path) as world, world.product(PUBLIC_DNS_RESOLVER=dns_server.setting) as running:
        yield running


def _row(product: Product) -> dict[str, Any]:
    [row] = product.admin.get("/api/domains/catalog").json()["domains"]
    return dict(row)


def _bind(product: Product) -> dict[str, Any]:
    bound: dict[str, Any] = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"}).json()
    return bound


def test_the_old_name_servers_are_named(product: Product, dns_server: DnsServer) -> None:
    dns_server.says["customer.com"] = ["ns1.old.example", "ns2.old.example"]
    _bind(product)

    told = _row(product)["publicDns"]

    assert told["answer"] == "name_servers"
    assert (told["nameServers"], told["isDelegated"]) == (["ns1.old.example", "ns2.old.example"], False)


def test_the_assigned_name_servers_are_recognised_before_cloudflare_has_looked(
    product: Product, dns_server: DnsServer
) -> None:
    dns_server.says["customer.com"] = list(_bind(product)["nameServers"])

    row = _row(product)

    assert row["publicDns"]["isDelegated"] is True
    assert row["cloudflareStatus"] == "pending"


@pytest.mark.parametrize(
    ("said", "answer"),
    [(dns.rcode.NXDOMAIN, "no_such_name"), (dns.rcode.SERVFAIL, "refused"), (SILENCE, "no_answer"), ([], "nothing")],
)
def test_no_useful_answer_is_told_as_what_it_is(
    product: Product, dns_server: DnsServer, said: list[str] | dns.rcode.Rcode | str, answer: str
) -> None:
    dns_server.says["customer.com"] = said
    _bind(product)

    assert _row(product)["publicDns"]["answer"] == answer


def test_an_answer_is_remembered_for_a_while_and_a_ready_domain_is_not_asked_for(
    product: Product, dns_server: DnsServer
) -> None:
    dns_server.says["customer.com"] = ["ns1.old.example"]
    domain = _bind(product)
    told = [_row(product)["publicDns"] for _ in range(3)]

    product.world.delegate("customer.com")
    product.admin.post(f"/api/domains/{domain['id']}/retry")

    assert told[0] == told[1] == told[2]
    assert dns_server.asked == ["customer.com"]
    assert _row(product)["publicDns"] is None


def test_without_a_resolver_nobody_is_asked(tmp_path: Path, dns_server: DnsServer) -> None:
    with a_world(tmp_path) as world, world.product() as product:
        _bind(product)

        assert _row(product)["publicDns"] is None
        assert dns_server.asked == []
