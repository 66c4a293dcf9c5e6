"""Binding while others double-click, bind the same name, delete, switch off, or change Cloudflare by hand."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.api_client import code_of
from tests.polling import poll
from tests.servers import ADMIN_KEY, Product


def _rows(product: Product) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = product.admin.get("/api/domains").json()["domains"]
    return rows


def _bind(product: Product) -> httpx.Response:
    with product.client(ADMIN_KEY) as admin:
        return admin.post("/api/domains/bind", json={"mailDomain": "customer.com"})


def _slow(product: Product, method: str, path: str, milliseconds: int, **more: Any) -> None:
    fault = {"match": {"method": method, "path": path}, "times": 1, "delayMs": milliseconds, **more}
    product.world.controls.post("/_sandbox/faults", json=fault).raise_for_status()


def _by_hand(product: Product, method: str, path: str, **body: Any) -> Any:
    """What somebody does in Cloudflare's own dashboard."""
    token = product.world.environment["CLOUDFLARE_API_TOKEN"]
    headers = {"authorization": f"Bearer {token}"}
    answer = product.world.controls.request(method, f"/client/v4{path}", json=body or None, headers=headers)
    return answer.raise_for_status().json()["result"]


def _made_by_hand(product: Product) -> str:
    zone = _by_hand(product, "POST", "/zones", name="customer.com", account={"id": product.world.account_id})
    product.world.delegate("customer.com")
    return str(zone["id"])


def _seen(product: Product, call: str) -> bool:
    return call in product.world.requests()


def test_ten_clicks_of_two_admins_at_once_make_one_zone_and_one_row(product: Product) -> None:
    _slow(product, "POST", "/zones", 500)

    with ThreadPoolExecutor(10) as people:
        answers = list(people.map(lambda _: _bind(product), range(10)))

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert product.world.requests("POST").count("POST /zones") == 1
    assert len(_rows(product)) == 1


def test_a_domain_deleted_while_it_is_bound_stays_deleted_with_its_zone(product: Product) -> None:
    _slow(product, "POST", "/zones/*/email/routing/enable", 1500)

    with ThreadPoolExecutor(1) as other:
        binding = other.submit(_bind, product)
        poll(lambda: bool(_rows(product)))
        deleted = product.admin.post(f"/api/domains/{_rows(product)[0]['id']}/delete")
        bound = binding.result()

    assert deleted.status_code == 204
    # The delete waits for the bind, whose answer may find the domain or its end.
    assert bound.status_code == 201 or code_of(bound) == "domain_not_found"
    assert _rows(product) == []
    assert _by_hand(product, "GET", "/zones?name=customer.com") == []


def test_a_domain_switched_off_while_it_is_retried_stays_off(product: Product) -> None:
    domain = product.active_domain("customer.com")
    _slow(product, "POST", "/zones/*/email/routing/enable", 1500)

    with ThreadPoolExecutor(1) as other, product.client(ADMIN_KEY) as colleague:
        before = len(product.world.requests())
        retrying = other.submit(colleague.post, f"/api/domains/{domain['id']}/retry")
        poll(lambda: len(product.world.requests()) > before)
        product.admin.post(f"/api/domains/{domain['id']}/disable")
        retried = retrying.result()

    assert (retried.status_code, retried.json()["status"]) == (200, "disabled")
    assert _rows(product)[0]["status"] == "disabled"


def test_retry_while_the_watch_provisions_joins_it(product: Product) -> None:
    domain = _bind(product).json()
    enable = f"POST /zones/{domain['zoneId']}/email/routing/enable"
    before = product.world.requests().count(enable)
    _slow(product, "POST", "/zones/*/email/routing/enable", 1500)
    product.world.delegate("customer.com")
    poll(lambda: product.world.requests().count(enable) > before)

    retried = product.admin.post(f"/api/domains/{domain['id']}/retry")

    assert (retried.status_code, retried.json()["status"]) == (200, "active")
    assert product.world.requests().count(enable) == before + 1


def test_a_zone_deleted_at_cloudflare_by_hand_is_told_on_retry_and_bound_anew(product: Product) -> None:
    domain = product.active_domain("customer.com")
    _by_hand(product, "DELETE", f"/zones/{domain['zoneId']}")

    lost = product.admin.post(f"/api/domains/{domain['id']}/retry").json()
    bound = _bind(product)
    product.world.delegate("customer.com")

    assert (lost["status"], lost["lastProvisionCode"]) == ("provisioning_error", "zone_gone")
    assert (bound.status_code, bound.json()["id"]) == (200, domain["id"])
    assert bound.json()["zoneId"] != domain["zoneId"]
    assert bound.json()["bindingSource"] == "project_bind"
    poll(lambda: _rows(product)[0]["status"] == "active")


def test_a_zone_made_anew_by_hand_is_found_by_its_name_on_retry_and_is_not_ours_to_delete(product: Product) -> None:
    domain = product.active_domain("customer.com")
    _by_hand(product, "DELETE", f"/zones/{domain['zoneId']}")
    zone_id = _made_by_hand(product)

    retried = product.admin.post(f"/api/domains/{domain['id']}/retry").json()

    assert (retried["status"], retried["zoneId"], retried["bindingSource"]) == ("active", zone_id, "catalog")
    deleted = product.admin.post(f"/api/domains/{domain['id']}/delete")
    assert (deleted.status_code, code_of(deleted)) == (409, "domain_not_ours_to_delete")


def test_a_waiting_zone_that_vanishes_is_said_so_instead_of_waited_for_for_ever(product: Product) -> None:
    domain = _bind(product).json()

    _by_hand(product, "DELETE", f"/zones/{domain['zoneId']}")

    poll(lambda: _rows(product)[0]["lastProvisionCode"] == "zone_gone")


def test_a_new_mailbox_after_the_zone_was_made_anew_has_its_host_switched_on_again(product: Product) -> None:
    domain = product.active_domain("customer.com")
    product.admin.post("/api/mailboxes", json={"subdomain": "mail", "localPart": "ada"}).raise_for_status()
    _by_hand(product, "DELETE", f"/zones/{domain['zoneId']}")
    zone_id = _made_by_hand(product)
    product.admin.post(f"/api/domains/{domain['id']}/retry").raise_for_status()

    product.admin.post("/api/mailboxes", json={"subdomain": "mail", "localPart": "bob"}).raise_for_status()

    assert _seen(product, f"POST /zones/{zone_id}/email/routing/dns")
