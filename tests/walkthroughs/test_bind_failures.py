"""
Every call of a bind × every way Cloudflare can fail it.

Whatever fails where: no zone is made twice, none is left that we do not know of, the answer has a
code, and once the trouble is over the domain gets active.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.polling import poll
from tests.servers import Product, a_world

CALLS = {
    "look up": ("GET", "/zones"),
    "create": ("POST", "/zones"),
    "read": ("GET", "/zones/*"),
    "enable": ("POST", "/zones/*/email/routing/enable"),
}
FAILURES: dict[str, dict[str, Any]] = {
    "400": {"status": 400, "code": 1097, "message": "This web property cannot be added"},
    "401": {"status": 401, "code": 1000, "message": "Invalid API Token"},
    "403": {"status": 403, "code": 10000, "message": "Authentication error"},
    "404": {"status": 404, "code": 7003, "message": "Could not route"},
    "409": {"status": 409, "code": 2008, "message": "Non-Cloudflare MX records exist"},
    "429 with Retry-After": {"status": 429, "code": 971, "retryAfter": 1},
    "429 without Retry-After": {"status": 429, "code": 971},
    "500": {"status": 500, "code": 1052, "message": "An error has occurred"},
    "500 three times": {"status": 500, "code": 1052, "message": "An error has occurred", "times": 3},
    "HTML 502": {"status": 502, "body": "html"},
    "no answer in time": {"delayMs": 2500},
    "connection dropped before": {"drop": "before"},
    "connection dropped after": {"drop": "after"},
    "dropped after, three times": {"drop": "after", "times": 3},
    "200 that says no": {"body": "success_false_200"},
    "200 that is no JSON": {"body": "not_json_200"},
    "a result of odd types": {"content": '{"success": true, "errors": [], "result": [7]}'},
    "a result of odd types, after it happened": {"content": '{"success": true, "result": {}}', "takesEffect": True},
    "byte by byte": {"trickleMs": 100, "fillBytes": -1},
    "without end": {"fillBytes": -1},
}
_numbers = count(1)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    quick = {"CLOUDFLARE_TIMEOUT_SECONDS": "1", "CLOUDFLARE_MAX_RETRY_AFTER_SECONDS": "1"}
    with a_world(tmp_path_factory.mktemp("world"), **quick) as world, world.product() as running:
        yield running


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", CALLS)
def test_nothing_is_orphaned_or_doubled_and_a_later_try_succeeds(product: Product, call: str, failure: str) -> None:
    name, controls = f"customer-{next(_numbers)}.com", product.world.controls
    method, path = CALLS[call]
    fault = {"match": {"method": method, "path": path}, "times": 1, **FAILURES[failure]}
    controls.post("/_sandbox/faults", json=fault).raise_for_status()
    before = product.world.requests("POST").count("POST /zones")

    answer = product.admin.post("/api/domains/bind", json={"mailDomain": name})

    controls.delete("/_sandbox/faults").raise_for_status()
    zones, rows = _zones(product, name), _rows(product, name)
    assert len(zones) <= 1, "two zones of one name"
    if zones:
        assert [row["zoneId"] for row in rows] == zones, "a zone that is in no row"
        assert answer.status_code == 201
        assert rows[0]["status"] == "provisioning_error"
        assert rows[0]["lastProvisionCode"]
    else:
        assert rows == []
        assert answer.status_code in (429, 502), answer.text
        assert "cloudflare" in answer.json()["details"], "Cloudflare's exact answer is missing"
    tries = product.world.requests("POST").count("POST /zones") - before
    assert tries <= 4

    _bind_until_it_stands(product, name)
    product.world.delegate(name)
    _make_active(product, name)
    assert len(_zones(product, name)) == 1


def _zones(product: Product, name: str) -> list[str]:
    token = product.world.environment["CLOUDFLARE_API_TOKEN"]
    headers = {"authorization": f"Bearer {token}"}
    found = product.world.controls.get("/client/v4/zones", params={"name": name}, headers=headers).json()["result"]
    return [zone["id"] for zone in found]


def _rows(product: Product, name: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = product.admin.get("/api/domains").json()["domains"]
    return [row for row in listed if row["rootDomain"] == name]


def _bind_until_it_stands(product: Product, name: str) -> None:
    """Asks again while a cooldown of a second lasts."""
    bind = {"mailDomain": name}
    answer = poll(lambda: product.admin.post("/api/domains/bind", json=bind), lambda answer: answer.status_code != 429)
    assert answer.status_code in (200, 201), answer.text


def _make_active(product: Product, name: str) -> None:
    """Retries while a cooldown of a second lasts."""

    def is_active() -> bool:
        [row] = _rows(product, name)
        if row["status"] != "active":
            answer = product.admin.post(f"/api/domains/{row['id']}/retry")
            assert answer.status_code in (200, 429), answer.text
        return bool(row["status"] == "active")

    poll(is_active)


@pytest.mark.parametrize("call", CALLS)
def test_a_token_that_cloudflare_repeats_is_neither_told_nor_kept(product: Product, call: str) -> None:
    name, controls, token = (
        f"customer-{next(_numbers)}.com",
        product.world.controls,
        product.world.environment["CLOUDFLARE_API_TOKEN"],
    )
    method, path = CALLS[call]
    fault = {
        "match": {"method": method, "path": path},
        "status": 400,
        "code": 1097,
        "message": "not for {authorization}",
    }
    controls.post("/_sandbox/faults", json=fault).raise_for_status()

    answer = product.admin.post("/api/domains/bind", json={"mailDomain": name})
    catalog = product.admin.get("/api/domains/catalog")

    assert token not in answer.text + catalog.text
    assert "not for Bearer [token]" in answer.text
    kept = [file for file in (product.world.folder / "data").rglob("*") if file.is_file()]
    assert kept
    assert [file for file in kept if token.encode() in file.read_bytes()] == []
