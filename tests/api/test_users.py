"""Users: made with a first key, changed, disabled and removed by admins, and never the last of these."""

from typing import Any

import pytest

from tests.api.conftest import Send
from tests.api_client import ApiClient, code_of
from tests.servers import Product, command


def _add(product: Product, name: str, role: str = "member") -> dict[str, Any]:
    made = product.admin.post("/api/users", json={"email": f"{name}@people.example", "name": name, "role": role})
    assert made.status_code == 201
    added: dict[str, Any] = made.json()
    return added


def test_a_new_user_gets_a_key_that_does_all_they_may(product: Product) -> None:
    added = _add(product, "carl")

    assert added["user"]["role"] == "member"
    assert added["initialKey"]["apiKeyRecord"]["name"] == "Initial API Key"
    assert added["initialKey"]["apiKeyRecord"]["prefix"] == added["initialKey"]["apiKey"][:12]
    with product.client(added["initialKey"]["apiKey"]) as carl:
        assert carl.get("/api/auth/session").json()["user"]["email"] == "carl@people.example"
        assert carl.post("/api/api-keys", json={"name": "Mine"}).status_code == 201
        assert carl.get("/api/users").status_code == 403


def test_everybody_is_listed_the_first_one_first(product: Product) -> None:
    _add(product, "zoe")

    users = product.admin.get("/api/users").json()["users"]

    assert users[0]["email"] == "root@people.example"
    assert [user["createdAt"] for user in users] == sorted(user["createdAt"] for user in users)


def test_an_address_belongs_to_one_user_in_any_letter_case(product: Product) -> None:
    _add(product, "dora")

    again = product.admin.post("/api/users", json={"email": "DORA@People.example", "name": "Dora"})

    assert (again.status_code, again.json()["error"]) == (409, "User already exists")


@pytest.mark.parametrize(
    ("wish", "wrong"),
    [
        ({"email": "no address", "name": "X"}, "email"),
        ({"email": "a@people.example", "name": ""}, "name"),
        ({"email": "a@people.example", "name": "x" * 65}, "name"),
        ({"email": "a@people.example", "name": "X", "role": "owner"}, "role"),
        ({"email": "a@people.example"}, "name"),
    ],
)
def test_what_will_not_do_is_named(product: Product, wish: dict[str, Any], wrong: str) -> None:
    answer = product.admin.post("/api/users", json=wish)

    assert answer.status_code == 400
    assert list(answer.json()["details"]["fieldErrors"]) == [wrong]


def test_another_role_counts_from_the_next_request_on(product: Product) -> None:
    added = _add(product, "emil")
    with product.client(added["initialKey"]["apiKey"]) as emil:
        assert emil.get("/api/users").status_code == 403
        changed = product.admin.post(
            f"/api/users/{added['user']['id']}", json={"role": "admin", "name": "Emil the Great"}
        )
        assert emil.get("/api/users").status_code == 200
        product.admin.post(f"/api/users/{added['user']['id']}", json={"role": "member"})
        assert emil.get("/api/users").status_code == 403

    assert (changed.json()["role"], changed.json()["name"]) == ("admin", "Emil the Great")


def test_a_disabled_user_is_signed_out_at_once_and_their_keys_sleep(product: Product, ada: ApiClient) -> None:
    added = _add(product, "fritz")
    user_id, key = added["user"]["id"], added["initialKey"]["apiKey"]
    with product.client(key) as fritz, product.client() as browser:
        browser.post("/api/auth/session", json={"apiKey": key})
        assert browser.get("/api/auth/session").status_code == 200

        disabled = product.admin.post(f"/api/users/{user_id}/disable").json()
        again = product.admin.post(f"/api/users/{user_id}/disable").json()
        shut = [fritz.get("/api/mailboxes"), browser.get("/api/mailboxes")]
        refused = browser.post("/api/auth/session", json={"apiKey": key})
        product.admin.post(f"/api/users/{user_id}/enable")

        assert disabled["disabledAt"] is not None
        assert again["disabledAt"] == disabled["disabledAt"]
        assert [answer.status_code for answer in shut] == [401, 401]
        assert refused.status_code == 401
        assert fritz.get("/api/mailboxes").status_code == 200
        assert browser.get("/api/mailboxes").status_code == 401, "they sign in anew"


