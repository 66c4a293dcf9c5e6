"""
What a reader of the guide tries, line by line (G1 to G22), by API and on the page.

G14 (catch-all) and G23 (docs site) are other issues'. Longer stories of the same lines stand beside
this file, and in tests/browser/test_bind_story.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kaisoumail.settings import settings_from
from tests.api_client import code_of
from tests.servers import ADMIN_KEY, Product, World, a_world
from tests.walkthroughs import deploy_workflow as deploy


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path) as opened:
        yield opened


@contextmanager
def _without(world: World, *names: str, **changed: str) -> Iterator[Product]:
    """The product with some variables left out and others changed."""
    for name in names:
        world.environment.pop(name, None)
    with world.product(**changed) as product:
        yield product


def _bind(product: Product, name: str = "customer.com") -> httpx.Response:
    return product.admin.post("/api/domains/bind", json={"mailDomain": name})


def _meta(product: Product) -> dict[str, Any]:
    meta: dict[str, Any] = product.admin.get("/api/meta").json()
    return meta


def _token(world: World, *permissions: str) -> str:
    body = {"kind": "user", "permissions": permissions, "zones": "all"}
    token: str = world.controls.post("/_sandbox/tokens", json=body).raise_for_status().json()["token"]
    return token


def test_g1_with_management_off_nothing_at_cloudflare_is_read_or_changed(world: World) -> None:
    with _without(world, EMAIL_ROUTING_MANAGEMENT_ENABLED="false") as product:
        refused = _bind(product)
        product.admin.get("/api/domains/catalog")
        enabled = product.admin.post("/api/domains", json={"mailDomain": "customer.com", "zoneId": "z"})
        made = product.admin.post("/api/mailboxes", json={})

        assert (refused.status_code, code_of(refused)) == (409, "management_disabled")
        assert (enabled.json()["status"], made.status_code) == ("active", 201)
        assert made.json()["routingRuleId"] is None
        assert world.requests() == []


def test_g2_every_new_rule_targets_the_configured_worker(world: World) -> None:
    with _without(world, EMAIL_WORKER_NAME="another-worker") as product:
        domain = product.active_domain("customer.com")
        product.admin.post("/api/mailboxes", json={"localPart": "ada", "subdomain": "mail"}).raise_for_status()

        calls = world.controls.get("/_sandbox/requests").json()["requests"]
        [rule] = [call for call in calls if call["path"] == f"/zones/{domain['zoneId']}/email/routing/rules"]
        assert rule["body"]["actions"] == [{"type": "worker", "value": ["another-worker"]}]
        assert rule["body"]["name"] == "Mailbox ada@mail.customer.com"


def test_g3_and_g18_without_an_account_binding_says_so_before_any_call(world: World) -> None:
    with _without(world, "CLOUDFLARE_ACCOUNT_ID") as product:
        refused = _bind(product)

        assert (refused.status_code, code_of(refused)) == (500, "account_id_missing")
        assert "CLOUDFLARE_ACCOUNT_ID" in refused.json()["error"]
        assert world.requests() == []


def test_g4_the_account_comes_from_the_repositorys_secrets_and_reaches_the_service(tmp_path: Path) -> None:
    step = deploy.steps()["Write the service's environment"]
    assert step["env"]["CLOUDFLARE_ACCOUNT_ID"] == "${{ secrets.CLOUDFLARE_ACCOUNT_ID }}"

    assert deploy.run("Write the service's environment", tmp_path, **deploy.GIVEN).returncode == 0

    written = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines())
    assert settings_from(written).cloudflare.account_id == deploy.GIVEN["CLOUDFLARE_ACCOUNT_ID"]
    assert "< environment" in deploy.steps()["Hand over the release and its environment, and restart"]["run"]
    assert (tmp_path / "environment").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("left_out", "changed", "lifecycle", "binding"),
    [
        ([], {}, True, True),
        (["CLOUDFLARE_ACCOUNT_ID"], {}, True, False),
        (["CLOUDFLARE_API_TOKEN"], {}, False, False),
        (["CLOUDFLARE_API_TOKEN"], {"CLOUDFLARE_RUNTIME_API_TOKEN": "x" * 40}, True, True),
        ([], {"EMAIL_ROUTING_MANAGEMENT_ENABLED": "false"}, False, False),
    ],
)
def test_g5_the_flags_follow_the_configuration(
    world: World, left_out: list[str], changed: dict[str, str], lifecycle: bool, binding: bool
) -> None:
    with _without(world, *left_out, **changed) as product:
        meta = _meta(product)

        assert meta["cloudflareDomainLifecycleEnabled"] is lifecycle
        assert meta["cloudflareDomainBindingEnabled"] is binding


@contextmanager
def _browser(product: Product) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=product.url, timeout=60, follow_redirects=True) as browser:
        browser.post("/login", data={"api_key": ADMIN_KEY})
        yield browser


def _page(product: Product, path: str = "/domains") -> str:
    """A page as an admin's browser without JavaScript gets it."""
    with _browser(product) as browser:
        return browser.get(path).text


