"""
What existing clients see, row by row as `contract/core.md` numbers it; where it suggests a better form, that one.

Rows 9 to 13 are with the passkeys' tests, 44 is in `test_destroying_a_mailbox.py`; 38 comes with catch-all.
"""

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from kaisoumail.storage.engine.sqlite import sqlite_driver
from tests.api.conftest import Send
from tests.api_client import ApiClient, code_of
from tests.builders import an_email
from tests.handing_over import hand_over, signed
from tests.servers import ADMIN_KEY, Product, a_world

COOKIE = "kaisoumail_session"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_01_health(product: Product) -> None:
    assert httpx.get(f"{product.url}/health").json() == {"ok": True}


def test_02_meta_needs_nobody(product: Product) -> None:
    with product.client() as nobody:
        meta = nobody.get("/api/meta").json()

    assert (meta["minMailboxTtlMinutes"], meta["maxMailboxTtlMinutes"]) == (60, 525_600)
    assert meta["supportsUnlimitedMailboxTtl"] is True


def test_03_a_session_without_credentials(product: Product) -> None:
    answer = httpx.get(f"{product.url}/api/auth/session")

    assert (answer.status_code, answer.json()["error"]) == (401, "Authentication required")


def test_04_an_unknown_key_beside_a_good_cookie(product: Product) -> None:
    with product.client() as browser:
        browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})
        assert browser.get("/api/auth/session").status_code == 200
        answer = browser.get("/api/auth/session", headers={"authorization": "Bearer cfm_nobody-has-this-key"})

    assert answer.status_code == 401


def test_05_to_07_signing_in(product: Product) -> None:
    with product.client() as browser:
        short = browser.post("/api/auth/session", json={"apiKey": "x" * 15})
        unknown = browser.post("/api/auth/session", json={"apiKey": "x" * 16})
        good = browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})

    assert (short.status_code, short.json()["error"]) == (400, "Invalid request")
    assert "apiKey" in short.json()["details"]["fieldErrors"]
    assert (unknown.status_code, unknown.json()["error"]) == (401, "Invalid API key")
    assert good.status_code == 200
    [cookie] = good.headers.get_list("set-cookie")
    assert cookie.startswith(f"{COOKIE}=")
    assert all(part in cookie for part in ("; Max-Age=604800", "; HttpOnly", "; SameSite=Lax", "; Path=/"))


def test_08_signing_out_as_nobody(product: Product) -> None:
    answer = httpx.delete(f"{product.url}/api/auth/session")

    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_14_a_key_without_scopes(ada: ApiClient) -> None:
    made = ada.post("/api/api-keys", json={"name": "New"}).json()

    assert made["apiKeyRecord"]["scopes"] == ["mailboxes:write", "messages:read"]
    assert (made["apiKey"][:4], len(made["apiKey"])) == ("cfm_", 36)
    assert made["apiKeyRecord"]["prefix"] == made["apiKey"][:12]


def test_15_and_16_revoking(product: Product, ada: ApiClient, bob: ApiClient) -> None:
    made = ada.post("/api/api-keys", json={"name": "New"}).json()
    path = f"/api/api-keys/{made['apiKeyRecord']['id']}/revoke"

    answers = [bob.post("/api/api-keys/key_nobody/revoke"), bob.post(path), product.admin.post(path)]

    assert [answer.status_code for answer in answers] == [404, 403, 204]
    assert answers[1].json()["error"] == "Forbidden"
    with product.client(made["apiKey"]) as revoked:
        assert revoked.get("/api/mailboxes").status_code == 401


def test_17_and_18_users(product: Product, bob: ApiClient) -> None:
    wish = {"email": "nora@people.example", "name": "Nora"}
    refused = bob.get("/api/users")
    made = [product.admin.post("/api/users", json=wish) for _ in range(2)]

    assert (refused.status_code, refused.json()["error"]) == (403, "Admin access required")
    assert [answer.status_code for answer in made] == [201, 409]
    assert made[1].json()["error"] == "User already exists"


def test_19_a_mailbox_of_nothing(ada: ApiClient) -> None:
    made = ada.post("/api/mailboxes", json={})

    assert made.status_code == 201
    mailbox = made.json()
    assert _at(mailbox["expiresAt"]) - _at(mailbox["createdAt"]) == timedelta(minutes=60)
    assert mailbox["address"].endswith(".customer.com")