def test_mail_for_a_disabled_user_is_still_received(product: Product, ada: ApiClient, send: Send) -> None:
    added = _add(product, "greta")
    with product.client(added["initialKey"]["apiKey"]) as greta:
        mailbox = greta.post("/api/mailboxes", json={}).json()
        product.admin.post(f"/api/users/{added['user']['id']}/disable")
        message_id = send(mailbox, "While she was away")
        product.admin.post(f"/api/users/{added['user']['id']}/enable")

        assert [mail["id"] for mail in greta.get("/api/messages").json()["messages"]] == [message_id]


def test_a_user_with_mailboxes_is_removed_only_when_it_is_said_who_gets_them(
    product: Product, ada: ApiClient, send: Send
) -> None:
    added = _add(product, "hugo")
    user_id = added["user"]["id"]
    with product.client(added["initialKey"]["apiKey"]) as hugo:
        mailbox = hugo.post("/api/mailboxes", json={}).json()
        message_id = send(mailbox)
    ada_id = ada.get("/api/auth/session").json()["user"]["id"]

    refused = product.admin.delete(f"/api/users/{user_id}")
    nobody = product.admin.delete(f"/api/users/{user_id}?transferTo=usr_nobody")
    themselves = product.admin.delete(f"/api/users/{user_id}?transferTo={user_id}")
    removed = product.admin.delete(f"/api/users/{user_id}?transferTo={ada_id}")

    assert (refused.status_code, code_of(refused)) == (409, "user_has_mailboxes")
    assert refused.json()["details"]["mailboxes"] == 1
    assert (nobody.status_code, themselves.status_code) == (404, 404)
    assert (removed.json()["mailboxes"], removed.json()["transferredTo"]) == (1, ada_id)
    assert ada.get(f"/api/messages/{message_id}").json()["message"]["mailboxId"] == mailbox["id"]
    later = send(mailbox, "After he had left")
    waited = ada.get("/api/messages/wait?since=c0&subject=After he had left&timeout=0")
    assert waited.json()["message"]["id"] == later
    with product.client(added["initialKey"]["apiKey"]) as hugo:
        assert hugo.get("/api/mailboxes").status_code == 401
    assert product.admin.delete(f"/api/users/{user_id}").status_code == 404


def test_a_user_without_mailboxes_is_simply_removed(product: Product) -> None:
    added = _add(product, "ida")

    removed = product.admin.delete(f"/api/users/{added['user']['id']}")

    assert (removed.status_code, removed.json()["mailboxes"], removed.json()["transferredTo"]) == (200, 0, None)
    assert _add(product, "ida")["user"]["id"] != added["user"]["id"], "the address is free again"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "", {"role": "member"}), ("POST", "/disable", None), ("DELETE", "", None)],
)
def test_the_last_admin_stays(product: Product, method: str, path: str, body: dict[str, Any] | None) -> None:
    me = product.admin.get("/api/auth/session").json()["user"]
    second = _add(product, f"kim{len(path)}{method.lower()}", "admin")
    second_id = second["user"]["id"]
    product.admin.post(f"/api/users/{second_id}/disable")

    refused = product.admin.request(method, f"/api/users/{me['id']}{path}", json=body)

    assert (refused.status_code, code_of(refused)) == (409, "last_admin")
    assert product.admin.get("/api/users").status_code == 200
    assert product.admin.post(f"/api/users/{second_id}", json={"name": "Kim"}).status_code == 200


def test_the_command_line_makes_users_with_the_same_key(product: Product) -> None:
    made = command("users", "add", "lena@people.example", "--name", "Lena", **product.world.environment)

    with product.client(made.stdout.splitlines()[-1]) as lena:
        [key] = lena.get("/api/api-keys").json()["apiKeys"]

    assert (key["name"], key["scopes"]) == ("Initial API Key", ["*"])
