"""Email Routing's settings and DNS: apex, subdomains, foreign mail servers, locks."""

from typing import Any

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result


def _mx(name: str, content: str) -> dict[str, Any]:
    return {"type": "MX", "name": name, "content": content, "priority": 1, "ttl": 1}


def test_a_zone_never_switched_on_is_unconfigured_and_patching_enabled_changes_nothing(cloudflare: Pretend) -> None:
    path = f"{cloudflare.active_zone()}/email/routing"

    patched = result(cloudflare.api.patch(path, json={"enabled": True, "support_subaddress": True}))

    assert (patched["enabled"], patched["status"], patched["support_subaddress"]) == (False, "unconfigured", True)
    assert result(cloudflare.api.get(path)) == patched


def test_switching_on_adds_locked_records_and_is_idempotent(cloudflare: Pretend) -> None:
    path = cloudflare.routing_zone()
    result(cloudflare.api.post(f"{path}/email/routing/enable"))

    rows = result(cloudflare.api.get(f"{path}/dns_records"))

    assert [row["type"] for row in rows] == ["MX", "MX", "MX", "TXT", "TXT"]
    assert all(row["meta"] == {"auto_added": False, "email_routing": True, "read_only": True} for row in rows)
    wanted = result(cloudflare.api.get(f"{path}/email/routing/dns"))
    assert [row["priority"] for row in wanted if row["type"] == "MX"] == [row["priority"] for row in rows[:3]]
    assert wanted[0]["content"] == f"{rows[0]['content']}."
    assert wanted[3]["content"] == '"v=spf1 include:_spf.mx.cloudflare.net ~all"'


def test_a_domain_with_mail_elsewhere_is_refused_until_its_mx_is_gone(cloudflare: Pretend) -> None:
    api, path = cloudflare.api, cloudflare.active_zone()
    record = result(api.post(f"{path}/dns_records", json=_mx("example.com", "aspmx.l.google.com")))
    spf = {"type": "TXT", "name": "example.com", "content": "v=spf1 include:_spf.google.com ~all", "ttl": 1}
    result(api.post(f"{path}/dns_records", json=spf))

    refused = api.post(f"{path}/email/routing/enable", json={})
    assert refusal(refused) == (409, 2008)
    assert result(api.get(f"{path}/email/routing"))["enabled"] is False
    result(api.delete(f"{path}/dns_records/{record['id']}"))
    settings = result(api.post(f"{path}/email/routing/enable", json={}))

    assert (settings["enabled"], settings["status"]) == (True, "misconfigured/locked")
    assert [error["code"] for error in settings["errors"]] == ["spf.foreign", "spf.missing"]


def test_mx_at_a_subdomain_does_not_stand_in_the_way(cloudflare: Pretend) -> None:
    path = cloudflare.active_zone()
    result(cloudflare.api.post(f"{path}/dns_records", json=_mx("old.example.com", "mail.elsewhere.example")))

    assert result(cloudflare.api.post(f"{path}/email/routing/enable", json={}))["status"] == "ready"


def test_a_subdomain_is_switched_on_by_its_full_name(cloudflare: Pretend) -> None:
    api, path = cloudflare.api, f"{cloudflare.routing_zone()}/email/routing"
    query = {"subdomain": "x.example.com"}
    never = result(api.get(f"{path}/dns", params=query))
    assert [error["code"] for error in never["errors"]] == ["mx.missing"] * 3 + ["spf.missing"]
    assert "records" not in never

    settings = result(api.post(f"{path}/dns", json={"name": "x.example.com"}))

    assert [entry["name"] for entry in settings["subdomains"]] == ["x.example.com"]
    ready = result(api.get(f"{path}/dns", params=query))
    assert ready["errors"] is None
    assert [row["type"] for row in ready["records"]] == ["MX", "MX", "MX", "TXT"]
    assert [row["priority"] for row in ready["records"][:3]] == [
        error["missing"]["priority"] for error in never["errors"][:3]
    ]
    after = result(api.post(f"{path}/disable", json={"name": "x.example.com"}))
    assert (after["enabled"], "subdomains" in after) == (True, False)


def test_a_zone_has_at_most_thirty_names_with_mail(cloudflare: Pretend) -> None:
    path = f"{cloudflare.routing_zone()}/email/routing/dns"
    for number in range(29):
        result(cloudflare.api.post(path, json={"name": f"s{number}.example.com"}))

    one_more = cloudflare.api.post(path, json={"name": "s29.example.com"})

    assert one_more.status_code == 400
    assert result(cloudflare.api.post(path, json={"name": "s0.example.com"}))["enabled"] is True


def test_locked_records_can_be_changed_after_unlocking_only(cloudflare: Pretend) -> None:
    api, path = cloudflare.api, cloudflare.routing_zone()
    record = f"{path}/dns_records/{result(api.get(f'{path}/dns_records', params={'type': 'MX'}))[0]['id']}"
    assert refusal(api.delete(record)) == (403, 890190)
    assert refusal(api.post(f"{path}/dns_records", json=_mx("example.com", "mx.elsewhere.example"))) == (403, 890190)

    assert result(api.patch(f"{path}/email/routing/dns"))["status"] == "unlocked"

    assert result(api.get(record))["meta"] == {"auto_added": False, "email_routing": True}
    result(api.delete(record))
    result(api.post(f"{path}/dns_records", json=_mx("example.com", "mx.elsewhere.example")))
    settings = result(api.get(f"{path}/email/routing"))
    assert settings["status"] == "misconfigured"
    assert [error["code"] for error in settings["errors"]] == ["mx.foreign", "mx.missing"]


def test_switching_off_removes_its_records_and_keeps_the_rules(cloudflare: Pretend) -> None:
    api, path = cloudflare.api, cloudflare.routing_zone()
    result(api.post(f"{path}/email/routing/dns", json={"name": "x.example.com"}))
    wildcard = result(api.post(f"{path}/dns_records", json=_mx("*.example.com", "route1.mx.cloudflare.net")))

    settings = result(api.delete(f"{path}/email/routing/dns"))

    assert (settings["enabled"], settings["status"]) == (False, "unconfigured")
    assert "subdomains" not in settings
    assert [row["id"] for row in result(api.get(f"{path}/dns_records"))] == [wildcard["id"]]
    assert len(result(api.get(f"{path}/email/routing/rules"))) == 1
