"""What is on the wire around every answer: keys in their order, headers, unknown paths, bodies that are none."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result, rule_for


def test_each_product_has_its_own_order_of_keys(cloudflare: Pretend) -> None:
    api, path = cloudflare.api, cloudflare.routing_zone()

    def keys(url: str) -> list[str]:
        return list(api.get(url).json())

    assert keys("/zones") == ["result", "result_info", "success", "errors", "messages"]
    assert keys(path) == ["result", "success", "errors", "messages"]
    assert keys(f"{path}/dns_records") == ["result", "success", "errors", "messages", "result_info"]
    assert keys(f"{path}/dns_records/{'0' * 32}") == ["result", "success", "errors", "messages"]
    assert keys(f"{path}/email/routing") == ["success", "errors", "messages", "result"]
    assert keys(f"{path}/email/routing/rules") == ["success", "errors", "messages", "result", "result_info"]
    assert keys("/nothing/here") == ["success", "errors", "messages", "result"]


def test_every_answer_carries_cloudflares_headers(cloudflare: Pretend) -> None:
    for answer in (cloudflare.api.get("/zones"), cloudflare.api.get("/nothing/here")):
        assert re.fullmatch(r"[0-9a-f]{16}-[A-Z]{3}", answer.headers["cf-ray"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", answer.headers["api-version"])
        assert uuid.UUID(answer.headers["cf-auditlog-id"]).version == 7
        assert answer.headers["server"] == "cloudflare"


def test_rate_limit_headers_do_not_count_down_and_differ_for_the_list_of_zones(cloudflare: Pretend) -> None:
    path = cloudflare.routing_zone()

    zones, settings = cloudflare.api.get("/zones"), cloudflare.api.get(f"{path}/email/routing")

    assert zones.headers["ratelimit"] == '"list_zones";r=1200;t=1'
    assert zones.headers["ratelimit-policy"] == '"list_zones";q=1201;w=300'
    assert settings.headers["ratelimit"] == '"default";r=1199;t=1'
    assert settings.headers["ratelimit-policy"] == '"default";q=1200;w=300'
    assert zones.headers["content-type"] == "application/json"
    assert settings.headers["content-type"] == "application/json; charset=UTF-8"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/zones/{zone}/email/routing/subdomains", 404),
        ("/nothing", 404),
        ("/zones/not-an-id", 400),
        ("/zones/{zone}/dns_records/not-an-id", 400),
    ],
)
def test_a_path_that_leads_nowhere_has_two_errors(cloudflare: Pretend, path: str, status: int) -> None:
    answer = cloudflare.api.get(path.format(zone=cloudflare.active_zone().removeprefix("/zones/")))

    assert answer.status_code == status
    assert [error["code"] for error in answer.json()["errors"]] == [7003, 7000]


def test_three_ways_to_read_pages_all_come_to_the_end(cloudflare: Pretend) -> None:
    """Wrangler multiplies, LinuxDoSpace counts pages, the SDK goes on to the first empty one."""
    path = f"{cloudflare.routing_zone()}/email/routing/rules"
    for number in range(45):
        result(cloudflare.api.post(path, json=rule_for(f"box{number}@example.com")))

    def read(is_last: Callable[[dict[str, Any]], bool]) -> int:
        rows, page = 0, 1
        while True:
            query: dict[str, str | int] = {"page": page, "per_page": 20, "order": "created", "direction": "asc"}
            envelope = cloudflare.api.get(path, params=query).json()
            rows, page = rows + len(envelope["result"]), page + 1
            if is_last(envelope):
                return rows

    wrangler = read(lambda told: _info(told, "page") * _info(told, "per_page") >= _info(told, "total_count"))
    linuxdospace = read(lambda told: _info(told, "page") >= _info(told, "total_pages"))
    sdk = read(lambda told: told["result"] == [])
    assert (wrangler, linuxdospace, sdk) == (46, 46, 46)


def _info(envelope: dict[str, Any], name: str) -> int:
    return int(envelope["result_info"][name])


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_malformed(cloudflare: Pretend, body: bytes) -> None:
    path = cloudflare.active_zone()

    for url in ("/zones", f"{path}/dns_records", f"{path}/email/routing/rules", f"{path}/email/routing/enable"):
        assert refusal(cloudflare.api.post(url, content=body)) == (400, 6007)
    assert cloudflare.controls.post("/tokens", content=body).status_code == 400


def test_what_is_outside_both_trees_is_not_found(cloudflare: Pretend) -> None:
    assert cloudflare.controls.get(f"{cloudflare.url}/").status_code == 404
    assert cloudflare.controls.get("/nothing").status_code == 404
    assert cloudflare.controls.post("/zones/unknown.com/delegate").status_code == 404


def test_received_calls_are_told_in_order_and_without_the_token(cloudflare: Pretend) -> None:
    path = cloudflare.pending_zone()
    cloudflare.api.post(f"{path}/email/routing/enable", json={"name": "x"})
    result(cloudflare.api.get("/zones", params={"name": "example.com"}))

    calls = cloudflare.received()

    assert [(call["method"], call["path"], call["status"]) for call in calls] == [
        ("POST", "/zones", 200),
        ("POST", f"{path}/email/routing/enable", 403),
        ("GET", "/zones", 200),
    ]
    assert (calls[1]["body"], calls[2]["body"], calls[2]["query"]) == ({"name": "x"}, None, {"name": "example.com"})
    assert "cfut_" not in cloudflare.controls.get("/requests").text
    assert "cfut_" not in cloudflare.controls.get("/state").text
