"""The bind story and every coded refusal, as a person sees them; a world of its own, with trouble on demand."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kaisoumail.errors import CODES
from kaisoumail.http.guide_links import PLACES
from tests.dns_server import DnsServer, a_dns_server
from tests.servers import ADMIN_KEY, Product, World, a_world


@pytest.fixture(scope="module")
def dns_server() -> Iterator[DnsServer]:
    with a_dns_server() as running:
        yield running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, dns_server: DnsServer) -> Iterator[World]:
    settings = {"PUBLIC_DNS_RESOLVER": dns_server.setting, "CLOUDFLARE_MAX_RETRY_AFTER_SECONDS": "4"}
    with a_world(tmp_path_factory.mktemp("world"), **settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[Product]:
    with world.product() as running:
        yield running


@pytest.fixture
def context(chromium: Browser, product: Product) -> Iterator[BrowserContext]:
    """A browser of an admin; whatever trouble the test made is over after it."""
    opened = _signed_in(chromium, product)
    yield opened
    opened.close()
    product.world.controls.delete("/_sandbox/faults").raise_for_status()


def _signed_in(chromium: Browser, product: Product, **options: Any) -> BrowserContext:
    context = chromium.new_context(base_url=product.url, **{"locale": "en-GB", **options})
    context.request.post("/api/auth/session", data={"apiKey": ADMIN_KEY})
    return context


def _fault(product: Product, method: str, path: str, times: int = 1, **answer: Any) -> None:
    body = {"match": {"method": method, "path": path}, "times": times, **answer}
    product.world.controls.post("/_sandbox/faults", json=body).raise_for_status()


def _bind(page: Page, name: str) -> None:
    page.goto("/domains")
    page.get_by_label("Bind a new domain").fill(name)
    page.get_by_role("button", name="Bind at Cloudflare").click()


def test_from_a_typed_name_to_ready_without_a_click(
    context: BrowserContext, product: Product, dns_server: DnsServer
) -> None:
    dns_server.says["story.example"] = ["ns1.old.example", "ns2.old.example"]
    page = context.new_page()

    _bind(page, "story.example")

    dialog = page.get_by_role("dialog", name="story.example")
    expect(dialog.get_by_role("button", name="Copy name server")).to_have_count(2)
    expect(dialog).to_contain_text("The registrar still answers the old ones")
    expect(dialog).to_contain_text("ns1.old.example, ns2.old.example")
    expect(dialog).to_contain_text(re.compile(r"Checked (just now|\d+ s ago), next look (in \d+ s|any moment)"))

    product.world.delegate("story.example")

    expect(dialog.get_by_text("Ready", exact=True)).to_be_visible(timeout=60_000)
    page.keyboard.press("Escape")
    expect(page.get_by_role("row", name="story.example").get_by_text("Ready", exact=True)).to_be_visible()


def test_the_steps_are_shown_as_they_happen_with_cloudflares_answers_behind_them(
    context: BrowserContext, product: Product
) -> None:
    _fault(product, "POST", "/zones", delayMs=1500)
    _fault(product, "POST", "/zones/*/email/routing/enable", delayMs=7000)
    page = context.new_page()

    _bind(page, "steps.example")

    steps = page.locator(".stages")
    expect(steps.locator("li[aria-current=step]")).to_contain_text("Create the zone (going on)")
    expect(steps.locator("li").nth(0)).to_contain_text("done")
    expect(steps.locator("li[aria-current=step]")).to_contain_text("Switch Email Routing on (going on)")
    steps.get_by_text("Cloudflare's answers (1)").nth(1).click()
    expect(steps.locator(".call:visible")).to_contain_text(re.compile(r"POST /zones → 200 · \d+ ms"))
    expect(page.get_by_role("dialog", name="steps.example")).to_be_visible(timeout=30_000)
    expect(page.locator(".stages li").nth(3)).to_contain_text("waiting")


def test_name_servers_that_are_set_are_said_so_before_cloudflare_has_looked(
    context: BrowserContext, product: Product, dns_server: DnsServer
) -> None:
    bound = product.admin.post("/api/domains/bind", json={"mailDomain": "set.example"}).json()
    dns_server.says["set.example"] = bound["nameServers"]
    page = context.new_page()

    page.goto(f"/domains?details={bound['id']}")

    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The name servers are set. Cloudflare has not looked yet")
    expect(dialog).not_to_contain_text("Set these at your registrar")


def test_retry_makes_a_delegated_domain_ready_at_once(context: BrowserContext, product: Product) -> None:
    page = context.new_page()
    _bind(page, "retried.example")
    dialog = page.get_by_role("dialog", name="retried.example")
    expect(dialog).to_be_visible()
    product.world.delegate("retried.example")

    dialog.get_by_role("button", name="Retry").click()

    expect(page.get_by_role("status").filter(has_text="Mailboxes can use it now")).to_be_visible()


def test_a_subdomain_is_told_while_typing_and_its_apex_is_one_click_away(
    context: BrowserContext, product: Product
) -> None:
    page = context.new_page()
    page.goto("/domains")
    made = product.world.requests("POST").count("POST /zones")

    page.get_by_label("Bind a new domain").press_sequentially("mail.typed.example")

    expect(page.locator("#bind-check")).to_contain_text("user@mail.typed.example")
    assert product.world.requests("POST").count("POST /zones") == made
    page.get_by_role("button", name="Bind typed.example instead").click()
    expect(page.get_by_role("dialog", name="typed.example")).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("customer.org", "customer.org can be bound."),
        ("Bücher.example", "It is stored as xn--bcher-kva.example."),
        ("co.uk", "a suffix others register under"),
        ("https://customer.org", "without https:// or a path"),
        ("you@customer.org", "not an e-mail address"),
        ("192.0.2.7", "an IP address cannot be bound"),
        ("customer.org.", "leave out the dot at its edge"),
    ],
)
def test_what_is_typed_is_answered_with_a_sentence_that_helps(
    context: BrowserContext, typed: str, sentence: str
) -> None:
    page = context.new_page()
    page.goto("/domains")

    page.get_by_label("Bind a new domain").press_sequentially(typed)

    expect(page.locator("#bind-check")).to_contain_text(sentence)


def test_a_rate_limit_names_its_cause_counts_down_and_is_tried_again_by_itself(
    context: BrowserContext, product: Product
) -> None:
    _fault(product, "POST", "/zones", status=429, retryAfter=4)
    page = context.new_page()

    _bind(page, "limited.example")

    refusal = page.get_by_role("alert").filter(has_text="Cloudflare asks us to slow down").last
    expect(refusal).to_contain_text("Binding a domain POST /api/domains/bind → POST /zones")
    expect(page.get_by_text(re.compile(r"Tries again by itself in \d s")).last).to_be_visible()
    expect(page.get_by_role("dialog", name="limited.example")).to_be_visible(timeout=30_000)


def test_the_catalogue_comes_back_by_itself_after_a_rate_limit(context: BrowserContext, product: Product) -> None:
    _fault(product, "GET", "/zones", status=429, retryAfter=3)
    page = context.new_page()

    page.goto("/domains")

    trouble = page.locator("#trouble")
    expect(trouble).to_contain_text("Reading the catalogue GET /api/domains/catalog")
    expect(trouble).to_contain_text("What is stored here stays usable")
    expect(trouble).to_have_count(0, timeout=20_000)


REFUSED = {"status": 403, "code": 10000, "message": "Authentication error"}
NO_CREATE = 'Requires permission "com.cloudflare.api.account.zone.create" to create zones for the selected account'
BEFORE_A_ROW: dict[str, tuple[str, str, dict[str, Any]]] = {
    "zone_create_permission_missing": ("POST", "/zones", {"status": 403, "code": 0, "message": NO_CREATE}),
    "zone_permission_missing": ("GET", "/zones", REFUSED),
    "cloudflare_token_invalid": ("GET", "/zones", {"status": 401, "code": 1000, "message": "Invalid API Token"}),
    "cloudflare_zone_exists": ("POST", "/zones", {"status": 400, "code": 1061, "message": "it already exists"}),
    "cloudflare_quota_reached": ("POST", "/zones", {"status": 400, "code": 1118, "message": "too many pending zones"}),
    "cloudflare_rejected": ("POST", "/zones", {"status": 400, "code": 1097, "message": "cannot be added"}),
    "cloudflare_unreachable": ("GET", "/zones", {"status": 502, "body": "html", "times": 3}),
    "cloudflare_unreadable": ("GET", "/zones", {"body": "not_json_200"}),
}
IN_THE_ROW: dict[str, dict[str, Any]] = {
    "email_routing_permission_missing": REFUSED,
    "cloudflare_foreign_mx": {"status": 409, "code": 2008, "message": "Non-Cloudflare MX records exist"},
}


def _follow(page: Page, refusal: Any, code: str) -> None:
    """The refusal's link leads to a section that is there."""
    expect(refusal).to_have_attribute("data-code", code)
    refusal.get_by_role("link", name="How to fix this").click()
    slug, anchor = PLACES[code]
    expect(page).to_have_url(re.compile(rf"/docs/{slug}#{anchor}$"))
    expect(page.locator(f"#{anchor}")).to_be_in_viewport()


