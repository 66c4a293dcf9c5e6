"""What `/domains` says when Cloudflare refuses, tires or falls silent."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.conftest import Site, text_of


@pytest.fixture
def troubled(site: Site) -> Iterator[Site]:
    """The shared site; the trouble of one test is over after it."""
    yield site
    site.product.world.controls.delete("/_sandbox/faults").raise_for_status()


def _fault(site: Site, method: str, path: str, **answer: Any) -> None:
    fault = {"match": {"method": method, "path": path}, "times": 9, **answer}
    site.product.world.controls.post("/_sandbox/faults", json=fault).raise_for_status()


REFUSED = {"status": 403, "code": 10000, "message": "Authentication error"}


@pytest.mark.parametrize(
    ("method", "path", "answer", "kind", "sentence"),
    [
        ("POST", "/zones", {"status": 403, "code": 0, "message": "Forbidden"}, "zone_create_permission_missing",
         "com.cloudflare.api.account.zone.create"),
        ("GET", "/zones", REFUSED, "zone_permission_missing", "Add Zone: Zone: Edit"),
        ("GET", "/zones", {"status": 401, "code": 1000, "message": "Invalid API Token"}, "cloudflare_token_invalid",
         "does not accept the token"),
        ("GET", "/zones", {"status": 502}, "cloudflare_unreachable", "Cloudflare did not answer"),
        ("POST", "/zones", {"status": 400, "code": 1061, "message": "example.net already exists"},
         "cloudflare_zone_exists", "Cloudflare has this zone already"),
    ],
)  # fmt: skip
def test_a_bind_that_cloudflare_refuses_is_explained_with_its_exact_answer(
    troubled: Site, method: str, path: str, answer: dict[str, Any], kind: str, sentence: str
) -> None:
    _fault(troubled, method, path, **answer)

    with troubled.admin() as admin:
        refused = admin.post("/domains", data={"domain": "refused.example"})

    assert refused.status_code >= 400
    assert f'data-code="{kind}"' in refused.text
    assert sentence in text_of(refused)
    assert f"{method} {path} → {answer['status']}" in text_of(refused)
    assert 'value="refused.example"' in refused.text


def test_a_zone_that_may_not_route_mail_needs_attention_and_says_which_permission(troubled: Site) -> None:
    _fault(troubled, "POST", "/zones/*/email/routing/*", **REFUSED)

    with troubled.admin() as admin:
        bound = admin.post("/domains", data={"domain": "noroute.example"})
        troubled.product.world.delegate("noroute.example")
        row = admin.get("/domains")
        page = admin.get(bound.headers["location"])

    assert "Needs attention The token may not switch Email Routing on" in text_of(row)
    assert "Zone: Email Routing Rules: Edit" in text_of(page)
    assert "Last answer" in text_of(page)


def test_a_rate_limit_says_when_to_try_again_and_keeps_what_we_know_in_sight(own_site: Site) -> None:
    _fault(own_site, "GET", "/zones", status=429, retryAfter=77)

    with own_site.admin() as admin:
        page, refused = admin.get("/domains"), admin.post("/domains", data={"domain": "refused.example"})

    assert page.status_code == 200
    assert "Cloudflare asks us to slow down" in text_of(page)
    assert "customer.com" in text_of(page)
    assert refused.status_code == 429
    assert re.search(r"Try again in 7\d s", text_of(refused))


def test_a_retry_that_reaches_nobody_says_so_and_changes_nothing(own_site: Site) -> None:
    with own_site.admin() as admin:
        admin.post("/domains", data={"domain": "later.example"})
        known = own_site.product.admin.get("/api/domains").json()["domains"]
        domain = next(domain for domain in known if domain["rootDomain"] == "later.example")
        _fault(own_site, "GET", f"/zones/{domain['zoneId']}", status=429, retryAfter=45)
        sent = admin.post(f"/domains/{domain['id']}/retry")
        page = admin.get(sent.headers["location"])

    assert "later.example: Cloudflare asks us to slow down" in text_of(page)
    assert re.search(r"Try again in 4\d s", text_of(page))
    after = own_site.product.admin.get("/api/domains").json()["domains"]
    assert next(other for other in after if other["id"] == domain["id"]) == domain


def test_a_zone_that_was_at_cloudflare_before_is_enabled_from_its_row(site: Site) -> None:
    world = site.product.world
    made = world.controls.post(
        "/client/v4/zones",
        json={"name": "older.example", "account": {"id": world.account_id}, "type": "full"},
        headers={"authorization": f"Bearer {world.environment['CLOUDFLARE_API_TOKEN']}"},
    )
    made.raise_for_status()
    world.delegate("older.example")

    with site.admin() as admin:
        listed = admin.get("/domains")
        enabled = admin.post("/domains", data={"domain": "older.example"})
        page = admin.get(enabled.headers["location"])

    assert "older.example Not enabled" in text_of(listed)
    assert "older.example: ready. Mailboxes can use it now." in text_of(page)


def test_the_token_page_names_what_is_missing_as_the_form_does(troubled: Site) -> None:
    _fault(troubled, "DELETE", "/zones/*/dns_records/*", **REFUSED)

    with troubled.admin() as admin:
        shown = admin.get("/domains/token")

    assert shown.status_code == 200
    assert "Zone: DNS: Edit" in text_of(shown)
    assert "missing" in text_of(shown)


def test_the_token_page_says_when_all_is_well(troubled: Site) -> None:
    with troubled.admin() as admin:
        assert "every permission that is needed" in text_of(admin.get("/domains/token"))
    with troubled.member() as member:
        assert member.get("/domains/token").status_code == 403
