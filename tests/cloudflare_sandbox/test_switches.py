"""The switches: what is unknown can be had both ways."""

import dataclasses
from typing import Any

import pytest

from cloudflare_sandbox.switches import TABLE, Switches
from tests.cloudflare_sandbox.pretend import Pretend, refusal, result, rule_for
from tests.cloudflare_sandbox.worker_target import SECRET, worker_target

MAIL = b"From: ada@sender.example\r\n\r\nhi\r\n"
EVERYTHING_TO_THE_WORKER = {
    "matchers": [{"type": "all"}],
    "actions": [{"type": "worker", "value": ["inbound"]}],
    "enabled": True,
}


def _zone_body(cloudflare: Pretend, name: str) -> dict[str, Any]:
    return {"name": name, "account": {"id": cloudflare.account_id}}


def _wildcard_mx(cloudflare: Pretend, path: str) -> None:
    mx = {"type": "MX", "name": "*.example.com", "content": "route1.mx.cloudflare.net", "priority": 1, "ttl": 1}
    result(cloudflare.api.post(f"{path}/dns_records", json=mx))


def test_every_switch_is_told_with_its_meaning_its_source_and_its_default(cloudflare: Pretend) -> None:
    told = cloudflare.controls.get("/switches").json()

    assert list(told) == [line.name for line in TABLE] == [one.name for one in dataclasses.fields(Switches)]
    for line in TABLE:
        assert told[line.name]["value"] == told[line.name]["default"] == line.default
        assert len(told[line.name]["meaning"]) > 15, line.name
        assert len(told[line.name]["source"]) > 10, line.name
    with pytest.raises(dataclasses.FrozenInstanceError):
        TABLE[0].default = True  # type: ignore[misc]


def test_a_switch_there_is_none_of_or_a_value_it_cannot_have_is_refused(cloudflare: Pretend) -> None:
    wrong: tuple[Any, ...] = (
        {"no_such_switch": 1},
        {"duplicate_rule_status": 418},
        {"zone_refusals": {"a.com": "1"}},
        [],
    )
    for body in wrong:
        assert cloudflare.controls.patch("/switches", json=body).status_code == 400

    changed = cloudflare.controls.patch("/switches", json={"duplicate_rule_status": 400}).json()

    assert (changed["duplicate_rule_status"]["value"], changed["duplicate_rule_status"]["default"]) == (400, 409)


def test_patching_enabled_may_be_made_to_work(cloudflare: Pretend) -> None:
    path = f"{cloudflare.active_zone()}/email/routing"
    cloudflare.switch(patch_enables_email_routing=True)

    assert result(cloudflare.api.patch(path, json={"enabled": True}))["status"] == "ready"
    assert result(cloudflare.api.put(path, json={"enabled": False}))["status"] == "unconfigured"


def test_a_wildcard_receives_only_when_switched_so(cloudflare: Pretend) -> None:
    path = cloudflare.routing_zone()
    _wildcard_mx(cloudflare, path)
    result(cloudflare.api.put(f"{path}/email/routing/rules/catch_all", json=EVERYTHING_TO_THE_WORKER))
    with worker_target() as target:
        cloudflare.controls.put("/workers/inbound", json={"target": target.url, "secret": SECRET}).raise_for_status()

        assert cloudflare.send("bob@x.example.com", MAIL)[0] == 550
        cloudflare.switch(catch_all_covers_subdomains=True)
        assert cloudflare.send("bob@x.example.com", MAIL)[0] == 550
        cloudflare.switch(wildcard_mx_receives=True)
        assert cloudflare.send("bob@x.example.com", MAIL)[0] == 250

    assert [recipient for _, recipient, _ in target.arrived] == ["bob@x.example.com"]


def test_what_email_routing_added_may_be_hidden_from_dns(cloudflare: Pretend) -> None:
    path = f"{cloudflare.routing_zone()}/dns_records"
    assert len(result(cloudflare.api.get(path))) == 5

    cloudflare.switch(managed_records_are_listed=False)

    assert result(cloudflare.api.get(path)) == []