@pytest.mark.parametrize("code", BEFORE_A_ROW)
def test_a_refusal_before_there_is_a_zone_is_explained_with_its_answer_and_its_section(
    context: BrowserContext, product: Product, code: str
) -> None:
    method, path, answer = BEFORE_A_ROW[code]
    page = context.new_page()
    page.goto("/domains")
    page.get_by_label("Bind a new domain").fill(f"{code.replace('_', '-')}.example")
    _fault(product, method, path, **answer)

    page.get_by_role("button", name="Bind at Cloudflare").click()

    refusal = page.locator(f"#binding [role=alert][data-code={code}]")
    expect(refusal).to_be_visible(timeout=20_000)
    refusal.get_by_text("Cloudflare's answer", exact=True).click()
    expect(refusal.locator(".call")).to_contain_text(re.compile(rf"{method} {path} → \d+ · \d+ ms"))
    _follow(page, refusal, code)


@pytest.mark.parametrize("code", IN_THE_ROW)
def test_a_refusal_that_leaves_a_row_is_explained_in_its_details(
    context: BrowserContext, product: Product, code: str
) -> None:
    name = f"{code.replace('_', '-')}.example"
    _fault(product, "POST", "/zones/*/email/routing/enable", **IN_THE_ROW[code])
    product.admin.post("/api/domains/bind", json={"mailDomain": name}).raise_for_status()
    product.world.delegate(name)
    page = context.new_page()
    page.goto("/domains")

    page.get_by_role("link", name=f"Details of {name}").click()

    refusal = page.get_by_role("dialog").get_by_role("alert")
    refusal.get_by_text("Cloudflare's answer", exact=True).click()
    expect(refusal.locator(".call")).to_contain_text("/email/routing/enable")
    _follow(page, refusal, code)


