"""Refusals become words, told apart by code and by the call that was refused, never by prose."""

import pytest

from kaisoumail.cloudflare.errors import Answer, MissingPermission
from kaisoumail.errors import InvalidValue, Problem
from kaisoumail.web.problems import problem_view


def _refused(method: str, path: str) -> Problem:
    return MissingPermission(Answer(method, path, 403, 10000, "Authentication error")).problem()


@pytest.mark.parametrize(
    ("method", "path", "kind", "anchor"),
    [
        ("POST", "/zones", "zone_create_permission_missing", "missing-zone-create-permission"),
        ("GET", "/zones", "zone_permission_missing", "missing-zone-binding-permission"),
        ("GET", "/zones/0a", "zone_permission_missing", "missing-zone-binding-permission"),
        (
            "POST",
            "/zones/0a/email/routing/dns",
            "email_routing_permission_missing",
            "email-routing-auth-or-permission-failure",
        ),
    ],
)
def test_the_call_that_was_refused_names_the_permission(method: str, path: str, kind: str, anchor: str) -> None:
    shown = problem_view(_refused(method, path))

    assert shown.kind == kind
    assert shown.guide == f"/docs/project-domain-binding#{anchor}"
    assert shown.cloudflare_answer is not None


def test_a_name_that_is_no_domain_says_why() -> None:
    problem = InvalidValue("domain name", "leave out the dot")

    shown = problem_view(problem)

    assert (shown.kind, shown.sentence) == ("not_a_domain", "leave out the dot")


def test_an_unknown_refusal_keeps_its_own_sentence() -> None:
    shown = problem_view(Problem("inbound_closed", "The door is closed"))

    assert (shown.kind, shown.sentence) == ("other", "The door is closed")