def test_the_records_wanted_may_be_untold_while_routing_is_off(cloudflare: Pretend) -> None:
    path = f"{cloudflare.active_zone()}/email/routing/dns"
    assert len(result(cloudflare.api.get(path))) == 5

    cloudflare.switch(required_records_when_off=False)

    assert result(cloudflare.api.get(path)) == []
    result(cloudflare.api.post(path))
    assert len(result(cloudflare.api.get(path))) == 5


def test_a_pending_zone_may_take_rules_and_delivers_nothing_either_way(cloudflare: Pretend) -> None:
    path = f"{cloudflare.pending_zone()}/email/routing/rules"
    result(cloudflare.api.post(path, json=rule_for("ada@example.com")))
    assert cloudflare.send("ada@example.com", MAIL)[0] == 550

    cloudflare.switch(pending_zones_take_rules=False)

    assert refusal(cloudflare.api.post(path, json=rule_for("bob@example.com"))) == (403, 2009)
    assert refusal(cloudflare.api.put(f"{path}/catch_all", json=EVERYTHING_TO_THE_WORKER)) == (403, 2009)
    cloudflare.delegate()
    result(cloudflare.api.post(path, json=rule_for("bob@example.com")))


def test_rules_may_be_undeletable_while_routing_is_off(cloudflare: Pretend) -> None:
    path = f"{cloudflare.active_zone()}/email/routing"
    made = [result(cloudflare.api.post(f"{path}/rules", json=rule_for(f"{name}@example.com"))) for name in ("a", "b")]
    result(cloudflare.api.delete(f"{path}/rules/{made[0]['id']}"))

    cloudflare.switch(rules_can_be_deleted_while_off=False)

    assert cloudflare.api.delete(f"{path}/rules/{made[1]['id']}").status_code == 409
    result(cloudflare.api.post(f"{path}/enable", json={}))
    result(cloudflare.api.delete(f"{path}/rules/{made[1]['id']}"))


def test_a_rule_may_be_refused_for_a_worker_nobody_knows(cloudflare: Pretend) -> None:
    path = f"{cloudflare.routing_zone()}/email/routing/rules"
    result(cloudflare.api.post(path, json=rule_for("a@example.com", "ghost")))
    cloudflare.switch(unknown_workers_are_refused=True)

    assert refusal(cloudflare.api.post(path, json=rule_for("b@example.com", "ghost"))) == (404, 2016)
    assert refusal(cloudflare.api.put(f"{path}/catch_all", json=EVERYTHING_TO_THE_WORKER)) == (404, 2016)
    worker = {"target": "http://127.0.0.1:9/", "secret": SECRET}
    cloudflare.controls.put("/workers/inbound", json=worker).raise_for_status()
    result(cloudflare.api.post(path, json=rule_for("b@example.com")))
    result(cloudflare.api.put(f"{path}/catch_all", json=EVERYTHING_TO_THE_WORKER))


def test_pages_are_as_large_as_asked_for_unless_the_docs_shall_be_right(cloudflare: Pretend) -> None:
    path = f"{cloudflare.routing_zone()}/email/routing/rules"
    for number in range(60):
        result(cloudflare.api.post(path, json=rule_for(f"box{number}@example.com")))
    assert len(result(cloudflare.api.get(path, params={"per_page": 100}))) == 61

    cloudflare.switch(per_page_above_50_is_honoured=False)

    page = cloudflare.api.get(path, params={"per_page": 100}).json()
    assert (len(page["result"]), page["result_info"]["per_page"], page["result_info"]["total_pages"]) == (50, 50, 2)
    assert cloudflare.api.get("/zones", params={"per_page": 100}).json()["result_info"]["per_page"] == 50


def test_a_worker_that_throws_may_make_the_mail_be_rejected_after_three_tries(cloudflare: Pretend) -> None:
    path = cloudflare.routing_zone()
    result(cloudflare.api.post(f"{path}/email/routing/rules", json=rule_for("bob@example.com")))
    with worker_target() as target:
        cloudflare.controls.put("/workers/inbound", json={"target": target.url, "secret": SECRET}).raise_for_status()
        target.answers(500, error="threw")

        assert cloudflare.send("bob@example.com", MAIL)[0] == 421
        assert len(target.arrived) == 1
        cloudflare.switch(worker_throw_is_temporary=False)
        code, text = cloudflare.send("bob@example.com", MAIL)

    assert (code, "failed for 3 times" in text, len(target.arrived)) == (550, True, 4)


