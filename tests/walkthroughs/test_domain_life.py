"""A domain's life beyond the first day: found in the catalogue, watched, limited, deleted."""

from typing import Any

import pytest

from tests.api_client import code_of
from tests.polling import poll
from tests.servers import Product


def _domains(product: Product) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = product.admin.get("/api/domains").json()["domains"]
    return listed


def _fault(product: Product, method: str, path: str, **what: Any) -> None:
    body = {"match": {"method": method, "path": path}, "times": 1, **what}
    product.world.controls.post("/_sandbox/faults", json=body).raise_for_status()


def _zone_made_elsewhere(product: Product, name: str) -> str:
    """A zone the operator made in Cloudflare's own dashboard, active; its id."""
    token = product.world.environment["CLOUDFLARE_API_TOKEN"]
    made = product.world.controls.post(
        "/client/v4/zones",
        json={"name": name, "account": {"id": product.world.account_id}, "type": "full"},
        headers={"authorization": f"Bearer {token}"},
    ).raise_for_status()
    product.world.delegate(name)
    return str(made.json()["result"]["id"])


def test_a_delegated_domain_becomes_active_without_anybody_pressing_retry(product: Product) -> None:
    domain = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"}).json()
    assert domain["status"] == "provisioning_error"

    product.world.delegate("customer.com")

    poll(lambda: _domains(product)[0]["status"] == "active")
    kinds = [event["kind"] for event in product.admin.get(f"/api/domains/{domain['id']}/events").json()["events"]]
    assert kinds[0] == "ready"
    assert kinds[-1] == "zone_created"
    assert product.world.requests("POST").count("POST /zones") == 1


def test_the_history_keeps_cloudflares_exact_answer(product: Product) -> None:
    domain = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"}).json()

    events = product.admin.get(f"/api/domains/{domain['id']}/events").json()["events"]

    [refused] = [event for event in events if event["kind"] == "refused"]
    assert refused["code"] == "cloudflare_zone_not_active"
    told = refused["details"]["cloudflare"]
    assert (told["status"], told["code"], told["message"]) == (403, 2009, "Active zone required")
    assert told["rayId"]


def test_a_zone_that_is_at_cloudflare_is_enabled_from_the_catalogue(product: Product) -> None:
    zone_id = _zone_made_elsewhere(product, "existing.com")
    [row] = product.admin.get("/api/domains/catalog").json()["domains"]
    assert (row["projectStatus"], row["cloudflareStatus"], row["id"]) == ("not_enabled", "active", None)

    enabled = product.admin.post("/api/domains", json={"mailDomain": "existing.com", "zoneId": zone_id})
    again = product.admin.post("/api/domains", json={"mailDomain": "existing.com", "zoneId": zone_id})

    assert enabled.status_code == 201
    assert (enabled.json()["status"], enabled.json()["bindingSource"]) == ("active", "catalog")
    assert (again.status_code, code_of(again)) == (409, "domain_exists")


def test_a_zone_nobody_sees_cannot_be_enabled_and_leaves_nothing(product: Product) -> None:
    refused = product.admin.post("/api/domains", json={"mailDomain": "existing.com", "zoneId": "0" * 32})

    assert (refused.status_code, refused.json()["error"]) == (400, "Mailbox domain is not available in Cloudflare")
    assert _domains(product) == []


def test_a_disabled_domain_is_enabled_again_as_the_same_row(product: Product) -> None:
    domain = product.active_domain("customer.com")
    product.admin.post(f"/api/domains/{domain['id']}/disable")

    enabled = product.admin.post("/api/domains", json={"rootDomain": "customer.com", "zoneId": domain["zoneId"]})

    assert enabled.status_code == 200
    assert (enabled.json()["id"], enabled.json()["status"]) == (domain["id"], "active")
    assert enabled.json()["bindingSource"] == "project_bind"


def test_a_bound_domain_is_deleted_with_its_zone_and_may_be_bound_anew(product: Product) -> None:
    domain = product.active_domain("customer.com")

    deleted = product.admin.post(f"/api/domains/{domain['id']}/delete")

    assert deleted.status_code == 204
    assert _domains(product) == []
    assert product.admin.get("/api/domains/catalog").json()["domains"] == []
    assert product.admin.post(f"/api/domains/{domain['id']}/delete").status_code == 204
    bound = product.admin.post("/api/domains/bind", json={"mailDomain": "customer.com"})
    assert (bound.status_code, bound.json()["id"]) == (200, domain["id"])


