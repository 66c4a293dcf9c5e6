"""Waiting for a mail: over HTTP, at a running product."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.conftest import Send
from tests.api_client import ApiClient
from tests.servers import Product

CURSOR = "x-kaisoumail-cursor"


@pytest.fixture
def in_background() -> Iterator[Callable[..., "Future[Any]"]]:
    with ThreadPoolExecutor(8) as threads:
        yield threads.submit


def test_an_agent_that_makes_a_mailbox_triggers_a_mail_and_then_waits_gets_its_code(
    send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    sent = send(mailbox)

    for since in ({}, {"since": mailbox["cursor"]}, {"since": mailbox["createdAt"]}):
        waited = ada.get(f"/api/mailboxes/{mailbox['id']}/wait", params={"timeout": "60", **since})
        assert waited.json()["message"]["id"] == sent
        assert waited.json()["message"]["verification"]["code"] == "842911"


def test_a_mail_that_comes_while_we_wait_is_told_at_once(
    send: Send, ada: ApiClient, mailbox: dict[str, Any], in_background: Callable[..., "Future[Any]"]
) -> None:
    waiting = in_background(ada.get, f"/api/mailboxes/{mailbox['id']}/wait?timeout=60")

    sent = send(mailbox)

    assert waiting.result().json()["message"]["id"] == sent


def test_when_nothing_comes_the_answer_is_204_and_the_cursor_to_go_on_from(
    send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    nothing = ada.get(f"/api/mailboxes/{mailbox['id']}/wait?timeout=0")
    sent = send(mailbox)  # between two calls
    waited = ada.get("/api/messages/wait", params={"since": nothing.headers[CURSOR], "timeout": "60"})

    assert (nothing.status_code, nothing.content) == (204, b"")
    assert waited.json()["message"]["id"] == sent
    assert waited.headers[CURSOR] == waited.json()["cursor"]
    assert ada.get("/api/messages/wait", params={"since": waited.json()["cursor"], "timeout": "0"}).status_code == 204


def test_an_older_code_is_not_taken_for_the_one_that_was_triggered(
    send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    send(mailbox, "Your code is 111111")
    again = ada.post("/api/mailboxes/ensure", json={"address": mailbox["address"]}).json()
    wait = f"/api/mailboxes/{mailbox['id']}/wait?since={again['cursor']}"

    assert ada.get(f"{wait}&timeout=0").status_code == 204
    send(mailbox, "Your code is 222222")
    assert ada.get(f"{wait}&timeout=60").json()["message"]["verification"]["code"] == "222222"


def test_without_since_waiting_anywhere_means_from_now_on(send: Send, ada: ApiClient, mailbox: dict[str, Any]) -> None:
    send(mailbox)

    assert ada.get(f"/api/messages/wait?mailbox={mailbox['address']}&timeout=0").status_code == 204


def test_who_waits_for_a_code_is_not_woken_by_mails_without_one(
    send: Send, ada: ApiClient, mailbox: dict[str, Any], in_background: Callable[..., "Future[Any]"]
) -> None:
    send(mailbox, "News", text="Nothing to enter.")
    wait = f"/api/mailboxes/{mailbox['id']}/wait?hasCode=true"
    assert ada.get(f"{wait}&timeout=0").status_code == 204
    waiting = in_background(ada.get, f"{wait}&timeout=60")

    send(mailbox, "More news", text="Nothing to enter.")
    sent = send(mailbox, "Your code is 842911")

    assert waiting.result().json()["message"]["id"] == sent


def test_sender_and_subject_narrow_whatever_their_letter_case(
    send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    wanted = send(mailbox, "Ihre BESTÄTIGUNG", sender="Größe AG <Hello@Groesse.Example>")
    send(mailbox, "Something else")

    def found(**query: str) -> Any:
        answer = ada.get(f"/api/mailboxes/{mailbox['id']}/wait", params={"timeout": "0", **query})
        return answer.json()["message"]["id"] if answer.status_code == 200 else None

    assert found(subject="bestätigung") == wanted
    assert found(**{"from": "hello@groesse.example"}) == wanted
    assert found(**{"from": "GRÖSSE", "subject": "Ihre"}) == wanted
    assert found(**{"from": "shop.example"}) is not None  # the envelope's sender
    assert found(subject="bestätigung", **{"from": "nobody"}) is None


def test_several_mailboxes_are_waited_for_by_address_or_id(send: Send, ada: ApiClient) -> None:
    one, two, other = (ada.post("/api/mailboxes", json={}).json() for _ in range(3))
    send(other)
    sent = send(two)

    query = [("mailbox", one["address"].upper()), ("mailbox", two["id"]), ("since", one["cursor"]), ("timeout", "60")]
    waited = ada.get("/api/messages/wait", params=query)

    assert waited.json()["message"]["id"] == sent


def test_an_admin_waits_for_everybodys_mail_and_a_stranger_is_told_there_is_no_such_mailbox(
    product: Product, send: Send, ada: ApiClient, bob: ApiClient, mailbox: dict[str, Any]
) -> None:
    sent = send(mailbox)

    assert product.admin.get(f"/api/mailboxes/{mailbox['id']}/wait").json()["message"]["id"] == sent
    assert product.admin.get(f"/api/messages/wait?since={mailbox['cursor']}").json()["message"]["id"] == sent
    for path in (f"/api/mailboxes/{mailbox['id']}/wait", f"/api/messages/wait?mailbox={mailbox['address']}"):
        refused = bob.get(path)
        assert (refused.status_code, refused.json()["details"]["code"]) == (404, "mailbox_not_found")
    assert bob.get(f"/api/messages/wait?since={mailbox['cursor']}&timeout=0").status_code == 204
    with product.client() as nobody:
        assert nobody.get(f"/api/mailboxes/{mailbox['id']}/wait").status_code == 401


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("timeout=abc", "timeout"),
        ("timeout=-1", "timeout"),
        ("timeout=61", "timeout"),
        ("timeout=1.5", "timeout"),
        ("timeout=", "timeout"),
        ("timeout=%D9%A1", "timeout"),
        ("since=yesterday", "since"),
        ("since=c", "since"),
        ("since=c1234567890123456789", "since"),
        ("since=2026-02-30T00:00:00Z", "since"),
        ("hasCode=1", "hasCode"),
        ("from=a&from=b", "from"),
        ("subject=" + "x" * 999, "subject"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(ada: ApiClient, query: str, field: str) -> None:
    for path in ("/api/messages/wait", "/api/mailboxes/mbx_0/wait"):
        refused = ada.get(f"{path}?{query}")

        assert (refused.status_code, refused.json()["error"]) == (400, "Invalid request")
        assert list(refused.json()["details"]["fieldErrors"]) == [field]


def test_a_cursor_from_a_database_that_was_put_back_counts_as_now(
    send: Send, ada: ApiClient, mailbox: dict[str, Any], in_background: Callable[..., "Future[Any]"]
) -> None:
    wait = f"/api/mailboxes/{mailbox['id']}/wait?since=c999999999999999"
    assert ada.get(f"{wait}&timeout=0").status_code == 204
    waiting = in_background(ada.get, f"{wait}&timeout=60")

    # Whether this mail comes before or after the call begins is open, so it is sent until one of them is told.
    while not waiting.done():
        send(mailbox, "Your code is 842911")

    assert waiting.result().status_code == 200
