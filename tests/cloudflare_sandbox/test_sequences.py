"""The sequences a mail product goes through at Cloudflare, with the statuses on the way."""

from typing import Any

import httpx

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result, rule_for
from tests.cloudflare_sandbox.worker_target import SECRET, worker_target

MAIL = b"From: ada@sender.example\r\n\r\nhi\r\n"


def _mx(name: str, content: str) -> dict[str, Any]:
    return {"type": "MX", "name": name, "content": content, "priority": 10, "ttl": 1}


def _status(answer: httpx.Response) -> str:
    """HTTP status and, of a refusal, the first code."""
    errors = answer.json()["errors"]
    return f"{answer.status_code}/{errors[0]['code']}" if errors else str(answer.status_code)


def test_a_new_domain(cloudflare: Pretend) -> None:
    api, account = cloudflare.api, cloudflare.account_id
    created = api.post("/zones", json={"name": "example.com", "account": {"id": account}, "type": "full"})
    zone = f"/zones/{result(created)['id']}"
    assert result(created)["status"] == "pending"

    too_early = api.post(f"{zone}/email/routing/enable", json={})
    cloudflare.delegate()
    checks = [api.put(f"{zone}/activation_check"), api.put(f"{zone}/activation_check")]
    assert [_status(answer) for answer in (too_early, *checks)] == ["403/2009", "200", "400/1224"]
    assert result(api.get(zone))["status"] == "active"
    assert result(api.post(f"{zone}/email/routing/enable", json={}))["status"] == "ready"
    (catch_all,) = result(api.get(f"{zone}/email/routing/rules"))
    assert (catch_all["matchers"], catch_all["actions"]) == ([{"type": "all"}], [{"type": "drop"}])
    assert catch_all["enabled"] is False
    worker = {"type": "worker", "value": ["inbound"]}
    body = {"matchers": [{"type": "all"}], "actions": [worker], "enabled": True}
    assert result(api.put(f"{zone}/email/routing/rules/catch_all", json=body))["actions"] == [worker]


def test_a_domain_that_already_has_mail(cloudflare: Pretend) -> None:
    api, zone = cloudflare.api, cloudflare.active_zone()
    spf = {"type": "TXT", "name": "example.com", "content": "v=spf1 include:_spf.google.com ~all", "ttl": 1}
    record = result(api.post(f"{zone}/dns_records", json=_mx("example.com", "aspmx.l.google.com")))
    result(api.post(f"{zone}/dns_records", json=spf))

    assert _status(api.post(f"{zone}/email/routing/enable", json={})) == "409/2008"
    assert result(api.get(f"{zone}/email/routing"))["enabled"] is False
    result(api.delete(f"{zone}/dns_records/{record['id']}"))
    settings = result(api.post(f"{zone}/email/routing/enable", json={}))

    assert settings["status"] == "misconfigured/locked"
    assert [error["code"] for error in settings["errors"]] == ["spf.foreign", "spf.missing"]


def test_a_mailbox_below_a_subdomain(cloudflare: Pretend) -> None:
    api, zone = cloudflare.api, cloudflare.routing_zone()
    dns, query = f"{zone}/email/routing/dns", {"subdomain": "x.example.com"}
    result(api.post(f"{zone}/email/routing/rules", json=rule_for("a@x.example.com")))
    with worker_target() as target:
        cloudflare.controls.put("/workers/inbound", json={"target": target.url, "secret": SECRET}).raise_for_status()
        assert cloudflare.send("a@x.example.com", MAIL)[0] == 550

        result(api.post(dns, json={"name": "x.example.com"}))
        told = result(api.get(dns, params=query))
        assert (told["errors"], len(told["records"])) == (None, 4)
        assert cloudflare.send("a@x.example.com", MAIL)[0] == 250

        result(api.post(f"{zone}/email/routing/disable", json={"name": "x.example.com"}))
        assert cloudflare.send("a@x.example.com", MAIL)[0] == 550
        assert len(target.arrived) == 1
    assert result(api.get(f"{zone}/email/routing"))["enabled"] is True


