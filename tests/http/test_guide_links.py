"""Every refusal of the domain flow has its place in the guide, and the words that older clients match on."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import kaisoumail
from kaisoumail.cloudflare.errors import AlreadyExists, Answer, MissingPermission, RateLimited, ZoneNotActive
from kaisoumail.errors import CODES, Problem
from kaisoumail.http.guide_links import PLACES, guide_path
from kaisoumail.model.domain import normalised, refuse_unless_apex
from kaisoumail.workflows.context import CloudflareAccess

SOURCE = Path(kaisoumail.__file__).parent
# Where the refusals of binding, enabling, retrying, watching, switching off and deleting are written down.
DOMAIN_FLOW = (
    "model/domain.py", "cloudflare/errors.py", "operations/domains.py", "operations/domain_catalog.py",
    "operations/token_check.py", "workflows/context.py", "workflows/jobs/bind_domain.py",
    "workflows/jobs/enable_domain.py", "workflows/jobs/provision_domain.py", "workflows/jobs/watch_activation.py",
    "workflows/jobs/delete_domain.py",
)  # fmt: skip


def _codes_named_in(path: Path) -> set[str]:
    """Every text in the file that is a code of ours."""
    texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str)} & CODES.keys()


@pytest.mark.parametrize("code", sorted({code for name in DOMAIN_FLOW for code in _codes_named_in(SOURCE / name)}))
def test_every_code_of_the_domain_flow_is_explained_somewhere(code: str) -> None:
    about_name = {"fieldErrors": {"mailDomain": ["why"]}} if code == "invalid_request" else {}

    assert guide_path(Problem(code, "What happened", **about_name)) is not None


def test_every_place_is_of_a_code_there_is() -> None:
    assert PLACES.keys() - {"not_a_domain"} <= CODES.keys()


def _problem_of(refuses: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as refused:
        refuses()
    return refused.value


NOT_ACTIVE = ZoneNotActive(Answer("POST", "/zones/0a/email/routing/enable", 403, 2009, "Active zone required"))
FORBIDDEN = Answer("POST", "/zones", 403, 0, 'Requires permission "com.cloudflare.api.account.zone.create"')


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (_problem_of(lambda: refuse_unless_apex("mail.customer.com")), "Direct subdomain binding is not supported"),
        (
            _problem_of(CloudflareAccess(enabled=True).client),
            "Email Routing management is enabled but CLOUDFLARE_RUNTIME_API_TOKEN or CLOUDFLARE_API_TOKEN "
            "is not configured",
        ),
        (
            _problem_of(CloudflareAccess(enabled=True).account),
            "Cloudflare domain binding requires CLOUDFLARE_ACCOUNT_ID to be configured",
        ),
        (
            _problem_of(CloudflareAccess(enabled=True).worker),
            "Email Routing management is enabled but EMAIL_WORKER_NAME is not configured",
        ),
        (
            RateLimited(Answer("GET", "/zones", 429), 7).problem(),
            "Cloudflare API rate limit reached; retry later",
        ),
        (
            AlreadyExists(Answer("POST", "/zones", 400, 1061, "customer.com already exists")).problem(),
            "customer.com already exists",
        ),
        (
            MissingPermission(FORBIDDEN).problem(),
            FORBIDDEN.message,
        ),
    ],
    ids=lambda value: value.code if isinstance(value, Problem) else "",
)
def test_what_older_clients_match_on_is_said_in_the_same_words(problem: Problem, text: str) -> None:
    assert problem.message == text


def test_a_pending_zone_is_told_in_words_that_older_clients_recognise() -> None:
    text = NOT_ACTIVE.problem().message.lower()

    assert "pending activation" in text
    assert "name server" in text


def test_a_name_that_is_no_domain_leads_to_the_rule_for_names() -> None:
    problem = _problem_of(lambda: normalised("you@customer.com"))

    assert guide_path(problem) == "/docs/project-domain-binding#bind-apex-only"


def test_a_refusal_that_has_nothing_to_do_with_domains_has_no_place() -> None:
    assert guide_path(Problem("invalid_request", "Invalid request")) is None
    assert guide_path(Problem("mailbox_not_found", "Mailbox not found")) is None
