"""The stream of events: everything once, in order, to whom it belongs, for as long as they are signed in."""

import threading
from typing import Any

import httpx
import pytest

from tests.api.conftest import Send
from tests.api.event_stream import events_in, following
from tests.api_client import ApiClient
from tests.servers import ADMIN_KEY, Product


def test_a_stream_begins_with_its_place_and_tells_what_comes(
    send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    with following(ada) as events:
        place, kind, data = next(events)
        sent = send(mailbox)
        message = next(events)

    assert (kind, data) == ("ready", {"cursor": place})
    assert message[1] == "message"
    received = message[2].pop("receivedAt")
    assert received.endswith("Z")
    assert message[2] == {
        "id": sent,
        "mailboxId": mailbox["id"],
        "address": mailbox["address"],
        "subject": "Your code is 842911",
        "hasCode": True,
        "cursor": message[0],
    }


@pytest.mark.parametrize(
    "path", ["/api/events", "/api/messages/wait?timeout=60", "/api/mailboxes/{id}/wait?timeout=60"]
)
def test_head_is_answered_at_once(ada: ApiClient, mailbox: dict[str, Any], path: str) -> None:
    headers = {"authorization": ada.headers["authorization"]}

    answer = httpx.head(f"{ada.base_url}{path.format(**mailbox)}", headers=headers, timeout=10)

    assert answer.status_code == (200 if path == "/api/events" else 204)
    assert answer.headers.get("content-type", "").startswith("text/event-stream") == (path == "/api/events")
    assert answer.headers["cache-control"] == "no-store"


def test_mailboxes_are_told_to_their_owner_and_domains_to_admins(product: Product, send: Send, ada: ApiClient) -> None:
    with following(ada) as adas, following(product.admin) as admins:
        next(adas)
        next(admins)
        product.admin.post("/api/domains/bind", json={"mailDomain": "waiting.com"})
        made = ada.post("/api/mailboxes", json={}).json()
        sent = send(made, "Hello")
        ada.post(f"/api/messages/{sent}/read", json={"read": True})
        told = [next(adas) for _ in range(3)]
        kinds = {next(admins)[1] for _ in range(3)}

    assert [kind for _, kind, _ in told] == ["mailbox", "message", "mailbox"]
    assert [data["id"] for _, _, data in told] == [made["id"], sent, made["id"]]
    assert told[2][2]["unreadCount"] == 0
    assert "domain" in kinds


def test_nobody_hears_of_what_is_not_theirs(
    product: Product, send: Send, ada: ApiClient, bob: ApiClient, mailbox: dict[str, Any]
) -> None:
    with following(bob) as events:
        next(events)
        send(mailbox)
        own = bob.post("/api/mailboxes", json={}).json()
        first = next(events)

    assert first[2]["id"] == own["id"]
    with product.client() as nobody:
        assert nobody.get("/api/events").status_code == 401


def test_a_stream_taken_up_again_and_again_while_mails_pour_in_tells_each_once(
    send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    subjects = [f"Mail {number}" for number in range(40)]
    pouring = threading.Thread(target=lambda: [send(mailbox, subject) for subject in subjects])
    heard: list[str] = []
    with following(ada) as events:
        place = next(events)[0]
    pouring.start()

    while len(heard) < len(subjects):
        with following(ada, **{"last-event-id": place}) as events:
            next(events)  # ready
            for _ in range(min(7, len(subjects) - len(heard))):
                place, _, data = next(events)
                heard.append(data["subject"])
    pouring.join()

    assert heard == subjects


def test_a_browser_follows_with_its_cookie_and_says_where_it_was_in_the_query(
    product: Product, send: Send, mailbox: dict[str, Any]
) -> None:
    sent = send(mailbox)
    with httpx.Client(base_url=product.url, timeout=60) as browser:
        browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})
        with browser.stream("GET", f"/api/events?since={mailbox['cursor']}") as answer:
            events = events_in(answer.iter_lines())
            next(events)
            told = next(events)

    assert told[2]["id"] == sent


def test_a_stream_ends_when_its_reader_is_no_longer_signed_in(
    product: Product, send: Send, mailbox: dict[str, Any]
) -> None:
    with httpx.Client(base_url=product.url, timeout=60) as browser:
        browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})
        with browser.stream("GET", "/api/events") as answer:
            events = events_in(answer.iter_lines())
            next(events)
            httpx.delete(f"{product.url}/api/auth/session", cookies=dict(browser.cookies))
            send(mailbox)
            rest = list(events)

    assert rest == []


@pytest.mark.parametrize("given", [{"last-event-id": "garbage"}, {"last-event-id": "c-1"}])
def test_a_place_that_is_none_is_refused(ada: ApiClient, given: dict[str, str]) -> None:
    for refused in (ada.get("/api/events", headers=given), ada.get("/api/events?since=2026-04-03T12:00:00Z")):
        assert (refused.status_code, list(refused.json()["details"]["fieldErrors"])) == (400, ["since"])
