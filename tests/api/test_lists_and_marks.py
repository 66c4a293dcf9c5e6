"""Lists by page, read state, and deleting one message."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Send
from tests.api_client import ApiClient, code_of
from tests.builders import an_email
from tests.servers import Product


def _pages(client: ApiClient, path: str, name: str) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor = None
    while cursor is not None or not pages:
        answer = client.get(path, params={"limit": "2", **({"cursor": cursor} if cursor else {})}).json()
        pages.append([row["id"] for row in answer[name]])
        cursor = answer["nextCursor"]
    return pages


def test_pages_of_two_lead_through_the_whole_list_and_no_further(
    send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    sent = [send(mailbox, f"Mail {number}") for number in range(4)]

    pages = _pages(ada, f"/api/messages?mailboxId={mailbox['id']}", "messages")
    boxes = _pages(ada, "/api/mailboxes", "mailboxes")

    assert pages == [sent[:1:-1], sent[1::-1]]
    whole = ada.get("/api/mailboxes").json()
    assert [each for page in boxes for each in page] == [row["id"] for row in whole["mailboxes"]]
    assert whole["nextCursor"] is None


def test_without_a_limit_the_list_is_whole_as_existing_clients_expect(
    send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    sent = [send(mailbox, f"Mail {number}") for number in range(3)]

    answer = ada.get(f"/api/messages?mailboxId={mailbox['id']}&mailboxStatus=active").json()

    assert [message["id"] for message in answer["messages"]] == sent[::-1]
    assert answer["nextCursor"] is None


@pytest.mark.parametrize("path", ["/api/messages", "/api/mailboxes"])
@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=201", "limit"), ("limit=-1", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor")],
)
def test_a_page_that_cannot_be_is_refused_by_its_name(ada: ApiClient, path: str, query: str, field: str) -> None:
    refused = ada.get(f"{path}?{query}")

    assert (refused.status_code, list(refused.json()["details"]["fieldErrors"])) == (400, [field])


def test_a_message_is_read_only_when_somebody_says_so(send: Send, ada: ApiClient, mailbox: dict[str, Any]) -> None:
    sent, other = send(mailbox), send(mailbox)
    opened = ada.get(f"/api/messages/{sent}").json()["message"]

    marked = ada.post(f"/api/messages/{sent}/read", json={"read": True}).json()["message"]
    unread = ada.get(f"/api/messages?mailboxId={mailbox['id']}&unread=true").json()["messages"]
    count = ada.get(f"/api/mailboxes/{mailbox['id']}").json()["unreadCount"]
    undone = ada.post(f"/api/messages/{sent}/read", json={"read": False}).json()["message"]

    assert (opened["isRead"], opened["readAt"]) == (False, None)
    assert marked["isRead"]
    assert marked["readAt"] is not None
    assert [message["id"] for message in unread] == [other]
    assert count == 1
    assert (undone["isRead"], undone["readAt"]) == (False, None)
    assert ada.get(f"/api/mailboxes/{mailbox['id']}").json()["unreadCount"] == 2


@pytest.mark.parametrize("body", [{}, {"read": "true"}, {"read": None}, {"read": 1}])
def test_a_mark_is_true_or_false(ada: ApiClient, body: dict[str, Any]) -> None:
    refused = ada.post("/api/messages/msg_0/read", json=body)

    assert (refused.status_code, list(refused.json()["details"]["fieldErrors"])) == (400, ["read"])


def test_a_deleted_message_is_gone_and_sent_again_stays_gone(
    send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    raw = an_email(mailbox["address"], "Once")
    sent = send(mailbox, raw=raw)

    deleted = ada.delete(f"/api/messages/{sent}")
    again = send(mailbox, raw=raw)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert again == sent
    assert ada.get(f"/api/messages?mailboxId={mailbox['id']}").json()["messages"] == []
    for path in (f"/api/messages/{sent}", f"/api/messages/{sent}/raw"):
        assert ada.get(path).status_code == 404
    assert code_of(ada.delete(f"/api/messages/{sent}")) == "message_not_found"
    assert ada.get(f"/api/mailboxes/{mailbox['id']}/wait?timeout=0").status_code == 204


def test_the_bytes_of_a_large_deleted_message_leave_the_disk(
    product: Product, send: Send, ada: ApiClient, mailbox: dict[str, Any]
) -> None:
    folder = Path(product.world.environment["DATA_DIR"]) / "blobs"
    text = os.urandom(60_000).hex()
    sent = send(mailbox, text="\n".join(text[at : at + 76] for at in range(0, len(text), 76)))
    assert list(folder.rglob(f"{sent}*"))

    ada.delete(f"/api/messages/{sent}")

    assert not list(folder.rglob(f"{sent}*"))


def test_marking_and_deleting_is_for_the_owner_and_admins_and_to_others_the_message_does_not_exist(
    product: Product, send: Send, ada: ApiClient, bob: ApiClient, mailbox: dict[str, Any]
) -> None:
    sent = send(mailbox)

    for refused in (bob.post(f"/api/messages/{sent}/read", json={"read": True}), bob.delete(f"/api/messages/{sent}")):
        assert (refused.status_code, code_of(refused)) == (404, "message_not_found")
    with product.client() as nobody:
        assert nobody.post(f"/api/messages/{sent}/read", json={"read": True}).status_code == 401
        assert nobody.delete(f"/api/messages/{sent}").status_code == 401
    assert product.admin.post(f"/api/messages/{sent}/read", json={"read": True}).json()["message"]["isRead"]
    assert product.admin.delete(f"/api/messages/{sent}").status_code == 204
