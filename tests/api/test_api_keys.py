"""API keys: shown once, never wider than their maker, with an end, a bound and a name."""

from typing import Any

import httpx
import pytest

from tests.api_client import ApiClient, code_of
from tests.servers import Product

FAR = "2126-01-01T00:00:00.000Z"
SOON = "2030-01-01T00:00:00.000Z"


def _make(owner: ApiClient, **wish: Any) -> dict[str, Any]:
    made = owner.post("/api/api-keys", json={"name": "A key", **wish})
    assert made.status_code == 201, made.text
    key: dict[str, Any] = made.json()
    return key


def test_a_key_without_scopes_has_the_usual_two(ada: ApiClient) -> None:
    made = _make(ada)

    assert made["apiKeyRecord"]["scopes"] == ["mailboxes:write", "messages:read"]
    assert len(made["apiKey"]) == 36
    assert made["apiKeyRecord"]["prefix"] == made["apiKey"][:12]


def test_the_usual_two_are_enough_for_what_they_always_did(product: Product, ada: ApiClient) -> None:
    with product.client(_make(ada)["apiKey"]) as usual:
        mailbox = usual.post("/api/mailboxes", json={}).json()
        answers = [
            usual.get("/api/mailboxes"),
            usual.get(f"/api/mailboxes/{mailbox['id']}"),
            usual.post("/api/mailboxes/ensure", json={"address": mailbox["address"]}),
            usual.get("/api/messages"),
            usual.get(f"/api/mailboxes/{mailbox['id']}/wait?timeout=0"),
            usual.post("/api/auth/session", json={"apiKey": usual.headers["authorization"][7:]}),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 204, 200]


def test_the_secret_is_shown_once_and_never_kept(product: Product, ada: ApiClient) -> None:
    made = _make(ada)

    assert made["apiKey"] not in ada.get("/api/api-keys").text
    assert made["apiKey"] not in product.admin.get("/api/audit?limit=200").text


def test_a_key_may_be_made_without_any_scope(product: Product, ada: ApiClient) -> None:
    with product.client(_make(ada, scopes=[])["apiKey"]) as empty:
        assert empty.get("/api/auth/session").status_code == 200
        assert empty.get("/api/mailboxes").status_code == 403


def test_an_unknown_scope_is_named_with_those_there_are(ada: ApiClient) -> None:
    refused = ada.post("/api/api-keys", json={"name": "A typo", "scopes": ["message:read"]})

    assert (refused.status_code, code_of(refused)) == (400, "scope_unknown")
    assert refused.json()["details"]["unknown"] == ["message:read"]
    assert "messages:read" in refused.json()["details"]["known"]


@pytest.mark.parametrize(
    ("held", "wished", "may"),
    [
        ({"scopes": ["keys:write", "messages:read"]}, {"scopes": ["messages:read"]}, True),
        ({"scopes": ["keys:*", "mailboxes:write"]}, {"scopes": ["mailboxes:read", "keys:write"]}, True),
        ({"scopes": ["keys:write", "messages:read"]}, {"scopes": ["messages:write"]}, False),
        ({"scopes": ["keys:write", "messages:read"]}, {"scopes": ["*"]}, False),
        ({"scopes": ["keys:write", "messages:read"]}, {}, False),
        ({"scopes": ["keys:write", "users:read", "users:write"]}, {"scopes": ["users:*"]}, True),
        ({"scopes": ["*"], "expiresAt": SOON}, {"scopes": ["*"], "expiresAt": SOON}, True),
        ({"scopes": ["*"], "expiresAt": SOON}, {"scopes": ["*"], "expiresAt": FAR}, False),
        ({"scopes": ["*"], "expiresAt": SOON}, {"scopes": ["messages:read"]}, False),
    ],
)
def test_no_key_gives_more_than_it_has(
    product: Product, ada: ApiClient, held: dict[str, Any], wished: dict[str, Any], may: bool
) -> None:
    with product.client(_make(ada, **held)["apiKey"]) as maker:
        answer = maker.post("/api/api-keys", json={"name": "A child", **wished})

    assert answer.status_code == (201 if may else 403)
    assert may or code_of(answer) == "grant_too_wide"


