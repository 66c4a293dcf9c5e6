"""
The attacks that the system we follow fell to, as `contract/core.md` §8.2 numbers them.

S4 is with the passkeys' tests; S5 to S9 and S16 are in `test_attacks_web.py`.
"""

from pathlib import Path
from typing import Any

import httpx
import pytest

from kaisoumail.auth import picture_tickets, sessions, signatures
from kaisoumail.model.alias_names import random_local_part
from tests.api.conftest import Send
from tests.api_client import ApiClient, code_of
from tests.builders import an_email
from tests.handing_over import hand_over
from tests.people import NOON
from tests.servers import ADMIN_KEY, Product, a_world

COOKIE = "kaisoumail_session"


@pytest.fixture
def narrow(product: Product) -> Any:
    """An admin's key that may only read mail."""
    made = product.admin.post("/api/api-keys", json={"name": "Narrow", "scopes": ["messages:read"]}).json()
    with product.client(made["apiKey"]) as client:
        yield client


def test_s1_a_narrow_key_makes_neither_a_wide_one_nor_an_admin_nor_a_wide_session(
    product: Product, narrow: ApiClient
) -> None:
    wide = narrow.post("/api/api-keys", json={"name": "Wide", "scopes": ["*"]})
    admin = narrow.post("/api/users", json={"email": "eve@people.example", "name": "Eve", "role": "admin"})
    with product.client() as browser:
        browser.post("/api/auth/session", json={"apiKey": narrow.headers["authorization"][7:]})
        through_a_session = [
            browser.post("/api/api-keys", json={"name": "Wide", "scopes": ["*"]}),
            browser.post("/api/users", json={"email": "eve@people.example", "name": "Eve", "role": "admin"}),
            browser.post("/api/domains/bind", json={"mailDomain": "evil.com"}),
        ]
        assert browser.get("/api/messages").status_code == 200

    assert {code_of(answer) for answer in (wide, admin, *through_a_session)} == {"insufficient_scope"}


def test_s2_a_stolen_cookie_ends_with_its_key_and_by_signing_out_everywhere(product: Product, ada: ApiClient) -> None:
    key = ada.post("/api/api-keys", json={"name": "Stolen", "scopes": ["*"]}).json()

    def stolen_cookie() -> dict[str, str]:
        with product.client() as browser:
            browser.post("/api/auth/session", json={"apiKey": key["apiKey"]})
            return {COOKIE: browser.cookies[COOKIE]}

    def is_good(cookies: dict[str, str]) -> bool:
        return httpx.get(f"{product.url}/api/auth/session", cookies=cookies).status_code == 200

    first = stolen_cookie()
    assert is_good(first)
    ada.post("/api/sessions/end-all")
    assert not is_good(first)

    second = stolen_cookie()
    ada.post(f"/api/api-keys/{key['apiKeyRecord']['id']}/revoke")
    assert not is_good(second)


def test_s3_nothing_signed_for_one_purpose_is_good_for_another() -> None:
    secret, purpose_free = "the-secret-of-the-operator", "one and the same text"

    proofs = {
        sessions.hash_of(purpose_free, secret),
        picture_tickets.picture_ticket(secret, purpose_free, "", NOON).partition("-")[2],
        signatures.sign(secret, purpose_free, "", "", b""),
    }

    assert len(proofs) == 3
    assert all(len(proof) == 64 for proof in proofs)


def test_s3_a_forged_cookie_of_the_old_form_is_nobody(product: Product) -> None:
    forged = "eyJzdWIiOiJ1c3JfMSIsImV4cCI6OTk5OTk5OTk5OX0.c2lnbmF0dXJl"

    assert httpx.get(f"{product.url}/api/auth/session", cookies={COOKIE: forged}).status_code == 401


def test_s10_an_address_is_not_given_to_somebody_else_while_its_mailbox_is_there(
    ada: ApiClient, bob: ApiClient
) -> None:
    mailbox = ada.post("/api/mailboxes", json={}).json()

    answers = [
        bob.post("/api/mailboxes/ensure", json={"address": mailbox["address"]}),
        bob.post(
            "/api/mailboxes",
            json={"localPart": mailbox["localPart"], "subdomain": mailbox["subdomain"], "mailDomain": "customer.com"},
        ),
    ]

    assert [(answer.status_code, code_of(answer)) for answer in answers] == [(409, "mailbox_taken")] * 2


def test_s11_generated_addresses_do_not_repeat_and_foreign_ones_tell_nothing(
    ada: ApiClient, bob: ApiClient, mailbox: dict[str, Any]
) -> None:
    drawn = [random_local_part() for _ in range(500)]
    assert len(set(drawn)) > 490  # of 5.7 million, drawn with `secrets`

    foreign = bob.get("/api/mailboxes/resolve", params={"address": mailbox["address"]})
    unknown = bob.get("/api/mailboxes/resolve", params={"address": "nobody@desk.customer.com"})
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())


def test_s12_where_the_operator_wants_it_strangers_learn_no_domains(tmp_path: Path) -> None:
    with a_world(tmp_path) as world, world.product(META_NAMES_DOMAINS="false") as product:
        product.active_domain("customer.com")
        with product.client() as nobody:
            shown = nobody.get("/api/meta").json()

        assert (shown["domains"], shown["addressRules"]["examples"]) == ([], [])
        assert product.admin.get("/api/meta").json()["domains"] == ["customer.com"]


def test_s13_a_deleted_mail_says_nothing_any_more(product: Product, ada: ApiClient, send: Send) -> None:
    mailbox = ada.post("/api/mailboxes", json={}).json()
    message_id = send(mailbox, "Your code is 842911")

    ada.delete(f"/api/messages/{message_id}")

    for client in (ada, product.admin):
        assert [client.get(f"/api/messages/{message_id}{part}").status_code for part in ("", "/raw", "/html")] == [
            404
        ] * 3
        assert message_id not in client.get("/api/messages").text


def test_s14_what_cloudflare_found_out_about_a_sender_is_told_and_a_strangers_claim_is_not(
    product: Product, ada: ApiClient
) -> None:
    mailbox = ada.post("/api/mailboxes", json={}).json()
    claims = b"Authentication-Results: mx.cloudflare.net; dmarc=fail header.from=bank.example; spf=fail\r\n"
    lies = b"Authentication-Results: evil.example; dmarc=pass header.from=bank.example\r\n"

    def told(headers: bytes) -> Any:
        raw = headers + an_email(mailbox["address"], sender="Bank <no-reply@bank.example>")
        message_id = hand_over(product.url, mailbox["address"], raw)
        return ada.get(f"/api/messages/{message_id}").json()["message"]["authentication"]

    findings = told(claims + lies)
    assert findings["dmarc"]["result"] == "fail"
    assert (told(lies) or {}).get("dmarc") is None


def test_s15_an_admin_who_reads_somebodys_mail_is_seen_to_do_so(product: Product, ada: ApiClient, send: Send) -> None:
    message_id = send(ada.post("/api/mailboxes", json={}).json())

    with product.client() as browser:
        browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})
        browser.get(f"/api/messages/{message_id}")

    entries = product.admin.get("/api/audit", params={"targetId": message_id}).json()["entries"]
    assert [(entry["action"], entry["actor"]) for entry in entries] == [("message.open", "root@people.example")]
