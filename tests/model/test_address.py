"""Addresses in their parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.model.address import Address, is_email, is_local_part, is_subdomain, parse_address
from kaisoumail.model.alias_names import HOSTS, random_local_part


def test_an_address_is_read_in_any_letter_case() -> None:
    assert parse_address(" Ada@Mail.Demo.Example ", ["demo.example"]) == Address("ada", "mail", "demo.example")


def test_the_longest_root_wins() -> None:
    address = parse_address("ada@x.mail.demo.example", ["demo.example", "mail.demo.example"])

    assert address == Address("ada", "x", "mail.demo.example")


_LABELS = st.lists(st.sampled_from(("a", "xa")), min_size=1, max_size=3)
_NAMES = _LABELS.map(lambda labels: ".".join((*labels, "example")))


@given(st.sets(_NAMES, max_size=5), _NAMES)
def test_an_address_is_below_the_longest_root_that_its_host_is_in_and_at_no_apex(roots: set[str], host: str) -> None:
    address = parse_address(f"ada@{host}", roots)

    around = [root for root in roots if host == root or host.endswith(f".{root}")]
    if address is None:
        assert not around or host in roots
    else:
        assert (str(address), address.root_domain) == (f"ada@{host}", max(around, key=len))
        assert host not in roots


@pytest.mark.parametrize(
    "text",
    [
        "ada@demo.example",
        "ada+tag@mail.demo.example",
        "a.da@mail.demo.example",
        "ada@mail.other.example",
        "ada@mail.xdemo.example",
        "a@b@mail.demo.example",
        "@mail.demo.example",
        "ada@.demo.example",
        "ada",
        "",
    ],
)
def test_anything_else_is_no_mailbox_address(text: str) -> None:
    assert parse_address(text, ["demo.example"]) is None


@pytest.mark.parametrize("text", ["A@B.CO", "a'b@b.co", "-@b.co", "a@xn--mnchen-3ya.de"])
def test_clients_accept_these_as_email(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text", ["a@localhost", "a@[1.2.3.4]", "x=y@b.co", "a/b@b.co", "a!b@b.co", "ü@b.co", "", '"a b"@b.co', "a@b.co\n"]
)
def test_clients_refuse_these_as_email(text: str) -> None:
    assert not is_email(text)


def test_names_nobody_chose_obey_the_rules() -> None:
    assert all(is_local_part(random_local_part()) for _ in range(500))
    assert all(is_subdomain(host) for host in HOSTS)