def test_every_coded_refusal_is_a_sentence_with_a_link_to_its_section(context: BrowserContext) -> None:
    """Where a refused action on a row leads to: only its code travels, the words and the section are the page's."""
    page = context.new_page()
    for code in sorted(PLACES.keys() & CODES.keys()):
        page.goto(f"/domains?notice=refused&code={code}&seconds=5")

        refusal = page.locator(f"[role=alert][data-code={code}]")
        expect(refusal).not_to_contain_text("problem.")
        _follow(page, refusal, code)


@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [
        ("CLOUDFLARE_ACCOUNT_ID", "Binding needs CLOUDFLARE_ACCOUNT_ID"),
        ("CLOUDFLARE_API_TOKEN", "no Cloudflare token is set"),
        ("EMAIL_ROUTING_MANAGEMENT_ENABLED", "Set EMAIL_ROUTING_MANAGEMENT_ENABLED=true"),
    ],
)
def test_without_what_binding_needs_there_is_no_form_but_a_sentence(
    chromium: Browser, world: World, tmp_path: Path, left_out: str, sentence: str
) -> None:
    with world.product(DATA_DIR=str(tmp_path), **{left_out: ""}) as product:
        context = _signed_in(chromium, product)
        page = context.new_page()

        page.goto("/domains")

        expect(page.locator(".note").filter(has_text=sentence)).to_be_visible()
        expect(page.get_by_role("button", name="Bind at Cloudflare")).to_have_count(0)
        context.close()


