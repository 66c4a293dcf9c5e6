"""What Wrangler's login may do and not, and who may see the permission groups and the account's lists."""

import pytest

from tests.cloudflare_sandbox.pretend import EVERYTHING, Pretend, refusal, result, rule_for


def test_wranglers_login_routes_mail_but_cannot_remove_it_or_touch_dns(cloudflare: Pretend) -> None:
    path = cloudflare.active_zone()
    token = cloudflare.token(kind="oauth")
    assert token.startswith("cfoat_")
    with cloudflare.client(token) as wrangler:
        assert result(wrangler.get("/zones"))[0]["name"] == "example.com"
        assert result(wrangler.post(f"{path}/email/routing/dns", json={}))["status"] == "ready"
        assert result(wrangler.post(f"{path}/email/routing/rules", json=rule_for("a@example.com")))["enabled"]
        everything = {"matchers": [{"type": "all"}], "actions": [{"type": "drop"}]}
        assert result(wrangler.put(f"{path}/email/routing/rules/catch_all", json=everything))["enabled"]

        assert refusal(wrangler.delete(f"{path}/email/routing/dns")) == (403, 10000)
        assert refusal(wrangler.get(f"{path}/dns_records")) == (403, 10000)
        assert refusal(wrangler.post(f"{path}/dns_records/batch", json={})) == (403, 10000)
        assert refusal(wrangler.get("/user/tokens/verify")) == (401, 1000)


@pytest.mark.parametrize("what", ["enable", "disable", "unlock"])
def test_its_post_was_once_not_allowed(cloudflare: Pretend, what: str) -> None:
    path = f"{cloudflare.active_zone()}/email/routing/{what}"
    with cloudflare.client(cloudflare.token(kind="oauth")) as wrangler:
        result(wrangler.post(path, json={}))
        cloudflare.switch(oauth_tokens_may_enable=False)

        refused = wrangler.post(path, json={})

    message = "POST method not allowed for the oauth_token authentication scheme"
    assert (refusal(refused), refused.json()["errors"][0]["message"]) == ((405, 10000), message)


def test_permission_groups_are_for_tokens_that_may_read_tokens(cloudflare: Pretend) -> None:
    own = f"/accounts/{cloudflare.account_id}/tokens/permission_groups"
    assert refusal(cloudflare.api.get("/user/tokens/permission_groups")) == (403, 9109)
    assert refusal(cloudflare.api.get(own)) == (403, 9109)
    with cloudflare.client(cloudflare.token(["API Tokens Read", "Account API Tokens Read"])) as client:
        groups = result(client.get("/user/tokens/permission_groups"))
        zones = result(client.get(own, params={"scope": "com.cloudflare.api.account.zone"}))

    assert list(groups[0]) == ["id", "category", "name", "scopes"]
    assert len({group["id"] for group in groups}) == len({group["name"] for group in groups}) == len(groups) == 22
    assert {group["name"] for group in zones} >= {"Zone Write", "DNS Write", "Email Routing Rules Write"}
    assert all(group["scopes"] == ["com.cloudflare.api.account.zone"] for group in zones)
    with cloudflare.client(cloudflare.token(EVERYTHING, kind="account")) as account:
        assert refusal(account.get("/user/tokens/permission_groups")) == (403, 9109)
    with cloudflare.client("a" * 40) as nobody:
        assert refusal(nobody.get("/user/tokens/permission_groups")) == (403, 10000)


def test_the_accounts_lists_hold_what_the_token_sees(cloudflare: Pretend) -> None:
    """The list of zones that Wrangler reads holds their settings, page by page."""
    one, _two = cloudflare.routing_zone("one.com"), cloudflare.active_zone("two.com")
    result(cloudflare.api.post(f"{one}/email/routing/rules", json=rule_for("a@one.com")))
    base = f"/accounts/{cloudflare.account_id}/email/routing"

    zones = result(cloudflare.api.get(f"{base}/zones"))
    assert [(zone["name"], zone["status"]) for zone in zones] == [("one.com", "ready"), ("two.com", "unconfigured")]
    assert zones[0] == result(cloudflare.api.get(f"{one}/email/routing"))
    second = cloudflare.api.get(f"{base}/zones", params={"page": 2, "per_page": 1}).json()
    assert ([zone["name"] for zone in second["result"]], second["result_info"]["total_pages"]) == (["two.com"], 2)
    with cloudflare.client(cloudflare.token(zones=["one.com"])) as client:
        rows = result(client.get(f"{base}/rules"))
        assert [row["zone"] for row in rows] == [{"name": "one.com", "tag": one.removeprefix("/zones/")}] * 2
        assert [row["name"] for row in result(client.get(f"{base}/rules", params={"enabled": "true"}))] == [""]
    with cloudflare.client(cloudflare.token(["Zone Read"])) as client:
        assert refusal(client.get(f"{base}/rules")) == (403, 10000)


def test_sending_is_refused_in_its_own_words(cloudflare: Pretend) -> None:
    path = f"{cloudflare.active_zone()}/email/sending/subdomains"
    assert refusal(cloudflare.api.get(path)) == (401, 2036)
    with cloudflare.client(cloudflare.token(["Email Sending Write"])) as client:
        made = result(client.post(path, json={"name": "mail.example.com"}))

        assert result(client.get(path)) == [made]
        assert refusal(client.post(path, json={"name": "mail.example.com"})) == (409, 2040)
        assert refusal(client.post(path, json={"name": "mail.elsewhere.com"})) == (422, 2007)