def test_20_to_22_the_domain_of_a_mailbox(ada: ApiClient) -> None:
    untidy = ada.post("/api/mailboxes", json={"mailDomain": " Customer.COM "})
    differ = ada.post("/api/mailboxes", json={"mailDomain": "customer.com", "rootDomain": "other.com"})
    unknown = ada.post("/api/mailboxes", json={"mailDomain": "unknown.com"})

    assert (untidy.status_code, untidy.json()["rootDomain"]) == (201, "customer.com")
    assert differ.status_code == 400
    assert (unknown.status_code, unknown.json()["error"]) == (400, "Mailbox domain is not enabled")
    assert unknown.json()["details"]["rootDomain"] == "unknown.com"


def test_23_no_domain_at_all(tmp_path: Any) -> None:
    with a_world(tmp_path) as world, world.product() as empty:
        answer = empty.admin.post("/api/mailboxes", json={})

    assert (answer.status_code, answer.json()["error"]) == (400, "No mailbox domains are enabled")


def test_24_and_25_an_address_that_is_taken(ada: ApiClient, bob: ApiClient) -> None:
    wish = {"localPart": "taken", "subdomain": "desk", "mailDomain": "customer.com"}
    made = ada.post("/api/mailboxes", json=wish).json()

    own, foreign = ada.post("/api/mailboxes", json=wish), bob.post("/api/mailboxes", json=wish)

    assert (own.status_code, code_of(own)) == (409, "mailbox_exists")
    assert own.json()["details"]["mailbox"]["id"] == made["id"]
    assert (foreign.status_code, foreign.json()["error"]) == (409, "Mailbox already exists")
    assert "mailbox" not in foreign.json()["details"]


def test_26_and_27_how_long_it_lives(ada: ApiClient) -> None:
    assert ada.post("/api/mailboxes", json={"expiresInMinutes": None}).json()["expiresAt"] is None
    for wrong in (59, 525_601, 60.5, "60", True):
        answer = ada.post("/api/mailboxes", json={"expiresInMinutes": wrong})
        assert (answer.status_code, answer.json()["error"]) == (400, "Invalid request"), wrong


def test_28_and_29_making_sure_of_one(ada: ApiClient) -> None:
    wish = {"localPart": "sure", "subdomain": "desk", "mailDomain": "customer.com"}

    def ensure(**more: Any) -> httpx.Response:
        return ada.post("/api/mailboxes/ensure", json={**wish, **more})

    answers = [ensure(), ensure(), ensure(expiresInMinutes=600), ensure(expiresInMinutes=60)]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
    until = [_at(answer.json()["expiresAt"]) for answer in answers]
    assert until[2] > until[1]
    assert until[3] == until[2]

    assert ensure(expiresInMinutes=None).json()["expiresAt"] is None
    assert ensure(expiresInMinutes=600).json()["expiresAt"] is None


def test_30_and_31_what_cannot_be_made_sure_of(ada: ApiClient) -> None:
    mixed = {"address": "a@desk.customer.com", "localPart": "a", "subdomain": "desk"}
    assert ada.post("/api/mailboxes/ensure", json=mixed).status_code == 400
    for address in ("user+tag@desk.customer.com", "user@customer.com", "user@desk.elsewhere.com"):
        answer = ada.post("/api/mailboxes/ensure", json={"address": address})
        assert (answer.status_code, answer.json()["error"]) == (400, "Invalid mailbox address"), address


def test_32_a_mailbox_past_its_time(ada: ApiClient, product: Product) -> None:
    mailbox = ada.post("/api/mailboxes", json={}).json()
    with closing(sqlite_driver().connect(f"{product.world.environment['DATA_DIR']}/kaisoumail.db")) as database:
        database.execute("UPDATE mailboxes SET expires_at = created_at WHERE id = ?", (mailbox["id"],))
        database.commit()

    expired = ada.get("/api/mailboxes?status=expired").json()["mailboxes"]
    ensured = ada.post("/api/mailboxes/ensure", json={"address": mailbox["address"]}).json()

    assert [(each["id"], each["status"]) for each in expired] == [(mailbox["id"], "expired")]
    assert (ensured["id"], ensured["status"]) == (mailbox["id"], "active")


def test_33_and_34_what_is_somebody_elses(ada: ApiClient, bob: ApiClient) -> None:
    made = ada.post("/api/mailboxes", json={}).json()

    by_address = [
        bob.get(f"/api/mailboxes/resolve?address={each}") for each in (made["address"], "no@desk.customer.com")
    ]
    by_id = bob.get(f"/api/mailboxes/{made['id']}")

    assert [(answer.status_code, answer.json()["error"]) for answer in by_address] == [(404, "Mailbox not found")] * 2
    assert (by_id.status_code, by_id.json()["error"]) == (403, "Forbidden")


