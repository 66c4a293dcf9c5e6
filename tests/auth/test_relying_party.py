"""Which RP ID a set of origins comes to, and which origins may begin a ceremony."""

import pytest

from kaisoumail.auth.relying_party import find_relying_party, relying_party
from kaisoumail.errors import Problem

NEEDS_NAME = "Configured origins must use localhost or a domain name for passkeys"
IS_PUBLIC = "Configured origins must resolve to a non-public domain for passkeys"
SHARES_NOTHING = "Configured origins must share a non-public RP ID suffix"


@pytest.mark.parametrize(
    ("origins", "rp_id"),
    [
        ("https://mail.example.com", "mail.example.com"),
        ("https://example.com:8443", "example.com"),
        ("http://localhost:8787", "localhost"),
        ("http://localhost:8787 http://localhost:4173", "localhost"),
        ("https://app.pages.dev", "app.pages.dev"),
        ("https://mail.example.com https://example.com", "example.com"),
        ("https://example.com https://mail.example.com", "example.com"),
        ("https://mail.example.com https://mail.example.com:8443", "mail.example.com"),
        ("https://a.b.example.com https://c.b.example.com", "b.example.com"),
        ("https://a.b.example.com https://c.example.com", "example.com"),
        ("https://app.example.co.uk https://login.example.co.uk", "example.co.uk"),
        ("https://one.team.pages.dev https://two.team.pages.dev", "team.pages.dev"),
    ],
)
def test_the_rp_id_is_the_longest_private_name_all_origins_are_under(origins: str, rp_id: str) -> None:
    party = relying_party(tuple(origins.split()))

    assert (party.id, party.origins) == (rp_id, tuple(origins.split()))


@pytest.mark.parametrize(
    ("origins", "reason"),
    [
        ("http://127.0.0.1:8787", NEEDS_NAME),
        ("http://[::1]:8787", NEEDS_NAME),
        ("https://mail.example.com http://127.0.0.1:8787", NEEDS_NAME),
        ("https://intranet", IS_PUBLIC),
        ("https://co.uk", IS_PUBLIC),
        ("https://com", IS_PUBLIC),
        ("https://pages.dev", IS_PUBLIC),
        ("https://github.io", IS_PUBLIC),
        ("https://app.foo.co.uk https://login.bar.co.uk", SHARES_NOTHING),
        ("https://a.pages.dev https://b.pages.dev", SHARES_NOTHING),
        ("https://ada.github.io https://bob.github.io", SHARES_NOTHING),
        ("https://example.com https://notexample.com", SHARES_NOTHING),
        ("https://example.com https://example.org", SHARES_NOTHING),
        ("http://localhost:8787 https://mail.example.com", SHARES_NOTHING),
        ("https://mail.example.com http://localhost:8787", SHARES_NOTHING),
        ("https://intranet https://intranet:8443", SHARES_NOTHING),
    ],
)
def test_origins_without_such_a_name_are_refused_with_the_reason(origins: str, reason: str) -> None:
    with pytest.raises(Problem) as caught:
        relying_party(tuple(origins.split()))

    assert (caught.value.kind.status, caught.value.message) == (503, "Passkey auth is not configured")
    assert caught.value.details == {"reason": reason}
    assert find_relying_party(tuple(origins.split())) is None


def test_no_origins_are_refused_without_a_reason() -> None:
    with pytest.raises(Problem) as caught:
        relying_party(())

    assert (caught.value.code, caught.value.details) == ("passkey_not_configured", {})


def test_only_trusted_origins_begin() -> None:
    party = relying_party(("https://a.example.com", "https://b.example.com"))

    party.must_know("https://b.example.com")

    for origin in ("https://c.example.com", "http://a.example.com", "https://a.example.com:8443", "null", "", None):
        with pytest.raises(Problem, match="Passkey origin is not allowed"):
            party.must_know(origin)


def test_one_origin_alone_is_meant_when_none_is_said() -> None:
    relying_party(("https://a.example.com",)).must_know(None)
