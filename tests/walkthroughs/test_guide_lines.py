"""
What a reader of the guide tries, line by line (G1 to G22).

G4 (deploy workflow), G14 (catch-all) and G23 (docs site) are other issues'. Lines whose story is told
elsewhere are named there: G9, G10 and G12 in test_binding_a_domain.py and test_bind_failures.py, G8 in
test_domain_life.py, G17 and G21 in test_token_check.py; here each has its one-line form.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api_client import code_of
from tests.servers import Product, World, a_world


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


def test_g6_the_bind_card_shows_exactly_when_binding_is_enabled(world: World) -> None:
    from tests.servers import ADMIN_KEY

    def card_shown(product: Product) -> bool:
        with httpx.Client(base_url=product.url) as browser:
            browser.post("/login", data={"api_key": ADMIN_KEY})
            return 'name="domain"' in browser.get("/domains").text

    with world.product() as product:
        assert card_shown(product)
    with _without(world, "CLOUDFLARE_ACCOUNT_ID") as product:
        assert not card_shown(product)


def test_g7_a_subdomain_is_answered_with_the_apex_and_the_mailbox_subdomain(world: World) -> None:
    with world.product() as product:
        refused = _bind(product, "mail.customer.com")

        assert refused.status_code == 400
        assert refused.json()["details"]["recommendedApex"] == "customer.com"
        assert refused.json()["details"]["recommendedMailboxSubdomain"] == "mail"


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


def test_g19_a_zone_that_is_not_delegated_is_said_to_wait_and_kept(world: World) -> None:
    with world.product() as product:
        domain = _bind(product).json()

        assert domain["lastProvisionCode"] == "cloudflare_zone_not_active"
        assert "name servers" in domain["lastProvisionError"]


@pytest.mark.parametrize(
    ("left_out", "code"), [("EMAIL_WORKER_NAME", "worker_name_missing"), ("CLOUDFLARE_API_TOKEN", "token_missing")]
)
def test_g20_a_missing_worker_name_or_token_is_said_as_configuration(world: World, left_out: str, code: str) -> None:
    with _without(world, left_out) as product:
        refused = _bind(product)

        assert (refused.status_code, code_of(refused)) == (500, code)
        assert left_out in refused.json()["error"]
        assert world.requests() == []


def test_g17_and_g21_a_refusal_to_enable_email_routing_is_kept_with_its_code(world: World) -> None:
    with _without(world, CLOUDFLARE_API_TOKEN=_token(world, "Zone Write", "Email Routing Rules Write")) as product:
        bound = _bind(product)

        assert bound.status_code == 201
        assert bound.json()["lastProvisionCode"] == "email_routing_permission_missing"
        events = product.admin.get(f"/api/domains/{bound.json()['id']}/events").json()["events"]
        assert events[0]["details"]["permission"] == "Zone: Zone Settings: Edit"
        check = product.admin.get("/api/domains/token-check").json()
        assert "Zone: Zone Settings: Edit" in {missing["permission"] for missing in check["missing"]}


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


def test_an_account_with_230_zones_is_in_the_catalogue_whole(world: World) -> None:
    with world.product() as product:
        headers = {"authorization": f"Bearer {world.environment['CLOUDFLARE_API_TOKEN']}"}
        for number in range(230):
            body = {"name": f"zone-{number}.com", "account": {"id": world.account_id}, "type": "full"}
            world.controls.post("/client/v4/zones", json=body, headers=headers).raise_for_status()

        rows = product.admin.get("/api/domains/catalog").json()["domains"]

        assert sorted(row["rootDomain"] for row in rows) == sorted(f"zone-{number}.com" for number in range(230))
