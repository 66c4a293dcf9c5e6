"""Every route asked by everybody: what a route needs stands in its table, and nobody learns of what is not theirs."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any, Final

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from kaisoumail.api import app as api
from kaisoumail.model.access import SCOPES, Need
from kaisoumail.storage.engine.sqlite import sqlite_driver
from kaisoumail.web import app as web
from tests.api.asking import GUARDED, Ask, Things, ask_for, things_named
from tests.api.conftest import Send
from tests.api_client import ApiClient, code_of
from tests.servers import Product

# The contract says 403 for somebody else's here (§1.4, 1.6, 1.7); everything else says that there is no such thing.
FORBIDDEN_BY_CONTRACT: Final = {
    "GET /api/mailboxes/{mailbox_id}",
    "DELETE /api/mailboxes/{mailbox_id}",
    "GET /api/messages/{message_id}",
    "GET /api/messages/{message_id}/raw",
    "POST /api/api-keys/{key_id}/revoke",
}
# Who may do what with the others, which are about passkeys, is asked in tests/api/passkeys with an authenticator.
BY_KEY: Final = [ask for ask in GUARDED if not ask.need.is_by_cookie]


def _key(owner: ApiClient, **wish: Any) -> str:
    made = owner.post("/api/api-keys", json={"name": "One of the cast", **wish})
    assert made.status_code == 201, made.text
    secret: str = made.json()["apiKey"]
    return secret


@pytest.fixture(scope="module")
def shut_out(product: Product, ada: ApiClient) -> Iterator[dict[str, ApiClient]]:
    """Whoever is nobody: without a key, or with one that opens nothing any more."""
    revoked = ada.post("/api/api-keys", json={"name": "Revoked"}).json()
    ada.post(f"/api/api-keys/{revoked['apiKeyRecord']['id']}/revoke")
    disabled = product.admin.post("/api/users", json={"email": "dora@people.example", "name": "Dora"}).json()
    product.admin.post(f"/api/users/{disabled['user']['id']}/disable")
    over = ada.post("/api/api-keys", json={"name": "Over", "expiresAt": "2126-01-01T00:00:00Z"}).json()
    _make_it_end_now(product, over["apiKeyRecord"]["id"])
    keys = {
        "anonymous": None,
        "a key of nobody": "cfm_a-key-of-nobody-at-all",
        "a revoked key": revoked["apiKey"],
        "a disabled user": disabled["initialKey"]["apiKey"],
        "a key that is over": over["apiKey"],
    }
    with ExitStack() as stack:
        yield {who: stack.enter_context(product.client(key)) for who, key in keys.items()}


def _make_it_end_now(product: Product, key_id: str) -> None:
    with closing(sqlite_driver().connect(f"{product.world.environment['DATA_DIR']}/kaisoumail.db")) as database:
        database.execute("UPDATE api_keys SET expires_at = created_at WHERE id = ?", (key_id,))
        database.commit()


@pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")  # of a release we have not
def test_every_route_and_every_page_declares_what_it_needs() -> None:
    application = Litestar([api.router(), web.router()], openapi_config=None)
    handlers = [
        handler for route in application.routes if isinstance(route, HTTPRoute) for handler in route.route_handlers
    ]

    undeclared = [handler.handler_name for handler in handlers if not isinstance(handler.opt.get("need"), Need)]

    assert undeclared == []
    assert len(handlers) > 60


@pytest.mark.parametrize("ask", GUARDED, ids=str)
def test_nobody_gets_in_without_a_credential_that_lives(
    shut_out: dict[str, ApiClient], product: Product, ask: Ask
) -> None:
    nowhere = Things(dict.fromkeys(things_named(ask), "of_nobody"))

    answers = {who: ask_for(client, ask, nowhere) for who, client in shut_out.items()}

    told = {who: (answer.status_code, answer.json()["error"]) for who, answer in answers.items()}
    assert told == dict.fromkeys(shut_out, (401, "Authentication required"))


@pytest.mark.parametrize("ask", [ask for ask in GUARDED if ask.need.is_for_admins], ids=str)
def test_members_are_told_that_it_is_for_admins(bob: ApiClient, ask: Ask) -> None:
    answer = ask_for(bob, ask, Things(dict.fromkeys(things_named(ask), "of_nobody")))

    assert (answer.status_code, answer.json()["error"]) == (403, "Admin access required")


@pytest.mark.parametrize("ask", [ask for ask in GUARDED if ask.need.scope], ids=str)
def test_a_key_without_the_scope_may_not_and_is_told_which_it_lacks(product: Product, ask: Ask) -> None:
    noun = str(ask.need.scope).partition(":")[0]
    others = [scope for scope in SCOPES if scope != "*" and not scope.startswith(noun)]
    if str(ask.need.scope).endswith("write"):
        others.append(f"{noun}:read")
    key = _key(product.admin, scopes=others)
    with product.client(None if ask.need.is_by_cookie else key) as narrow:
        if ask.need.is_by_cookie:
            narrow.post("/api/auth/session", json={"apiKey": key})
        answer = ask_for(narrow, ask, Things(dict.fromkeys(things_named(ask), "of_nobody")))

    assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")
    assert answer.json()["details"]["scope"] == ask.need.scope


@pytest.mark.parametrize("ask", [ask for ask in BY_KEY if ask.need.scope], ids=str)
def test_the_scope_alone_is_enough(product: Product, things: Things, ask: Ask) -> None:
    with product.client(_key(product.admin, scopes=[str(ask.need.scope)])) as exact:
        answer = ask_for(exact, ask, things)

    assert answer.status_code not in (401, 403) or code_of(answer) == "last_admin"


@pytest.mark.parametrize("ask", [ask for ask in BY_KEY if things_named(ask) and not ask.need.is_for_admins], ids=str)
def test_what_is_somebody_elses_is_not_there(bob: ApiClient, ada: ApiClient, things: Things, ask: Ask) -> None:
    answer = ask_for(bob, ask, things)
    unknown = ask_for(bob, ask, Things(dict.fromkeys(things_named(ask), "of_nobody")))

    assert unknown.status_code == 404
    if str(ask) in FORBIDDEN_BY_CONTRACT:
        assert (answer.status_code, answer.json()["error"]) == (403, "Forbidden")
    else:
        assert (answer.status_code, answer.json()) == (404, unknown.json())
    assert ask_for(ada, ask, things).status_code < 300, "it was only not Bob's, and he has not changed it"


@pytest.mark.parametrize(
    "path", ["/api/mailboxes", "/api/messages", "/api/api-keys", "/api/sessions", "/api/mailboxes?limit=200"]
)
def test_lists_hold_nothing_of_somebody_else(bob: ApiClient, ada: ApiClient, things: Things, path: str) -> None:
    seen = bob.get(path)

    assert seen.status_code == 200
    assert not any(thing in seen.text for name, thing in things.ids.items() if name != "domain_id")
    assert any(thing in ada.get(path).text for thing in things.ids.values())


@pytest.mark.parametrize(
    "ask",
    [ask for ask in GUARDED if {"mailbox_id", "message_id"} & set(things_named(ask))],
    ids=str,
)
def test_a_key_for_one_mailbox_opens_no_other(product: Product, ada: ApiClient, things: Things, ask: Ask) -> None:
    other = ada.post("/api/mailboxes", json={}).json()
    with product.client(_key(ada, scopes=["*"], mailboxId=other["id"])) as bound:
        answer = ask_for(bound, ask, things)

    expected = 403 if str(ask) in FORBIDDEN_BY_CONTRACT else 404
    assert answer.status_code == expected
    with product.client(_key(ada, scopes=["*"], mailboxId=things.ids["mailbox_id"])) as its_own:
        assert ask_for(its_own, ask, things).status_code < 300


@pytest.mark.parametrize("bound", ["mailboxId", "domainId"])
def test_a_bound_key_lists_and_hears_of_nothing_else(
    product: Product, ada: ApiClient, things: Things, bound: str, send: Send
) -> None:
    elsewhere = product.admin.post("/api/domains/bind", json={"mailDomain": f"{bound.lower()}.com"}).json()
    product.world.delegate(f"{bound.lower()}.com")
    product.admin.post(f"/api/domains/{elsewhere['id']}/retry")
    other = ada.post("/api/mailboxes", json={"mailDomain": f"{bound.lower()}.com"}).json()
    wish = {"mailboxId": other["id"]} if bound == "mailboxId" else {"domainId": elsewhere["id"]}
    with product.client(_key(ada, scopes=["*"], **wish)) as narrow:
        sent = send(other, "For the bound key")
        [mailbox] = narrow.get("/api/mailboxes").json()["mailboxes"]
        [message] = narrow.get("/api/messages").json()["messages"]
        waited = narrow.get("/api/messages/wait?since=c0&timeout=0").json()
        shut = [narrow.get(path).status_code for path in ("/api/api-keys", "/api/sessions")]
        made = narrow.post("/api/mailboxes", json={"mailDomain": "customer.com"})

    assert (mailbox["id"], message["id"], waited["message"]["id"]) == (other["id"], sent, sent)
    assert shut == [403, 403]
    assert made.status_code == (403 if bound == "mailboxId" else 400)
    assert things.ids["mailbox_id"] not in made.text


@pytest.mark.parametrize("ask", BY_KEY, ids=str)
def test_an_admin_with_a_whole_key_may_everything(product: Product, things: Things, ask: Ask) -> None:
    answer = ask_for(product.admin, ask, things)

    assert answer.status_code < 500
    assert answer.status_code not in (401, 403)