def test_the_life_of_a_rule(cloudflare: Pretend) -> None:
    api, rules = cloudflare.api, f"{cloudflare.routing_zone()}/email/routing/rules"
    rule = rule_for("ada@example.com")
    made = api.post(rules, json=rule)
    one = f"{rules}/{result(made)['id']}"

    answers = [
        api.post(rules, json=rule),
        api.put(one, json={"actions": rule["actions"]}),
        replaced := api.put(one, json={**rule, "name": "Ada", "enabled": False, "priority": 3}),
        read := api.get(one),
        api.delete(one),
        api.get(one),
        api.delete(one),
    ]

    assert [_status(answer) for answer in answers] == [
        *("409/2014", "422/2007", "200", "200", "200", "404/2015", "404/2015")
    ]
    assert result(read) == result(replaced)


def test_forwarding(cloudflare: Pretend) -> None:
    api, rules = cloudflare.api, f"{cloudflare.routing_zone()}/email/routing/rules"
    addresses = f"/accounts/{cloudflare.account_id}/email/routing/addresses"
    to = {"type": "literal", "field": "to", "value": "ada@example.com"}
    rule = {"matchers": [to], "actions": [{"type": "forward", "value": ["ada@elsewhere.example"]}]}

    assert _status(api.post(rules, json=rule)) == "400/2054"
    address = result(api.post(addresses, json={"email": "ada@elsewhere.example"}))
    assert address["verified"] is None
    assert _status(api.post(rules, json=rule)) == "400/2054"
    cloudflare.controls.post("/destinations/ada@elsewhere.example/verify").raise_for_status()
    made = result(api.post(rules, json=rule))
    result(api.delete(f"{addresses}/{address['id']}"))

    assert result(api.get(f"{rules}/{made['id']}"))["enabled"] is False


def test_foreign_hands(cloudflare: Pretend) -> None:
    zone = cloudflare.routing_zone()
    result(cloudflare.api.post(f"{zone}/email/routing/rules", json=rule_for("ada@example.com")))
    with cloudflare.client(cloudflare.token()) as somebody:
        result(somebody.post(f"{zone}/email/routing/disable", json={}))
        assert result(cloudflare.api.get(f"{zone}/email/routing"))["enabled"] is False
        assert result(cloudflare.api.get(f"{zone}/dns_records", params={"type": "MX"})) == []
        assert len(result(cloudflare.api.get(f"{zone}/email/routing/rules"))) == 2

        result(somebody.post(f"{zone}/email/routing/enable", json={}))
        result(somebody.post(f"{zone}/email/routing/unlock", json={}))
        result(somebody.post(f"{zone}/dns_records", json=_mx("example.com", "mx.elsewhere.example")))

    settings = result(cloudflare.api.get(f"{zone}/email/routing"))
    assert (settings["enabled"], settings["status"]) == (True, "misconfigured")
    assert "mx.foreign" in [error["code"] for error in settings["errors"]]


def test_trouble_with_tokens(cloudflare: Pretend) -> None:
    zone = cloudflare.active_zone()
    with cloudflare.client(cloudflare.token(["Zone Read", "Email Routing Rules Write"])) as lacking:
        assert result(lacking.get("/user/tokens/verify"))["status"] == "active"
        assert refusal(lacking.post(f"{zone}/email/routing/enable", json={})) == (403, 10000)
    with cloudflare.client(cloudflare.token(kind="account")) as account:
        assert refusal(account.get("/user/tokens/verify")) == (401, 1000)
        assert result(account.get(f"/accounts/{cloudflare.account_id}/tokens/verify"))["status"] == "active"
        assert refusal(account.get(f"{zone}/email/routing")) == (403, 10000)
    token = cloudflare.token()
    with cloudflare.client(token) as revoked:
        result(revoked.post(f"{zone}/email/routing/enable", json={}))
        cloudflare.controls.post("/tokens/revoke", json={"token": token}).raise_for_status()
        assert refusal(revoked.get("/user/tokens/verify")) == (401, 1000)
        assert refusal(revoked.get(f"{zone}/email/routing")) == (403, 10000)


def test_twelve_hundred_calls(cloudflare: Pretend) -> None:
    """The last stretch of the window; every route is blocked then, verification too."""
    for _ in range(1200):
        cloudflare.api.get("/user/tokens/verify").raise_for_status()

    blocked = [cloudflare.api.get(path) for path in ("/zones", "/user/tokens/verify", "/nowhere/at/all")]

    assert [_status(answer) for answer in blocked] == ["429/971"] * 3
    assert int(blocked[0].headers["retry-after"]) in range(290, 301)
    cloudflare.controls.post("/clock", json={"advanceSeconds": 301}).raise_for_status()
    assert _status(cloudflare.api.get("/zones")) == "200"
