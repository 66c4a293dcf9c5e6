"""Which names may be bound, and what the rest are told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.errors import InvalidValue, Problem
from kaisoumail.model.domain import LONGEST_CHECK_PAUSE, DomainStatus, Zone, normalised, refuse_unless_apex, registrable
from tests.builders import DEMO
from tests.people import HOUR, NOON


@pytest.mark.parametrize(
    ("given_text", "name"),
    [
        ("customer.com", "customer.com"),
        ("  Customer.COM ", "customer.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("ｃustomer.com", "customer.com"),
        ("faß.de", "xn--fa-hia.de"),
    ],
)
def test_a_name_is_kept_in_one_form(given_text: str, name: str) -> None:
    assert normalised(given_text) == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("https://customer.com", "without https://"),
        ("customer.com/mail", "without https://"),
        ("ada@customer.com", "not an e-mail address"),
        ("customer.com.", "the dot at its edge"),
        (".customer.com", "the dot at its edge"),
        ("192.0.2.1", "IP address"),
        ("localhost", "dotted host name"),
        ("", "dotted host name"),
        ("a b.com", "dotted host name"),
        ("x" * 300 + ".com", "host name"),
        ("\u0300" * 1001, "at most 1000 characters"),
        ("📮.com", "not a valid host name"),
        ("a\nb.com", "dotted host name"),
    ],
)
def test_what_is_no_domain_is_refused_with_a_sentence_that_helps(text: str, hint: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        normalised(text)

    assert (caught.value.code, caught.value.value) == ("invalid_request", "domain name")
    assert hint in caught.value.reason


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_a_problem(text: str) -> None:
    try:
        name = normalised(text)
    except Problem:
        return
    assert normalised(name) == name


@pytest.mark.parametrize(
    "name",
    ["example.com", "example.co.uk", "foo.github.io", "x.workers.dev", "foo.eu.org", "foo.local", "b.invalidtld"],
)
def test_a_registrable_name_is_an_apex(name: str) -> None:
    refuse_unless_apex(name)

    assert registrable(name) == name


@pytest.mark.parametrize(
    ("name", "apex", "subdomain"),
    [
        ("mail.example.com", "example.com", "mail"),
        ("mail.ops.example.com", "example.com", "mail.ops"),
        ("a.foo.github.io", "foo.github.io", "a"),
    ],
)
def test_a_subdomain_is_told_the_apex_to_bind_and_the_subdomain_to_use(name: str, apex: str, subdomain: str) -> None:
    with pytest.raises(Problem) as caught:
        refuse_unless_apex(name)

    assert caught.value.code == "subdomain_direct_bind_not_supported"
    assert caught.value.details == {
        "mailDomain": name,
        "recommendedApex": apex,
        "recommendedMailboxSubdomain": subdomain,
    }


@pytest.mark.parametrize("name", ["co.uk", "github.io", "eu.org", "workers.dev"])
def test_a_public_suffix_is_no_apex(name: str) -> None:
    with pytest.raises(Problem) as caught:
        refuse_unless_apex(name)

    assert caught.value.code == "not_an_apex"


def test_a_refusal_keeps_the_domain_and_says_why() -> None:
    zone = Zone("1" * 32, DEMO.root_domain, "pending", ("ada.ns.example", "bob.ns.example"))
    refusal = Problem("cloudflare_zone_not_active", "Zone is pending activation")

    domain = DEMO.seen_at_cloudflare(zone, NOON).not_provisioned(refusal, NOON + HOUR)

    assert not domain.is_active
    assert domain.name_servers == zone.name_servers
    assert domain.last_provision_code == "cloudflare_zone_not_active"
    assert domain.last_provisioned_at is None


def test_provisioning_forgets_the_last_refusal() -> None:
    refused = DEMO.not_provisioned(Problem("cloudflare_foreign_mx", "Non-Cloudflare MX records exist"), NOON)

    domain = refused.provisioned(NOON + HOUR)

    assert domain.is_active
    assert domain.last_provision_error is None
    assert domain.last_provisioned_at == NOON + HOUR


def test_a_waiting_domain_is_looked_at_often_at_first_and_then_hourly() -> None:
    domain, now, waited_at = replace(DEMO, status=DomainStatus.PROVISIONING_ERROR), NOON, []
    for _ in range(200):
        domain = domain.looked_at(now)
        assert domain.next_look_at is not None
        waited_at.append(domain.next_look_at - now)
        now = domain.next_look_at

    assert waited_at == sorted(waited_at)
    assert waited_at[0] == timedelta(seconds=5)
    assert waited_at[-1] == LONGEST_CHECK_PAUSE
    assert sum(waited_at[:12], timedelta()) == timedelta(minutes=1)


def test_a_domain_that_was_ready_is_looked_at_often_again_when_it_has_to_wait() -> None:
    refused = Problem("cloudflare_zone_not_active", "Zone is pending activation")
    domain = replace(DEMO, looks=1000).provisioned(NOON).not_provisioned(refused, NOON)

    assert domain.next_look_at == NOON + timedelta(seconds=5)
