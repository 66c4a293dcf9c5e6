"""Refusals become words, told apart by code and by the call that was refused, never by prose."""

from typing import Any

import pytest

from kaisoumail.errors import Problem
from kaisoumail.web import guide
from kaisoumail.web.problems import KINDS, explained


def _refused(method: str, path: str) -> Problem:
    told: dict[str, Any] = {"method": method, "path": path, "status": 403, "code": 9109, "message": "x", "rayId": None}
    return Problem("cloudflare_permission_missing", "Unauthorized", cloudflare=told)


@pytest.mark.parametrize(
    ("method", "path", "kind", "anchor"),
    [
        ("POST", "/zones", "zone_create_permission", "missing-zone-create-permission"),
        ("GET", "/zones", "zone_permission", "missing-zone-binding-permission"),
        ("GET", "/zones/0a", "zone_permission", "missing-zone-binding-permission"),
        ("POST", "/zones/0a/email/routing/dns", "routing_permission", "email-routing-auth-or-permission-failure"),
    ],
)
def test_the_call_that_was_refused_names_the_permission(method: str, path: str, kind: str, anchor: str) -> None:
    shown = explained(_refused(method, path))

    assert shown.kind == kind
    assert KINDS[kind] == ("project-domain-binding", anchor)
    assert shown.told is not None


def test_a_name_that_is_no_domain_says_why() -> None:
    problem = Problem("invalid_request", "Invalid request", fieldErrors={"mailDomain": ["leave out the dot"]})

    shown = explained(problem)

    assert (shown.kind, shown.said) == ("not_a_domain", "leave out the dot")


def test_an_unknown_refusal_keeps_its_own_sentence() -> None:
    shown = explained(Problem("inbound_closed", "The door is closed"))

    assert (shown.kind, shown.said) == ("other", "The door is closed")


def test_the_guide_is_linked_only_where_its_page_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem("account_id_missing", "CLOUDFLARE_ACCOUNT_ID is missing")
    assert explained(problem).guide is None

    monkeypatch.setattr(guide, "PAGES", frozenset({"project-domain-binding"}))

    assert explained(problem).guide == "/docs/project-domain-binding#missing-cloudflare-account-id"
