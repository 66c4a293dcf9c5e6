"""The audit log: every change leaves a line that says who, what, from where; none says a secret or a mail."""

from typing import Any, Final

import pytest

from kaisoumail.model.ids import new_id
from tests.api.asking import ASKS, Ask, Things, ask_for
from tests.api.conftest import Send
from tests.api_client import ApiClient
from tests.servers import ADMIN_KEY, Product

# What each change is called in the log.
ACTIONS: Final = {
    "POST /api/auth/session": "session.create",
    "DELETE /api/auth/session": "session.end",
    "POST /api/mailboxes": "mailbox.create",
    "POST /api/mailboxes/ensure": "mailbox.create",
    "DELETE /api/mailboxes/{mailbox_id}": "mailbox.destroy",
    "POST /api/messages/{message_id}/read": "message.mark",
    "DELETE /api/messages/{message_id}": "message.delete",
    "POST /api/api-keys": "key.create",
    "POST /api/api-keys/{key_id}/rename": "key.rename",
    "POST /api/api-keys/{key_id}/revoke": "key.revoke",
    "DELETE /api/sessions/{session_id}": "session.end",
    "POST /api/sessions/end-all": "session.end_all",
    "POST /api/users": "user.create",
    "POST /api/users/{user_id}": "user.update",
    "POST /api/users/{user_id}/disable": "user.disable",
    "POST /api/users/{user_id}/enable": "user.enable",
    "DELETE /api/users/{user_id}": "user.delete",
    "POST /api/domains/bind": "domain.bind",
    "POST /api/domains": "domain.enable",
    "POST /api/domains/{domain_id}/retry": "domain.retry",
    "POST /api/domains/{domain_id}/delete": "domain.delete",
    "POST /api/domains/{domain_id}/disable": "domain.disable",
}

# Passkeys take an authenticator to change: their lines are looked for in tests/api/passkeys.
CHANGES: Final = [ask for ask in ASKS if ask.method != "GET" and "passkey" not in ask.path]
# Asked with what is new each time, so that there is something to change.
WISHES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/mailboxes/ensure": {"localPart": "audited", "subdomain": "desk"},
    "POST /api/users": {"email": "audited@people.example", "name": "New"},
    "POST /api/domains/bind": {"mailDomain": "audited.com"},
}


@pytest.fixture
def spare_domain(product: Product) -> str:
    """One a test, for it may be deleted."""
    name = new_id("d").replace("_", "-")
    bound: str = product.admin.post("/api/domains/bind", json={"mailDomain": f"{name}.com"}).json()["id"]
    return bound


def _newest(product: Product, action: str) -> dict[str, Any] | None:
    entries = product.admin.get("/api/audit", params={"action": action, "limit": 1}).json()["entries"]
    return dict(entries[0]) if entries else None


def test_every_changing_route_has_a_name_in_the_log() -> None:
    assert ACTIONS.keys() == {str(ask) for ask in CHANGES}


@pytest.mark.parametrize("ask", CHANGES, ids=str)
def test_every_change_leaves_a_line(product: Product, ada: ApiClient, things: Things, ask: Ask) -> None:
    action, before = ACTIONS[str(ask)], _newest(product, ACTIONS[str(ask)])
    with product.client() as browser:
        browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})
        browser.headers["x-request-id"] = "asked-just-now"
        if str(ask) == "POST /api/auth/session":
            browser.post("/api/auth/session", json={"apiKey": ADMIN_KEY})
        elif str(ask) in ("DELETE /api/sessions/{session_id}", "POST /api/api-keys/{key_id}/rename"):
            ada.headers["x-request-id"] = "asked-just-now"
            ask_for(ada, ask, things)
        else:
            ask_for(browser, ask, things, WISHES.get(str(ask)))

    entry = _newest(product, action)

    assert entry is not None
    assert entry != before
    assert (entry["action"], entry["requestId"], entry["address"]) == (action, "asked-just-now", "127.0.0.1")
    assert entry["actor"] in ("root@people.example", "ada@people.example")
    assert entry["actorId"] is not None
    ours = {things.ids[name] for name in things.ids if f"{{{name}}}" in ask.path}
    assert not ours or entry["targetId"] in ours


def test_the_log_holds_no_secret_and_nothing_of_a_mail(product: Product, ada: ApiClient, send: Send) -> None:
    mailbox = ada.post("/api/mailboxes", json={}).json()
    message_id = send(mailbox, "Subject-not-for-the-log", text="Text-not-for-the-log 842911")
    secret = ada.post("/api/api-keys", json={"name": "K"}).json()["apiKey"]
    with product.client() as browser:
        browser.post("/api/auth/session", json={"apiKey": secret})
        token = browser.cookies["kaisoumail_session"]
        browser.delete("/api/auth/session")
    product.admin.get(f"/api/messages/{message_id}")
    ada.delete(f"/api/messages/{message_id}")

    text = product.admin.get("/api/audit?limit=200").text

    assert not any(secret in text for secret in (secret, token, ADMIN_KEY, "not-for-the-log", "842911"))


def test_what_an_admin_opened_in_somebody_elses_mailbox_is_seen(product: Product, ada: ApiClient, send: Send) -> None:
    message_id = send(ada.post("/api/mailboxes", json={}).json())

    ada.get(f"/api/messages/{message_id}")
    assert product.admin.get("/api/audit", params={"targetId": message_id}).json()["entries"] == []
    product.admin.get(f"/api/messages/{message_id}/raw")

    [entry] = product.admin.get("/api/audit", params={"targetId": message_id}).json()["entries"]
    assert (entry["action"], entry["actor"]) == ("message.open", "root@people.example")


def test_the_log_is_read_by_page_the_newest_first(product: Product, ada: ApiClient) -> None:
    for _ in range(3):
        ada.post("/api/api-keys", json={"name": "For a page"})

    first = product.admin.get("/api/audit", params={"limit": 2, "action": "key.create"}).json()
    second = product.admin.get(
        "/api/audit", params={"limit": 2, "action": "key.create", "cursor": first["nextCursor"]}
    ).json()

    ids = [int(entry["id"]) for entry in (*first["entries"], *second["entries"])]
    assert ids == sorted(set(ids), reverse=True)
    assert len(first["entries"]) == 2


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=abc", "cursor=-1", "limit=1&limit=2"])
def test_a_query_that_will_not_do_is_told_so(product: Product, query: str) -> None:
    assert product.admin.get(f"/api/audit?{query}").status_code == 400


def test_the_first_admin_and_the_command_line_are_in_the_log(product: Product) -> None:
    product.add_member("mona")

    actors = {entry["actor"] for entry in product.admin.get("/api/audit?action=user.create").json()["entries"]}

    assert {"environment", "command line"} <= actors