def _bound_on_the_page(product: Product, name: str = "customer.com") -> str:
    """What the page says after the bind form was sent."""
    with _browser(product) as browser:
        return browser.post("/domains", data={"domain": name}).text


def test_g6_the_bind_card_has_a_field_a_button_and_a_warning_exactly_when_binding_is_enabled(world: World) -> None:
    with world.product() as product:
        page = _page(product)
        assert 'name="domain"' in page
        assert "Bind at Cloudflare" in page
        assert "stays pending until you set the name servers" in page
    with _without(world, "CLOUDFLARE_ACCOUNT_ID") as product:
        page = _page(product)
        assert 'name="domain"' not in page
        assert "Binding needs CLOUDFLARE_ACCOUNT_ID" in page


def test_g7_a_subdomain_is_answered_with_the_apex_and_the_mailbox_subdomain(world: World) -> None:
    with world.product() as product:
        refused = _bind(product, "mail.customer.com")

        assert refused.status_code == 400
        assert refused.json()["details"]["recommendedApex"] == "customer.com"
        assert refused.json()["details"]["recommendedMailboxSubdomain"] == "mail"
        page = _bound_on_the_page(product, "mail.customer.com")
        assert "Bind customer.com instead" in page
        assert "user@mail.customer.com" in page


def test_g8_a_zone_that_is_at_cloudflare_is_enabled_from_the_catalogue(world: World) -> None:
    with world.product() as product:
        headers = {"authorization": f"Bearer {world.environment['CLOUDFLARE_API_TOKEN']}"}
        body = {"name": "customer.com", "account": {"id": world.account_id}, "type": "full"}
        made = world.controls.post("/client/v4/zones", json=body, headers=headers).json()["result"]
        world.delegate("customer.com")
        assert "Not enabled" in _page(product)

        with _browser(product) as browser:
            page = browser.post("/domains/enable", data={"domain": "customer.com", "zone_id": made["id"]}).text

        assert "ready. Mailboxes can use it now." in page
        assert _meta(product)["domains"] == ["customer.com"]
        assert world.requests("POST").count("POST /zones") == 1  # the one made by hand


def test_g9_binding_creates_the_zone_reads_it_and_enables_email_routing(world: World) -> None:
    with world.product() as product:
        zone = f"/zones/{_bind(product).json()['zoneId']}"

        assert world.requests()[1:] == ["POST /zones", f"GET {zone}", f"POST {zone}/email/routing/enable"]


def test_g10_g11_and_g12_a_pending_domain_is_kept_shows_its_name_servers_and_retry_finishes_it(world: World) -> None:
    with world.product() as product:
        domain = _bind(product).json()
        [row] = product.admin.get("/api/domains/catalog").json()["domains"]
        assert (row["projectStatus"], row["cloudflareStatus"]) == ("provisioning_error", "pending")
        assert len(row["nameServers"]) == 2

        details = _page(product, f"/domains?details={domain['id']}")
        assert all(f'data-copy="{server}"' in details for server in row["nameServers"])
        assert f'data-copy="{domain["zoneId"]}"' in details

        early = product.admin.post(f"/api/domains/{domain['id']}/retry").json()
        assert (early["status"], early["zoneId"]) == ("provisioning_error", domain["zoneId"])

        world.delegate("customer.com")
        assert product.admin.post(f"/api/domains/{domain['id']}/retry").json()["status"] == "active"


def test_g13_an_active_domain_takes_mailboxes_by_name_by_ensure_and_at_random(world: World) -> None:
    with world.product() as product:
        product.active_domain("customer.com")
        named = product.admin.post("/api/mailboxes", json={"rootDomain": "customer.com"})
        ensured = product.admin.post("/api/mailboxes/ensure", json={"address": "ada@mail.customer.com"})
        random = product.admin.post("/api/mailboxes", json={})

        assert [answer.status_code for answer in (named, ensured, random)] == [201, 201, 201]
        assert random.json()["rootDomain"] == "customer.com"
        assert _meta(product)["domains"] == ["customer.com"]
        assert ">customer.com</option>" in _page(product, "/workspace")


def test_g15_disabling_stops_new_mailboxes_and_deletes_no_rule(world: World) -> None:
    with world.product() as product:
        domain = product.active_domain("customer.com")
        product.admin.post("/api/mailboxes", json={})
        before = len(world.requests())

        product.admin.post(f"/api/domains/{domain['id']}/disable")

        assert (
            code_of(product.admin.post("/api/mailboxes", json={"mailDomain": "customer.com"})) == "domain_not_enabled"
        )
        assert len(world.requests()) == before


