"""Keys, sessions and roles."""

import httpx
import pytest

from tests.api_client import code_of
from tests.servers import ADMIN_KEY, Product

COOKIE = "kaisoumail_session"
ADMIN_ROUTES = [
    ("GET", "/api/domains"),
    ("GET", "/api/domains/catalog"),
    ("POST", "/api/domains/bind"),
    ("POST", "/api/domains/dom_0/retry"),
    ("POST", "/api/domains/dom_0/disable"),
]
SIGNED_IN_ROUTES = [
    ("GET", "/api/auth/session"),
    ("GET", "/api/mailboxes"),
    ("POST", "/api/mailboxes"),
    ("POST", "/api/mailboxes/ensure"),
    ("GET", "/api/mailboxes/resolve"),
    ("GET", "/api/mailboxes/mbx_0"),
    ("GET", "/api/messages"),
    ("GET", "/api/messages/msg_0"),
    ("GET", "/api/messages/msg_0/raw"),
    ("GET", "/api/messages/msg_0/html"),
    ("GET", "/api/messages/msg_0/attachments/att_0"),
    ("GET", "/api/mailboxes/mbx_0/wait"),
    ("GET", "/api/messages/wait"),
    ("GET", "/api/events"),
    ("POST", "/api/messages/msg_0/read"),
    ("DELETE", "/api/messages/msg_0"),
]


@pytest.mark.parametrize(("method", "path"), SIGNED_IN_ROUTES + ADMIN_ROUTES)
def test_who_is_not_signed_in_is_told_so_before_anything_else(product: Product, method: str, path: str) -> None:
    with product.client() as nobody:
        answer = nobody.request(method, path, content=b"{", headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["error"]) == (401, "Authentication required")


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_domains_are_for_admins(product: Product, member_key: str, method: str, path: str) -> None:
    with product.client(member_key) as member:
        answer = member.request(method, path, content=b"{", headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["error"]) == (403, "Admin access required")


@pytest.fixture(scope="module")
def member_key(product: Product) -> str:
    return product.add_member("bob")


def test_a_key_buys_a_session_and_signing_out_ends_it(product: Product) -> None:
    with product.client() as browser:
        signed_in = browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})
        cookie = signed_in.headers["set-cookie"]
        token = signed_in.cookies[COOKIE]
        session = browser.get("/api/auth/session")
        ended = browser.delete("/api/auth/session")
        stolen = httpx.get(f"{product.url}/api/auth/session", cookies={COOKIE: token})

    assert signed_in.status_code == 200
    assert cookie == f"{COOKIE}={token}; HttpOnly; Path=/; SameSite=Lax; Max-Age=604800"
    assert session.json()["user"]["email"] == "root@people.example"
    assert ended.status_code == 204
    assert "Max-Age=0" in ended.headers["set-cookie"]
    assert stolen.status_code == 401


def test_signing_out_is_fine_for_who_never_signed_in(product: Product) -> None:
    with product.client() as nobody:
        assert nobody.delete("/api/auth/session").status_code == 204


def test_a_wrong_key_is_told_so(product: Product) -> None:
    with product.client() as nobody:
        wrong = nobody.post("/api/auth/session", json={"apiKey": "cfm_this-is-not-a-key-of-ours"})
        short = nobody.post("/api/auth/session", json={"apiKey": "short"})

    assert (wrong.status_code, wrong.json()["error"]) == (401, "Invalid API key")
    assert (short.status_code, list(short.json()["details"]["fieldErrors"])) == (400, ["apiKey"])


def test_a_wrong_bearer_key_never_falls_back_to_the_cookie(product: Product) -> None:
    with product.client() as browser:
        browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})
        answer = browser.get("/api/auth/session", headers={"authorization": "Bearer cfm_wrong-wrong-wrong"})

    assert answer.status_code == 401


@pytest.mark.parametrize("cookie", ["%E0%A4%A", "a.b.c", "ü", '"', "x" * 5000, "\\", ""])
def test_a_malformed_cookie_is_nobody_and_never_an_error(product: Product, cookie: str) -> None:
    headers = {b"cookie": f"{COOKIE}={cookie}".encode()}

    answer = httpx.get(f"{product.url}/api/auth/session", headers=headers)

    assert answer.status_code == 401


def test_a_scheme_in_any_letter_case_will_do(product: Product) -> None:
    with product.client() as client:
        assert client.get("/api/auth/session", headers={"authorization": f"bEaReR {ADMIN_KEY}"}).status_code == 200


def test_the_hand_over_needs_its_signature(product: Product) -> None:
    answer = httpx.post(f"{product.url}/api/inbound", content=b"Subject: hi\r\n\r\nhi")

    assert (answer.status_code, code_of(answer)) == (401, "invalid_signature")