def test_a_deletion_that_is_refused_says_why_and_where_to_read_on(context: BrowserContext, product: Product) -> None:
    domain = product.active_domain("kept.example")
    made = {"localPart": "ada", "subdomain": "mail", "rootDomain": "kept.example"}
    product.admin.post("/api/mailboxes", json=made).raise_for_status()
    page = context.new_page()
    for typed, code in (("another.example", "name_not_typed"), ("kept.example", "domain_in_use")):
        page.goto(f"/domains?details={domain['id']}")
        page.get_by_role("dialog").get_by_text("Delete the domain and its zone").click()
        page.locator("#delete-name").fill(typed)

        page.get_by_role("button", name="Delete for good").click()

        _follow(page, page.locator(f"[role=alert][data-code={code}]"), code)


@pytest.mark.parametrize(
    ("left_out", "code"),
    [("EMAIL_WORKER_NAME", "worker_name_missing")],
)
def test_configuration_that_is_missing_is_said_before_any_call(
    chromium: Browser, world: World, tmp_path: Path, left_out: str, code: str
) -> None:
    with world.product(DATA_DIR=str(tmp_path), **{left_out: ""}) as product:
        context = _signed_in(chromium, product)
        page = context.new_page()
        page.goto("/domains")
        made = world.requests("POST").count("POST /zones")

        page.get_by_label("Bind a new domain").fill("customer.com")
        page.get_by_role("button", name="Bind at Cloudflare").click()

        _follow(page, page.locator("#bind-problem"), code)
        assert world.requests("POST").count("POST /zones") == made
        context.close()


def test_a_cloudflare_that_is_gone_leaves_the_page_usable(chromium: Browser, world: World, tmp_path: Path) -> None:
    nowhere = {"CLOUDFLARE_API_BASE_URL": "http://127.0.0.1:9/client/v4", "DATA_DIR": str(tmp_path)}
    with world.product(**nowhere) as product:
        context = _signed_in(chromium, product)
        page = context.new_page()
        page.goto("/domains")

        expect(page.locator("#trouble")).to_contain_text("Cloudflare did not answer")
        expect(page.locator("#trouble")).to_contain_text("What is stored here stays usable")
        assert httpx.get(f"{product.url}/health").status_code == 200
        page.goto("/workspace")
        expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_scrolls_sideways_while_binding_or_refused(
    chromium: Browser, product: Product, context: BrowserContext, width: int, theme: str
) -> None:
    name = f"looks-{width}-{theme}.example"
    _fault(product, "POST", "/zones", status=403, code=0, message=NO_CREATE)
    opened = _signed_in(chromium, product, viewport={"width": width, "height": 844}, color_scheme=theme)
    page = opened.new_page()

    _bind(page, name)
    expect(page.locator("#binding").get_by_role("alert")).to_be_visible(timeout=20_000)
    for summary in page.locator("#binding summary").all():
        summary.click()
    assert page.evaluate(SIDEWAYS) <= 0
    _bind(page, name)
    expect(page.get_by_role("dialog", name=name)).to_be_visible(timeout=20_000)
    page.get_by_text("What happened").click()

    assert page.evaluate(SIDEWAYS) <= 0
    opened.close()


SIDEWAYS = """Math.max(...["html", "main", "dialog"].map((name) => document.querySelector(name)).filter(Boolean)
    .map((element) => element.scrollWidth - element.clientWidth))"""