def test_a_key_of_yesterday_cannot_be_made(ada: ApiClient) -> None:
    refused = ada.post("/api/api-keys", json={"name": "Late", "expiresAt": "2020-01-01T00:00:00Z"})
    garbled = ada.post("/api/api-keys", json={"name": "Late", "expiresAt": "tomorrow"})

    assert refused.status_code == 400
    assert garbled.json()["details"]["fieldErrors"] == {"expiresAt": ["Invalid ISO datetime"]}


@pytest.mark.parametrize("bound", ["mailboxId", "domainId"])
def test_a_key_is_bound_only_to_what_its_owner_sees(
    ada: ApiClient, bob: ApiClient, mailbox: dict[str, Any], bound: str
) -> None:
    foreign = bob.post("/api/api-keys", json={"name": "Bob's", "mailboxId": mailbox["id"]})
    unknown = ada.post("/api/api-keys", json={"name": "Ada's", bound: "of_nobody"})

    assert (foreign.status_code, code_of(foreign)) == (404, "mailbox_not_found")
    assert unknown.status_code == 404


def test_only_ones_own_keys_are_listed_and_an_admin_may_ask(product: Product, ada: ApiClient, bob: ApiClient) -> None:
    made = _make(ada)["apiKeyRecord"]
    ada_id = ada.get("/api/auth/session").json()["user"]["id"]

    def ids(client: ApiClient, query: str = "") -> list[str]:
        return [key["id"] for key in client.get(f"/api/api-keys{query}").json()["apiKeys"]]

    assert made["id"] in ids(ada)
    assert made["id"] not in ids(bob)
    assert made["id"] not in ids(product.admin)
    assert made["id"] in ids(product.admin, f"?userId={ada_id}")
    assert bob.get(f"/api/api-keys?userId={ada_id}").status_code == 403


def test_an_admin_makes_a_key_for_who_lost_theirs(product: Product, ada: ApiClient, bob: ApiClient) -> None:
    ada_id = ada.get("/api/auth/session").json()["user"]["id"]

    made = product.admin.post("/api/api-keys", json={"name": "New", "scopes": ["*"], "userId": ada_id}).json()
    with product.client(made["apiKey"]) as again:
        assert again.get("/api/auth/session").json()["user"]["id"] == ada_id

    assert bob.post("/api/api-keys", json={"name": "Mine", "userId": ada_id}).status_code == 403
    assert product.admin.post("/api/api-keys", json={"name": "X", "userId": "usr_nobody"}).status_code == 404


def test_a_key_is_renamed_by_its_owner(ada: ApiClient) -> None:
    made = _make(ada)["apiKeyRecord"]

    renamed = ada.post(f"/api/api-keys/{made['id']}/rename", json={"name": "The laptop"})

    assert renamed.json() == {**made, "name": "The laptop"}


def test_a_revoked_key_opens_nothing_and_keeps_its_first_time(product: Product, ada: ApiClient) -> None:
    made = _make(ada, scopes=["*"])
    key_id = made["apiKeyRecord"]["id"]
    with product.client(made["apiKey"]) as holder:
        assert holder.get("/api/mailboxes").status_code == 200
        assert ada.post(f"/api/api-keys/{key_id}/revoke").status_code == 204
        assert holder.get("/api/mailboxes").status_code == 401

    first = _record(ada, key_id)["revokedAt"]
    assert product.admin.post(f"/api/api-keys/{key_id}/revoke").status_code == 204
    assert _record(ada, key_id)["revokedAt"] == first


def _record(owner: ApiClient, key_id: str) -> dict[str, Any]:
    [record] = [key for key in owner.get("/api/api-keys").json()["apiKeys"] if key["id"] == key_id]
    return dict(record)


def test_the_last_use_of_a_key_is_seen(product: Product, ada: ApiClient) -> None:
    made = _make(ada)
    assert made["apiKeyRecord"]["lastUsedAt"] is None

    httpx.get(f"{product.url}/api/mailboxes", headers={"authorization": f"Bearer {made['apiKey']}"})

    assert _record(ada, made["apiKeyRecord"]["id"])["lastUsedAt"] is not None
