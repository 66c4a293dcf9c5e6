"""Zones: their life, their list, and the names that are refused."""

import httpx
import pytest

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result


def test_a_new_domain_goes_from_pending_to_receiving_mail(cloudflare: Pretend) -> None:
    api = cloudflare.api
    created = result(api.post("/zones", json={"name": "Example.com", "account": {"id": cloudflare.account_id}}))
    path = f"/zones/{created['id']}"
    assert (created["name"], created["status"], created["activated_on"]) == ("example.com", "pending", None)
    assert len(created["name_servers"]) == 2

    assert refusal(api.post(f"{path}/email/routing/enable", json={})) == (403, 2009)
    assert refusal(api.get(f"{path}/email/routing/dns")) == (403, 2009)
    cloudflare.delegate()
    assert result(api.put(f"{path}/activation_check")) == {"id": created["id"]}
    assert refusal(api.put(f"{path}/activation_check")) == (400, 1224)
    assert result(api.get(path))["status"] == "active"
    assert result(api.post(f"{path}/email/routing/enable", json={}))["status"] == "ready"
    (catch_all,) = result(api.get(f"{path}/email/routing/rules"))
    assert (catch_all["enabled"], catch_all["actions"]) == (False, [{"type": "drop"}])
    worker = {"matchers": [{"type": "all"}], "actions": [{"type": "worker", "value": ["inbound"]}], "enabled": True}
    assert result(api.put(f"{path}/email/routing/rules/catch_all", json=worker))["enabled"] is True


def test_an_activation_check_may_be_asked_for_again_after_an_hour(cloudflare: Pretend) -> None:
    path = cloudflare.pending_zone()
    result(cloudflare.api.put(f"{path}/activation_check"))

    cloudflare.controls.post("/clock", json={"advanceSeconds": 3600}).raise_for_status()

    assert result(cloudflare.api.put(f"{path}/activation_check"))["id"]
    assert result(cloudflare.api.get(path))["status"] == "pending"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("com", 1099),
        ("co.uk", 1099),
        ("example", 1099),
        ("mail.example.com", 1116),
        ("a.b.co.uk", 1116),
        ("mail.shop.example", 1116),
        ("nobody-has-this.com", 1049),
        ("", 1099),
        ("two words.com", 1099),
    ],
)
def test_a_name_that_is_no_root_domain_is_refused(cloudflare: Pretend, name: str, code: int) -> None:
    switches = {"zone_refusals": {"nobody-has-this.com": "1049"}}
    cloudflare.controls.patch("/switches", json=switches).raise_for_status()

    answer = cloudflare.api.post("/zones", json={"name": name, "account": {"id": cloudflare.account_id}})

    assert refusal(answer) == (400, code)


@pytest.mark.parametrize("name", ["example.com", "example.co.uk", "shop.example", "customer.test"])
def test_a_root_domain_is_taken_once(cloudflare: Pretend, name: str) -> None:
    cloudflare.pending_zone(name)

    again = cloudflare.api.post("/zones", json={"name": name, "account": {"id": cloudflare.account_id}})

    assert refusal(again) == (400, 1061)
    assert again.json()["errors"][0]["message"] == f"{name} already exists"


def test_zones_are_found_by_name_and_status_and_a_mistyped_filter_is_ignored(cloudflare: Pretend) -> None:
    cloudflare.pending_zone("one.com")
    cloudflare.active_zone("two.com")

    def names(**query: str) -> list[str]:
        return [zone["name"] for zone in result(cloudflare.api.get("/zones", params=query))]

    assert names(name="two.com") == ["two.com"]
    assert names(name="contains:o") == ["one.com", "two.com"]
    assert names(status="pending") == ["one.com"]
    assert names(name="three.com") == []
    assert names(**{"account.id": cloudflare.account_id}) == ["one.com", "two.com"]
    assert names(nmae="one.com") == ["one.com", "two.com"]


def test_a_page_past_the_end_is_empty_and_keeps_the_totals(cloudflare: Pretend) -> None:
    for number in range(3):
        cloudflare.pending_zone(f"number{number}.com")

    def page(number: int) -> httpx.Response:
        return cloudflare.api.get("/zones", params={"page": number, "per_page": 2})

    assert [zone["name"] for zone in result(page(2))] == ["number2.com"]
    info = {"page": 3, "per_page": 2, "count": 0, "total_count": 3, "total_pages": 2}
    assert (result(page(3)), page(3).json()["result_info"]) == ([], info)


def test_a_deleted_zone_is_gone_with_its_rules_and_starts_again_as_pending(cloudflare: Pretend) -> None:
    path = cloudflare.routing_zone()
    servers = result(cloudflare.api.get(path))["name_servers"]

    assert result(cloudflare.api.delete(path)) == {"id": path.removeprefix("/zones/")}

    assert refusal(cloudflare.api.get(path)) == (403, 9109)
    assert refusal(cloudflare.api.get(f"{path}/email/routing/rules")) == (403, 10000)
    again = result(cloudflare.api.get(cloudflare.pending_zone()))
    assert again["status"] == "pending"
    assert again["name_servers"] != servers
