"""The pieces of `/domains` that scripts ask for, and what it does with names that will not do."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.api_client import code_of
from tests.polling import poll
from tests.web.conftest import Site, text_of

HTMX = {"hx-request": "true"}
# What is typed, and the sentence that helps.
BAD_NAMES = {
    "": "it is not a dotted host name",
    "customer": "it is not a dotted host name",
    "two words.com": "it is not a dotted host name",
    "https://customer.org/path": "without https:// or a path",
    "customer.org/": "without https:// or a path",
    "you@customer.org": "enter the domain, not an e-mail address",
    "customer.org.": "leave out the dot at its edge",
    ".customer.org": "leave out the dot at its edge",
    "customer..org": "it is not a dotted host name",
    "192.0.2.7": "an IP address cannot be bound",
    "[2001:db8::1]": "an IP address cannot be bound",
    "💌.example💌": "it is not a valid host name",
    "-dash.org": "it is not a dotted host name",
    "under_score.org": "it is not a dotted host name",
    "a" * 64 + ".org": "it is not a dotted host name",
    "a." * 150 + "org": "it is not a dotted host name",
    "customer.org<script>": "it is not a dotted host name",
}


@pytest.mark.parametrize("typed", BAD_NAMES)
def test_a_name_that_will_not_do_is_refused_with_a_sentence_that_helps_by_api(site: Site, typed: str) -> None:
    refused = site.product.admin.post("/api/domains/bind", json={"mailDomain": typed})

    assert (refused.status_code, code_of(refused)) == (400, "invalid_request")
    assert BAD_NAMES[typed] in refused.json()["details"]["fieldErrors"]["mailDomain"][0]
    assert refused.json()["details"]["guide"] == "/docs/project-domain-binding#bind-apex-only"


@pytest.mark.parametrize("typed", BAD_NAMES)
def test_a_name_that_will_not_do_is_refused_with_a_sentence_that_helps_on_the_page(site: Site, typed: str) -> None:
    with site.admin() as admin:
        refused = admin.post("/domains", data={"domain": typed})

    assert refused.status_code == 400
    assert BAD_NAMES[typed] in text_of(refused)
    assert "<script>" not in refused.text.replace("<script ", "")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Upper.Example ", "upper.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("ｗｉｄｅ.example", "wide.example"),
    ],
)
def test_a_name_in_another_form_is_bound_in_the_one_we_keep(site: Site, typed: str, kept: str) -> None:
    bound = site.product.admin.post("/api/domains/bind", json={"mailDomain": typed})

    assert bound.status_code in (200, 201)
    assert bound.json()["rootDomain"] == kept


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", ""),
        ("cust", ""),
        ("unbound.example", "unbound.example can be bound."),
        ("customer.com", "This domain is here already"),
        ("mail.unbound.example", "user@mail.unbound.example"),
        ("github.io", "a suffix others register under"),
        ("a." * 300 + "org", "it is not a dotted host name"),
    ],
)
def test_a_name_is_checked_while_it_is_typed_without_a_call(site: Site, typed: str, told: str) -> None:
    calls = site.product.world.requests("POST")
    with site.admin() as admin:
        checked = admin.get("/domains/check", params={"domain": typed}, headers=HTMX)

    assert checked.status_code == 200
    assert (told in text_of(checked)) if told else text_of(checked) == ""
    assert site.product.world.requests("POST") == calls


def _shown(html: str, piece: str) -> str:
    """The URL a piece of the page asks for when it looks again."""
    start = html.index(f'hx-get="/domains/{piece}') + len('hx-get="')
    return html[start : html.index('"', start)].replace("&amp;", "&")


def test_the_table_is_looked_at_again_without_asking_cloudflare_and_says_when_nothing_changed(site: Site) -> None:
    with site.admin() as admin:
        again = _shown(admin.get("/domains").text, "rows")
        calls = site.product.world.requests().count("GET /zones")
        same, anew = admin.get(again), admin.get("/domains/rows?seen=other")

    assert (same.status_code, anew.status_code) == (204, 200)
    assert "customer.com" in text_of(anew)
    assert site.product.world.requests().count("GET /zones") == calls


def test_the_details_of_a_waiting_domain_are_looked_at_again(site: Site) -> None:
    bound = site.product.admin.post("/api/domains/bind", json={"mailDomain": "slow.example"}).json()
    with site.admin() as admin:
        shown = admin.get(f"/domains/{bound['id']}/live")
        gone = admin.get("/domains/dom_nobody/live")

    assert "Waiting for nameservers" in text_of(shown)
    assert "next look" in text_of(shown)
    assert gone.status_code == 204


def test_with_scripts_a_bind_begins_and_its_steps_lead_to_the_row(site: Site) -> None:
    with site.admin() as admin:
        begun = admin.post("/domains", data={"domain": "steps.example"}, headers=HTMX)
        steps = poll(
            lambda: admin.get("/domains/binding?name=steps.example", headers=HTMX),
            lambda shown: "hx-redirect" in shown.headers,
        )
        page = admin.get(steps.headers["hx-redirect"])

    assert begun.headers["location"] == "/domains?binding=steps.example"
    assert "Switch Email Routing on (waiting)" in text_of(page)
    assert "POST /zones → 200" in text_of(page)
    assert "steps.example: the zone exists" in text_of(page)


def test_a_bind_that_is_over_before_its_page_is_shown_leads_to_the_row_at_once(site: Site) -> None:
    bound = site.product.admin.post("/api/domains/bind", json={"mailDomain": "quick.example"}).json()
    with site.admin() as admin:
        shown = admin.get("/domains?binding=quick.example")
        page = admin.get(shown.headers["location"])

    assert shown.status_code == 303
    assert f"details={bound['id']}" in shown.headers["location"]
    assert page.status_code == 200
    assert "quick.example: the zone exists" in text_of(page)


def test_a_bind_that_never_was_is_not_found(site: Site) -> None:
    with site.admin() as admin:
        assert admin.get("/domains/binding?name=never.example").status_code == 404
        assert admin.get("/domains?binding=never.example").status_code == 200


@pytest.mark.parametrize("path", ["check?domain=a.example", "rows", "binding?name=customer.com", "dom_x/live"])
def test_members_and_strangers_see_none_of_it(site: Site, path: str) -> None:
    with site.member() as member, site.visitor() as nobody:
        assert member.get(f"/domains/{path}").status_code == 403
        assert nobody.get(f"/domains/{path}").headers["location"].startswith(f"/login?next={quote('/domains/')}")


def test_a_retry_that_was_refused_shows_cloudflares_exact_answer(own_site: Site) -> None:
    domain: dict[str, Any] = own_site.product.admin.get("/api/domains").json()["domains"][0]
    fault = {"match": {"method": "GET", "path": f"/zones/{domain['zoneId']}"}, "times": 3, "status": 502}
    own_site.product.world.controls.post("/_sandbox/faults", json=fault).raise_for_status()

    with own_site.admin() as admin:
        page = admin.get(admin.post(f"/domains/{domain['id']}/retry").headers["location"])

    assert "customer.com: Cloudflare did not answer" in text_of(page)
    assert f"GET /zones/{domain['zoneId']} → 502" in text_of(page)