def test_a_domain_with_mailboxes_is_not_deleted(product: Product) -> None:
    domain = product.active_domain("customer.com")
    product.admin.post("/api/mailboxes", json={})

    refused = product.admin.post(f"/api/domains/{domain['id']}/delete")

    assert (refused.status_code, refused.json()["error"]) == (409, "Mailbox domain still has non-destroyed mailboxes")
    assert _domains(product)[0]["status"] == "active"


@pytest.mark.parametrize(
    "fault", [{"status": 500, "times": 3}, {"status": 403, "code": 10000, "message": "Authentication error"}]
)
def test_a_zone_cloudflare_will_not_delete_brings_the_domain_back(product: Product, fault: dict[str, Any]) -> None:
    domain = product.active_domain("customer.com")
    _fault(product, "DELETE", f"/zones/{domain['zoneId']}", **fault)

    refused = product.admin.post(f"/api/domains/{domain['id']}/delete")

    assert refused.status_code == 502
    [kept] = _domains(product)
    assert (kept["status"], kept["disabledAt"]) == ("active", None)


def test_a_lost_answer_to_the_deletion_is_a_deletion(product: Product) -> None:
    domain = product.active_domain("customer.com")
    _fault(product, "DELETE", f"/zones/{domain['zoneId']}", drop="after")

    assert product.admin.post(f"/api/domains/{domain['id']}/delete").status_code == 204
    assert product.admin.get("/api/domains/catalog").json()["domains"] == []


def test_a_domain_from_the_catalogue_is_not_ours_to_delete(product: Product) -> None:
    zone_id = _zone_made_elsewhere(product, "existing.com")
    domain = product.admin.post("/api/domains", json={"mailDomain": "existing.com", "zoneId": zone_id}).json()

    refused = product.admin.post(f"/api/domains/{domain['id']}/delete")

    assert (refused.status_code, refused.json()["error"]) == (409, "Only project-bound domains can be deleted")


def test_in_a_cooldown_nobody_asks_cloudflare_and_the_catalogue_shows_what_it_last_saw(product: Product) -> None:
    domain = product.active_domain("customer.com")
    product.admin.get("/api/domains/catalog")
    _fault(product, "GET", f"/zones/{domain['zoneId']}", status=429, retryAfter=120)

    limited = product.admin.post(f"/api/domains/{domain['id']}/retry")
    calls = len(product.world.requests())
    blocked = product.admin.post("/api/domains/bind", json={"mailDomain": "other.com"})
    catalog = product.admin.get("/api/domains/catalog").json()

    assert limited.headers["retry-after"] == "120"
    assert (blocked.status_code, code_of(blocked)) == (429, "cloudflare_rate_limited")
    assert len(product.world.requests()) == calls
    sync = catalog["cloudflareSync"]
    assert sync["status"] == "rate_limited"
    assert 0 < sync["retryAfterSeconds"] <= 120
    assert sync["rateLimitContext"]["projectOperation"] == "domains.retry"
    assert sync["rateLimitContext"]["cloudflarePath"] == f"/zones/{domain['zoneId']}"
    assert sync["rateLimitContext"]["lastBlockedBy"]["projectOperation"] == "domains.catalog"
    [row] = catalog["domains"]
    assert (row["cloudflareAvailability"], row["cloudflareStatus"], row["projectStatus"]) == (
        "available",
        "active",
        "active",
    )
    assert sync["zonesSeenAt"] is not None


def test_when_cloudflare_is_gone_the_catalogue_still_shows_our_own(product: Product) -> None:
    product.active_domain("customer.com")
    product.world.cloudflare.close()

    answer = product.admin.get("/api/domains/catalog")

    assert answer.status_code == 200
    assert answer.json()["cloudflareSync"]["problem"]["code"] == "cloudflare_unreachable"
    assert [row["rootDomain"] for row in answer.json()["domains"]] == ["customer.com"]
    assert product.admin.get("/api/mailboxes").status_code == 200
