"""Who may do what, and the many ways to be told no."""

import httpx
import pytest

from tests.cloudflare_sandbox.pretend import EVERYTHING, Pretend, refusal, result, rule_for


def test_a_valid_token_verifies_and_says_nothing_of_its_permissions(cloudflare: Pretend) -> None:
    answer = cloudflare.api.get("/user/tokens/verify")

    assert list(result(answer)) == ["id", "status"]
    message = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    assert answer.json()["messages"] == [message]
    assert "ratelimit" not in answer.headers


def test_without_the_settings_permission_rules_work_and_switching_on_does_not(cloudflare: Pretend) -> None:
    path = cloudflare.active_zone()
    with cloudflare.client(cloudflare.token(["Zone Read", "Email Routing Rules Write"])) as client:
        assert result(client.get("/user/tokens/verify"))["status"] == "active"

        assert refusal(client.post(f"{path}/email/routing/enable", json={})) == (403, 10000)
        assert refusal(client.get(f"{path}/email/routing")) == (403, 10000)
        assert refusal(client.get(f"{path}/dns_records")) == (403, 10000)
        assert result(client.post(f"{path}/email/routing/rules", json=rule_for("ada@example.com")))["enabled"]


def test_reading_does_not_include_writing(cloudflare: Pretend) -> None:
    path = cloudflare.active_zone()
    with cloudflare.client(cloudflare.token(["Zone Read", "Zone Settings Read"])) as client:
        assert result(client.get(f"{path}/email/routing"))["enabled"] is False
        assert refusal(client.post(f"{path}/email/routing/enable", json={})) == (403, 10000)
        assert refusal(client.delete(path)) == (403, 10000)


def test_an_account_token_verifies_at_its_account_and_is_refused_by_email_routing(cloudflare: Pretend) -> None:
    path = cloudflare.active_zone()
    with cloudflare.client(cloudflare.token(kind="account")) as client:
        assert refusal(client.get("/user/tokens/verify")) == (401, 1000)
        assert refusal(client.get("/user")) == (403, 9109)
        assert result(client.get(f"/accounts/{cloudflare.account_id}/tokens/verify"))["status"] == "active"
        assert result(client.get(path))["name"] == "example.com"
        assert refusal(client.get(f"{path}/email/routing")) == (403, 10000)

        cloudflare.controls.patch("/switches", json={"account_tokens_may_route_email": True}).raise_for_status()

        assert result(client.get(f"{path}/email/routing"))["enabled"] is False


def test_a_revoked_token_is_invalid_on_verify_and_an_authentication_error_elsewhere(cloudflare: Pretend) -> None:
    token = cloudflare.token()
    with cloudflare.client(token) as client:
        assert result(client.get("/zones")) == []
        cloudflare.controls.post("/tokens/revoke", json={"token": token}).raise_for_status()

        assert refusal(client.get("/user/tokens/verify")) == (401, 1000)
        assert refusal(client.get("/zones")) == (403, 10000)


def test_a_token_for_some_zones_sees_only_those_and_makes_none(cloudflare: Pretend) -> None:
    mine, other = cloudflare.active_zone("mine.com"), cloudflare.active_zone("other.com")
    with cloudflare.client(cloudflare.token(zones=["mine.com"])) as client:
        assert [zone["name"] for zone in result(client.get("/zones"))] == ["mine.com"]
        assert result(client.get(f"{mine}/email/routing"))["name"] == "mine.com"
        assert refusal(client.get(other)) == (403, 10000)
        assert refusal(client.get(f"{other}/email/routing")) == (403, 10000)

        refused = client.post("/zones", json={"name": "new.com", "account": {"id": cloudflare.account_id}})

        assert refusal(refused) == (403, 0)
        assert 'Requires permission "com.cloudflare.api.account.zone.create"' in refused.text.replace("\\", "")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, 9106),
        ({"x-auth-email": "ada@people.example", "x-auth-key": "0" * 37}, 403, 9103),
        ({"authorization": "Bearer short"}, 400, 6003),
        ({"authorization": f"Bearer Bearer {'a' * 40}"}, 400, 6003),
        ({"authorization": f'Bearer "{"a" * 40}"'}, 400, 6003),
        ({"authorization": f"Bearer {'a' * 40}"}, 403, 10000),
    ],
)
def test_credentials_that_are_none(cloudflare: Pretend, headers: dict[str, str], status: int, code: int) -> None:
    answer = httpx.get(f"{cloudflare.api_url}/zones", headers=headers)

    assert refusal(answer) == (status, code)
    assert list(answer.json()) == ["success", "errors", "messages", "result"]


def test_a_malformed_header_names_its_reason_in_the_chain(cloudflare: Pretend) -> None:
    answer = httpx.get(f"{cloudflare.api_url}/zones", headers={"authorization": "Bearer no"})

    chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
    assert answer.json()["errors"] == [{"code": 6003, "message": "Invalid request headers", "error_chain": chain}]


def test_the_account_is_told_by_the_controls_and_read_with_a_token(cloudflare: Pretend) -> None:
    told = cloudflare.controls.get("/account").json()

    assert result(cloudflare.api.get(f"/accounts/{told['id']}"))["name"] == told["name"]
    assert refusal(cloudflare.api.get(f"/accounts/{'0' * 32}")) == (403, 9109)


@pytest.mark.parametrize(
    "body",
    [
        {"permissions": ["Zone Paint"]},
        {"permissions": list(EVERYTHING), "kind": "robot"},
        {"permissions": [], "zones": "some"},
        {"kind": "user"},
    ],
)
def test_a_token_that_cannot_be_is_not_minted(cloudflare: Pretend, body: dict[str, object]) -> None:
    answer = cloudflare.controls.post("/tokens", json=body)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])
