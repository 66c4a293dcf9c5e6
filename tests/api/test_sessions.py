"""Sessions: listed by device, ended one by one or all, by their key, and good under a secret that was replaced."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api_client import ApiClient
from tests.servers import ADMIN_KEY, Product, a_world

COOKIE = "kaisoumail_session"


@contextmanager
def _browser(product: Product, key: str, agent: str = "A browser") -> Iterator[ApiClient]:
    with product.client() as client:
        client.headers["user-agent"] = agent
        assert client.post("/api/auth/session", json={"apiKey": key}).status_code == 200
        yield client


def _key(owner: ApiClient, **wish: Any) -> dict[str, Any]:
    made: dict[str, Any] = owner.post("/api/api-keys", json={"name": "For browsers", "scopes": ["*"], **wish}).json()
    return made


def test_sessions_are_listed_with_their_device_and_place(product: Product, ada: ApiClient) -> None:
    key = _key(ada)
    with _browser(product, key["apiKey"], "Firefox on a train") as here, _browser(product, key["apiKey"]) as there:
        sessions = here.get("/api/sessions").json()["sessions"]
        [current] = [session for session in sessions if session["isCurrent"]]

        assert (current["userAgent"], current["address"]) == ("Firefox on a train", "127.0.0.1")
        assert current["keyId"] == key["apiKeyRecord"]["id"]
        assert [session["isCurrent"] for session in there.get("/api/sessions").json()["sessions"]].count(True) == 1


def test_one_session_is_ended_and_the_others_stay(product: Product, ada: ApiClient) -> None:
    key = _key(ada)["apiKey"]
    with _browser(product, key, "Lost phone") as phone, _browser(product, key) as desk:
        [lost] = [each for each in desk.get("/api/sessions").json()["sessions"] if each["userAgent"] == "Lost phone"]

        assert desk.delete(f"/api/sessions/{lost['id']}").status_code == 204

        assert phone.get("/api/auth/session").status_code == 401
        assert desk.get("/api/auth/session").status_code == 200
        assert desk.delete(f"/api/sessions/{lost['id']}").status_code == 404


def test_signing_out_everywhere_ends_this_session_too(product: Product, bob: ApiClient) -> None:
    key = _key(bob)["apiKey"]
    with _browser(product, key) as one, _browser(product, key) as other:
        ended = one.post("/api/sessions/end-all")

        assert ended.json()["ended"] >= 2
        assert "Max-Age=0" in ended.headers["set-cookie"]
        assert [one.get("/api/mailboxes").status_code, other.get("/api/mailboxes").status_code] == [401, 401]
        assert bob.get("/api/mailboxes").status_code == 200, "keys are no sessions"


def test_a_session_ends_with_the_key_it_was_made_from(product: Product, ada: ApiClient) -> None:
    key = _key(ada)
    with _browser(product, key["apiKey"]) as browser:
        ada.post(f"/api/api-keys/{key['apiKeyRecord']['id']}/revoke")

        assert browser.get("/api/auth/session").status_code == 401


def test_a_session_may_do_what_its_key_may(product: Product, ada: ApiClient) -> None:
    with _browser(product, _key(ada, scopes=["messages:read"])["apiKey"]) as narrow:
        answers = [narrow.get(path).status_code for path in ("/api/messages", "/api/mailboxes", "/api/api-keys")]

    assert answers == [200, 403, 403]


def test_pages_ask_the_same_of_a_session(product: Product, ada: ApiClient) -> None:
    with _browser(product, _key(ada, scopes=["mailboxes:read"])["apiKey"]) as narrow:
        page = narrow.get("/workspace", headers={"accept": "text/html"})

    assert page.status_code == 403


@pytest.fixture
def replaced(tmp_path: Path) -> Any:
    with a_world(tmp_path) as world:
        with world.product(SESSION_SECRET="the-first-secret-of-all") as product, product.client() as browser:
            browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})
            token = browser.cookies[COOKIE]
        yield world, token


def test_a_cookie_outlives_the_secret_while_that_is_listed_as_retired(replaced: Any) -> None:
    world, token = replaced

    def status(**environment: str) -> int:
        with world.product(**environment) as product:
            return httpx.get(f"{product.url}/api/auth/session", cookies={COOKIE: token}).status_code

    assert (
        status(SESSION_SECRET="the-second-secret", SESSION_SECRETS_RETIRED="another-old-secret the-first-secret-of-all")
        == 200
    )
    assert status(SESSION_SECRET="the-second-secret") == 401
