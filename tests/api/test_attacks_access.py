"""What a narrow, a revoked or a late credential tried to get beyond what it was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.api.conftest import Send
from tests.api_client import ApiClient, code_of
from tests.servers import Product


def _key(client: ApiClient, *scopes: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.post("/api/api-keys", json={"name": "Narrow", "scopes": scopes, **more}).json()
    return made


@contextmanager
def _browser(product: Product, secret: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=product.url, timeout=60) as browser:
        browser.post("/api/auth/session", json={"apiKey": secret}).raise_for_status()
        yield browser


def test_a_refused_form_shows_no_mail_to_a_session_that_may_not_read_any(
    product: Product, ada: ApiClient, mailbox: dict[str, Any], send: Send
) -> None:
    message_id = send(mailbox, "A secret subject", text="A secret text")
    with _browser(product, _key(ada, "mailboxes:write")["apiKey"]) as browser:
        answers = [
            browser.post("/workspace", params={"message": message_id, "tab": tab}, data={"local_part": "!"})
            for tab in ("text", "raw")
        ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert not any("secret" in answer.text for answer in answers)


def test_a_session_that_may_not_see_mailboxes_opens_none_on_the_page(
    product: Product, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    with _browser(product, _key(ada, "messages:read")["apiKey"]) as browser:
        everything = browser.get("/workspace")
        one = browser.get("/workspace", params={"mailbox": mailbox["id"]})

    assert (everything.status_code, one.status_code) == (200, 403)
    assert mailbox["address"] not in one.text


def test_a_key_for_users_makes_nobody_an_admin(product: Product) -> None:
    with product.client(_key(product.admin, "users:write")["apiKey"]) as narrow:
        member = narrow.post("/api/users", json={"email": "helper@people.example", "name": "Helper"}).json()["user"]
        made = narrow.post("/api/users", json={"email": "chief@people.example", "name": "Chief", "role": "admin"})
        raised = narrow.post(f"/api/users/{member['id']}", json={"role": "admin"})
        renamed = narrow.post(f"/api/users/{member['id']}", json={"name": "Helper II"})

    assert [code_of(made), code_of(raised)] == ["insufficient_scope", "insufficient_scope"]
    assert renamed.json()["role"] == "member"


def test_a_key_for_users_gives_nobodys_mail_away(product: Product) -> None:
    added = product.admin.post("/api/users", json={"email": "leaving@people.example", "name": "Leaving"}).json()
    heir = product.admin.post("/api/users", json={"email": "heir@people.example", "name": "Heir"}).json()
    path = f"/api/users/{added['user']['id']}"
    with product.client(_key(product.admin, "users:write")["apiKey"]) as narrow:
        given_away = narrow.delete(path, params={"transferTo": heir["user"]["id"]})
        without_mail = narrow.delete(path)

    assert code_of(given_away) == "insufficient_scope"
    assert without_mail.is_success


@pytest.mark.parametrize(
    "twice",
    [
        [("authorization", "Basic eDp5"), ("authorization", "Bearer cfm_a-key-of-nobody")],
        [("origin", "https://evil.example"), ("origin", "{url}")],
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "none")],
    ],
)
def test_a_header_said_twice_hides_no_change_by_another_site(
    product: Product, ada: ApiClient, twice: list[tuple[str, str]]
) -> None:
    with _browser(product, _key(ada, "*")["apiKey"]) as browser:
        headers = [(name, value.format(url=product.url)) for name, value in twice]
        if twice[0][0] == "authorization":
            headers.append(("sec-fetch-site", "cross-site"))
        answer = browser.post("/api/sessions/end-all", headers=headers)
        still = browser.get("/api/auth/session")

    assert (answer.status_code, still.status_code) == (400, 200)


def test_an_admin_who_waits_for_somebodys_mail_is_seen_to_open_it(
    product: Product, mailbox: dict[str, Any], send: Send
) -> None:
    message_id = send(mailbox)

    product.admin.get(f"/api/mailboxes/{mailbox['id']}/wait?timeout=0")

    [entry] = product.admin.get("/api/audit", params={"targetId": message_id}).json()["entries"]
    assert (entry["action"], entry["actor"]) == ("message.open", "root@people.example")