def test_g16_without_zone_create_the_permission_is_named_and_nothing_else_is_called(world: World) -> None:
    with _without(world, CLOUDFLARE_API_TOKEN=_token(world, "Zone Read", "Zone Settings Write")) as product:
        refused = _bind(product)

        assert code_of(refused) == "zone_create_permission_missing"
        assert "com.cloudflare.api.account.zone.create" in refused.json()["error"]
        assert world.requests() == ["GET /zones", "POST /zones"]
        page = _bound_on_the_page(product)
        assert "The token may not create zones" in page
        assert "/docs/project-domain-binding#missing-zone-create-permission" in page


def test_g19_a_zone_that_is_not_delegated_is_said_to_wait_and_kept(world: World) -> None:
    with world.product() as product:
        domain = _bind(product).json()

        assert domain["lastProvisionCode"] == "cloudflare_zone_not_active"
        assert "name servers" in domain["lastProvisionError"]
        page = _page(product, f"/domains?details={domain['id']}")
        assert "Waiting for nameservers" in page
        assert f"/domains/{domain['id']}/retry" in page
        assert domain["lastProvisionGuide"].endswith("#zone-pending-or-nameserver-not-delegated")


@pytest.mark.parametrize(
    ("left_out", "code"), [("EMAIL_WORKER_NAME", "worker_name_missing"), ("CLOUDFLARE_API_TOKEN", "token_missing")]
)
def test_g20_a_missing_worker_name_or_token_is_said_as_configuration(world: World, left_out: str, code: str) -> None:
    with _without(world, left_out) as product:
        refused = _bind(product)

        assert (refused.status_code, code_of(refused)) == (500, code)
        assert left_out in refused.json()["error"]
        assert world.requests() == []
        assert refused.json()["details"]["guide"].endswith("#email-routing-runtime-config-missing")


def test_g17_and_g21_a_refusal_to_enable_email_routing_is_kept_with_its_code(world: World) -> None:
    with _without(world, CLOUDFLARE_API_TOKEN=_token(world, "Zone Write", "Email Routing Rules Write")) as product:
        bound = _bind(product)

        assert bound.status_code == 201
        assert bound.json()["lastProvisionCode"] == "email_routing_permission_missing"
        events = product.admin.get(f"/api/domains/{bound.json()['id']}/events").json()["events"]
        assert events[0]["details"]["permission"] == "Zone: Zone Settings: Edit"
        check = product.admin.get("/api/domains/token-check").json()
        assert "Zone: Zone Settings: Edit" in {missing["permission"] for missing in check["missing"]}


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("GET", "/zones", "Zone: Zone: Edit"),
        ("GET", "/zones/*", "Zone: Zone: Edit"),
        ("POST", "/zones/*/email/routing/enable", "Zone: Zone Settings: Edit"),
    ],
)
def test_g17_a_refused_call_names_the_permission_to_add(world: World, method: str, path: str, permission: str) -> None:
    with world.product() as product:
        fault = {"match": {"method": method, "path": path}, "status": 403, "code": 10000, "times": 1}
        world.controls.post("/_sandbox/faults", json=fault).raise_for_status()

        page = _bound_on_the_page(product)

        assert permission in page
        assert "/docs/project-domain-binding#" in page
        assert "Authentication error" in page


def test_g22_anything_else_keeps_cloudflares_own_words(world: World) -> None:
    with world.product() as product:
        fault = {"match": {"method": "POST", "path": "/zones"}, "status": 400, "code": 1097, "times": 1}
        message = "This web property cannot be added to Cloudflare at this time."
        world.controls.post("/_sandbox/faults", json={**fault, "message": message}).raise_for_status()

        refused = _bind(product)

        assert (refused.status_code, refused.json()["error"]) == (502, message)
        told = refused.json()["details"]["cloudflare"]
        assert (told["method"], told["path"], told["status"], told["code"]) == ("POST", "/zones", 400, 1097)
        assert told["rayId"]
        assert told["milliseconds"] >= 0
        world.controls.post("/_sandbox/faults", json={**fault, "message": message}).raise_for_status()
        page = _bound_on_the_page(product)
        assert f"1097: {message}" in page
        assert "Check the token and its permissions, the account, the Worker" in page


def test_an_account_with_230_zones_is_in_the_catalogue_whole(world: World) -> None:
    with world.product() as product:
        headers = {"authorization": f"Bearer {world.environment['CLOUDFLARE_API_TOKEN']}"}
        for number in range(230):
            body = {"name": f"zone-{number}.com", "account": {"id": world.account_id}, "type": "full"}
            world.controls.post("/client/v4/zones", json=body, headers=headers).raise_for_status()

        rows = product.admin.get("/api/domains/catalog").json()["domains"]

        assert sorted(row["rootDomain"] for row in rows) == sorted(f"zone-{number}.com" for number in range(230))
