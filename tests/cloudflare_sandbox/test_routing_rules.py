"""Routing rules, the catch-all and the addresses mail is forwarded to."""

from typing import Any

import pytest

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result, rule_for

ADA = {"type": "literal", "field": "to", "value": "ada@example.com"}
WORKER = {"type": "worker", "value": ["inbound"]}


def test_a_rule_is_made_once_replaced_whole_and_deleted_once(cloudflare: Pretend) -> None:
    api, path = cloudflare.api, f"{cloudflare.routing_zone()}/email/routing/rules"

    made = result(api.post(path, json=rule_for("ada@example.com")))
    assert (made["enabled"], made["priority"], made["source"], made["tag"]) == (True, 0, "api", made["id"])
    assert refusal(api.post(path, json=rule_for("ADA@example.com"))) == (409, 2014)
    one = f"{path}/{made['id']}"
    assert refusal(api.put(one, json={"actions": [WORKER]})) == (422, 2007)
    full = {"name": "Ada", "enabled": False, "priority": 7, "matchers": [ADA], "actions": [{"type": "drop"}]}
    replaced = result(api.put(one, json=full))
    assert {key: replaced[key] for key in full} == full
    assert result(api.get(one)) == replaced
    assert refusal(api.patch(one, json={"enabled": True})) == (405, 10000)
    assert result(api.delete(one)) == replaced
    assert (api.get(one).status_code, api.delete(one).status_code) == (404, 404)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"actions": [WORKER]}, "Invalid Input: matchers: must have matchers."),
        ({"matchers": [ADA]}, "Invalid Input: actions: must have actions."),
        (
            {"matchers": [ADA], "actions": [WORKER, WORKER]},
            "Invalid Input: actions: only one action per rule is allowed.",
        ),
        (
            {"matchers": [ADA], "actions": [{"type": "forward", "value": ["a@b.example", "c@d.example"]}]},
            "Invalid Input: actions: forward action must contain exactly one destination",
        ),
        (
            {"matchers": [ADA], "actions": [{"type": "worker"}]},
            "Invalid Input: actions: worker action must specify worker id",
        ),
        (
            {"matchers": [ADA | {"value": "a" * 79 + "@example.com"}], "actions": [WORKER]},
            "Invalid Input: matchers: value must not be longer than 90 characters.",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_invalid_input(cloudflare: Pretend, rule: dict[str, Any], message: str) -> None:
    path = f"{cloudflare.routing_zone()}/email/routing/rules"

    answer = cloudflare.api.post(path, json=rule)

    assert refusal(answer) == (422, 2007)
    assert answer.json()["errors"][0]["message"] == message


def test_the_catch_all_is_a_row_but_not_a_rule_one_can_make_or_touch_by_its_id(cloudflare: Pretend) -> None:
    api, path = cloudflare.api, f"{cloudflare.routing_zone()}/email/routing/rules"
    catch_all = result(api.get(f"{path}/catch_all"))

    assert result(api.get(path)) == [catch_all]
    assert catch_all["priority"] == 2147483647
    own = f"{path}/{catch_all['id']}"
    everything = {"matchers": [{"type": "all"}], "actions": [WORKER]}
    assert refusal(api.post(path, json=everything)) == (409, 2020)
    assert refusal(api.get(own)) == (409, 2020)
    assert refusal(api.put(own, json=everything)) == (409, 2020)
    assert refusal(api.delete(own)) == (409, 2020)
    replaced = result(api.put(f"{path}/catch_all", json={**everything, "enabled": True}))
    assert (replaced["id"], replaced["priority"]) == (catch_all["id"], 2147483647)
    assert refusal(api.put(f"{path}/catch_all", json=rule_for("ada@example.com"))) == (422, 2007)


def test_rules_come_in_pages_with_the_catch_all_counted(cloudflare: Pretend) -> None:
    path = f"{cloudflare.routing_zone()}/email/routing/rules"
    for number in range(20):
        result(cloudflare.api.post(path, json=rule_for(f"box{number}@example.com")))

    first, second = cloudflare.api.get(path), cloudflare.api.get(path, params={"page": 2})

    info = {"page": 1, "per_page": 20, "count": 20, "total_count": 21, "total_pages": 2}
    assert first.json()["result_info"] == info
    assert [rule["matchers"] for rule in result(second)] == [[{"type": "all"}]]
    assert len(result(cloudflare.api.get(path, params={"enabled": "true", "per_page": 50}))) == 20


def test_a_zone_holds_two_hundred_rules(cloudflare: Pretend) -> None:
    path = f"{cloudflare.routing_zone()}/email/routing/rules"
    for number in range(200):
        result(cloudflare.api.post(path, json=rule_for(f"box{number}@example.com")))

    assert cloudflare.api.post(path, json=rule_for("one-more@example.com")).status_code == 400


def test_forwarding_needs_a_destination_whose_owner_agreed(cloudflare: Pretend) -> None:
    api, rules = cloudflare.api, f"{cloudflare.routing_zone()}/email/routing/rules"
    addresses = f"/accounts/{cloudflare.account_id}/email/routing/addresses"
    rule = {"matchers": [ADA], "actions": [{"type": "forward", "value": ["ada@elsewhere.example"]}]}

    assert refusal(api.post(rules, json=rule)) == (400, 2054)
    address = result(api.post(addresses, json={"email": "ada@elsewhere.example"}))
    assert (address["verified"], address["status"]) == (None, "unverified")
    assert refusal(api.post(rules, json=rule)) == (400, 2054)
    cloudflare.controls.post("/destinations/ada@elsewhere.example/verify").raise_for_status()
    made = result(api.post(rules, json=rule))
    result(api.delete(f"{addresses}/{address['id']}"))

    assert result(api.get(f"{rules}/{made['id']}"))["enabled"] is False