def test_35_destroying(ada: ApiClient) -> None:
    wish = {"localPart": "gone", "subdomain": "desk", "mailDomain": "customer.com"}
    made = ada.post("/api/mailboxes", json=wish).json()

    destroyed, again = (ada.delete(f"/api/mailboxes/{made['id']}") for _ in range(2))
    anew = ada.post("/api/mailboxes", json=wish)

    assert [(each.status_code, each.json()["status"]) for each in (destroyed, again)] == [(200, "destroyed")] * 2
    assert again.json()["destroyedAt"] == destroyed.json()["destroyedAt"]
    assert (anew.status_code, anew.json()["id"] != made["id"]) == (201, True)


def test_36_a_recipient_in_capitals(ada: ApiClient, product: Product) -> None:
    mailbox = ada.post("/api/mailboxes", json={}).json()
    shouted = mailbox["address"].upper()

    message_id = hand_over(product.url, shouted, an_email(shouted))
    message = ada.get(f"/api/messages/{message_id}").json()["message"]

    assert (message["envelopeTo"], message["mailboxAddress"]) == (shouted, mailbox["address"])


def test_37_mail_for_nobody(product: Product) -> None:
    raw = an_email("nobody@desk.customer.com")
    answer = httpx.post(f"{product.url}/api/inbound", content=raw, headers=signed("nobody@desk.customer.com", raw))

    assert (answer.status_code, answer.json()["error"]) == (422, "Mailbox unavailable")


def test_39_an_empty_mail(ada: ApiClient, send: Send) -> None:
    message_id = send(ada.post("/api/mailboxes", json={}).json(), raw=b"From: a@b.example\r\n\r\n")

    message = ada.get(f"/api/messages/{message_id}").json()["message"]

    assert (message["subject"], message["previewText"]) == ("(no subject)", "(no preview)")


def test_40_to_43_narrowing_the_list(ada: ApiClient, send: Send) -> None:
    one, other = (ada.post("/api/mailboxes", json={}).json() for _ in range(2))
    ids = [send(one, "First"), send(other, "Second")]
    first, second = (ada.get(f"/api/messages/{each}").json()["message"]["receivedAt"] for each in ids)

    def listed(**query: Any) -> list[str]:
        mails = ada.get("/api/messages", params={"mailboxId": [one["id"], other["id"]], **query}).json()["messages"]
        return [mail["id"] for mail in mails]

    assert listed(after="2020-01-01T00:00:00Z", since=first) == ([ids[1]] if second > first else [])
    assert listed(after=second) == []
    assert listed(mailboxId=one["id"], mailbox=other["address"]) == [ids[0]]
    assert listed(mailboxStatus="expired") == []
    wrong = ada.get("/api/messages?after=2026-01-01")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "Invalid request")
    assert wrong.json()["details"]["fieldErrors"]["after"] == ["Invalid ISO datetime"]


def test_45_and_46_a_mail_of_somebody_else_and_its_bytes(ada: ApiClient, bob: ApiClient, send: Send) -> None:
    mailbox = ada.post("/api/mailboxes", json={}).json()
    raw = an_email(mailbox["address"], "Bytes")
    message_id = send(mailbox, raw=raw)

    refused = [bob.get(f"/api/messages/{message_id}{part}").status_code for part in ("", "/raw")]
    bytes_again = ada.get(f"/api/messages/{message_id}/raw")

    assert refused == [403, 403]
    assert bytes_again.content == raw
    assert bytes_again.headers["content-type"] == "message/rfc822"
    assert bytes_again.headers["content-disposition"] == f'attachment; filename="{message_id}.eml"'


@pytest.mark.parametrize(
    ("origin", "status"), [("http://localhost:4173", 204), ("https://evil.example", 403), (None, 403)]
)
def test_47_preflights(product: Product, origin: str | None, status: int) -> None:
    headers = {"access-control-request-method": "POST", **({"origin": origin} if origin else {})}

    assert httpx.options(f"{product.url}/api/mailboxes", headers=headers).status_code == status


def test_48_and_50_senders_and_dates_that_are_none(ada: ApiClient, send: Send) -> None:
    mailbox = ada.post("/api/mailboxes", json={}).json()
    raw = b"From: root@localhost\r\nDate: the day before\r\nSubject: odd\r\n\r\nbody\r\n"
    message_id = send(mailbox, raw=raw)

    [listed] = ada.get("/api/messages", params={"mailboxId": mailbox["id"]}).json()["messages"]
    message = ada.get(f"/api/messages/{message_id}").json()["message"]

    assert (listed["id"], listed["fromAddress"]) == (message_id, None)
    assert message["dateHeader"] is None


def test_49_json_that_is_none(ada: ApiClient) -> None:
    answer = ada.post("/api/mailboxes", content=b"{", headers={"content-type": "application/json"})

    assert answer.status_code == 400