@pytest.mark.parametrize("status", [400, 409, 422])
def test_the_status_of_a_second_rule_for_an_address_is_unknown(cloudflare: Pretend, status: int) -> None:
    path = f"{cloudflare.routing_zone()}/email/routing/rules"
    cloudflare.switch(duplicate_rule_status=status)
    result(cloudflare.api.post(path, json=rule_for("ada@example.com")))

    assert refusal(cloudflare.api.post(path, json=rule_for("ada@example.com"))) == (status, 2014)


def test_statuses_of_paths_that_lead_nowhere_and_of_hasty_checks_can_be_swapped(cloudflare: Pretend) -> None:
    path = cloudflare.pending_zone()
    cloudflare.switch(malformed_id_status=404, unknown_route_status=400, activation_check_too_soon_status=429)
    result(cloudflare.api.put(f"{path}/activation_check"))

    assert refusal(cloudflare.api.get("/zones/no-id")) == (404, 7003)
    assert refusal(cloudflare.api.get("/nothing")) == (400, 7003)
    assert refusal(cloudflare.api.put(f"{path}/activation_check")) == (429, 1224)


@pytest.mark.parametrize("code", [971, 10100, 10429, 10500])
def test_a_rate_limit_has_one_of_four_codes_and_always_the_same_plea(cloudflare: Pretend, code: int) -> None:
    cloudflare.switch(requests_per_window=1, rate_limit_code=code)
    result(cloudflare.api.get("/zones"))

    limited = cloudflare.api.get("/zones")

    assert refusal(limited) == (429, code)
    assert limited.json()["errors"][0]["message"].endswith("Please wait and consider throttling your request speed")


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("1049", "taken.com is not a registered domain"),
        ("1093", "This zone cannot be added to Cloudflare at this time"),
        ("1097", "abusereply@cloudflare.com"),
        ("1099", "We were unable to identify taken.com as a registered domain"),
        ("1104", "Partial zone signup not allowed"),
        ("1105", "This zone is temporarily restricted"),
        ("1110", "Failed to lookup registrar and hosting information of taken.com"),
        ("1118", "You have exceeded the limit for adding zones"),
        ("hold", "subject to a hold which disallows the creation of this zone"),
    ],
)
def test_a_name_in_the_table_is_refused_as_it_says(cloudflare: Pretend, why: str, words: str) -> None:
    cloudflare.switch(zone_refusals={"taken.com": why})

    refused = cloudflare.api.post("/zones", json=_zone_body(cloudflare, "Taken.com"))

    assert refusal(refused) == (400, 29999 if why == "hold" else int(why))
    assert words in refused.json()["errors"][0]["message"]
    assert result(cloudflare.api.post("/zones", json=_zone_body(cloudflare, "free.com")))["name"] == "free.com"


def test_only_so_many_zones_may_be_pending(cloudflare: Pretend) -> None:
    cloudflare.switch(max_pending_zones=1)
    cloudflare.pending_zone("one.com")

    assert refusal(cloudflare.api.post("/zones", json=_zone_body(cloudflare, "two.com"))) == (400, 1118)
    cloudflare.delegate("one.com")
    assert result(cloudflare.api.post("/zones", json=_zone_body(cloudflare, "two.com")))["status"] == "pending"


def test_a_fresh_token_is_unknown_for_its_first_calls(cloudflare: Pretend) -> None:
    cloudflare.switch(fresh_token_blips=2)
    with cloudflare.client(cloudflare.token()) as fresh:
        for _ in range(2):
            assert refusal(fresh.get("/user/tokens/verify")) == (403, 10000)

        assert result(fresh.get("/user/tokens/verify"))["status"] == "active"
    assert result(cloudflare.api.get("/zones")) == []
