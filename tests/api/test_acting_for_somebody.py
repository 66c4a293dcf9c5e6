"""What an admin does to what is a member's is named in the log by both, and the member sees it."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests.api.asking import Things, things_of
from tests.api.conftest import Send
from tests.api_client import ApiClient
from tests.servers import Product

OPERATIONS: Final = Path(__file__).parents[2] / "src" / "kaisoumail" / "operations"
_ACTION: Final = re.compile(r"\"((?:key|user|mailbox|message|session|passkey)\.[a-z_]+)\"")

# How an admin does each to what is somebody else's; `{…}` are ids of the member's things.
FOR_OTHERS: Final[dict[str, tuple[str, str, Any]]] = {
    "key.create": ("POST", "/api/api-keys", {"name": "For them", "userId": "{owner_id}"}),
    "key.revoke": ("POST", "/api/api-keys/{key_id}/revoke", None),
    "mailbox.extend": ("POST", "/api/mailboxes/ensure", {"address": "{address}", "expiresInMinutes": 5000}),
    "mailbox.destroy": ("DELETE", "/api/mailboxes/{mailbox_id}", None),
    "message.open": ("GET", "/api/messages/{message_id}", None),
    "message.mark": ("POST", "/api/messages/{message_id}/read", {"read": True}),
    "message.delete": ("DELETE", "/api/messages/{message_id}", None),
    "user.update": ("POST", "/api/users/{owner_id}", {"name": "Ada"}),
    "user.disable": ("POST", "/api/users/{owner_id}/disable", None),
    "user.enable": ("POST", "/api/users/{owner_id}/enable", None),
}
# What is done to one's own alone, and why.
OWN_ALONE: Final = {
    "key.rename": "only its owner may",
    "mailbox.create": "who makes one owns it",
    "passkey.create": "made by its owner's device",
    "passkey.rename": "only its owner may",
    "passkey.revoke": "only its owner may, no admin either",
    "session.create": "begun by who signs in",
    "session.end": "only its owner may",
    "session.end_all": "only its owner may",
    "user.create": "there is nobody yet; looked for below",
    "user.delete": "there is nobody any more to see it; looked for below",
}


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, ids) for name, each in value.items()}
    return value.format(**ids) if isinstance(value, str) else value


def test_every_action_of_the_operations_is_in_one_of_the_tables() -> None:
    actions = {action for file in OPERATIONS.glob("*.py") for action in _ACTION.findall(file.read_text())}

    assert actions == FOR_OTHERS.keys() | OWN_ALONE.keys()


@pytest.fixture
def theirs(product: Product, ada: ApiClient, spare_domain: str, send: Send) -> dict[str, str]:
    """What Ada has, with her own id and a mailbox's address."""
    things: Things = things_of(product, ada, spare_domain)
    address = ada.get(f"/api/mailboxes/{things.ids['mailbox_id']}").json()["address"]
    owner_id = ada.get("/api/auth/session").json()["user"]["id"]
    return {**things.ids, "address": address, "owner_id": owner_id}


@pytest.mark.parametrize("action", FOR_OTHERS)
def test_i14_acting_for_a_member_names_both_and_the_member_sees_it(
    product: Product, ada: ApiClient, theirs: dict[str, str], action: str
) -> None:
    method, path, body = FOR_OTHERS[action]
    if action == "user.enable":
        product.admin.post(_filled(FOR_OTHERS["user.disable"][1], theirs)).raise_for_status()

    product.admin.request(method, _filled(path, theirs), json=_filled(body, theirs)).raise_for_status()

    if action == "user.disable":
        product.admin.post(_filled(FOR_OTHERS["user.enable"][1], theirs)).raise_for_status()

    query = {"action": action, "limit": "1"}
    [seen] = product.admin.get("/api/audit", params=query).json()["entries"]
    [shown] = ada.get("/api/audit", params=query).json()["entries"]
    assert (seen["actor"], seen["owner"], seen["ownerId"]) == (
        "root@people.example",
        "ada@people.example",
        theirs["owner_id"],
    )
    assert (shown["id"], shown["actor"], shown["owner"]) == (seen["id"], seen["actor"], seen["owner"])
    assert (shown["address"], shown["requestId"], shown["credentialId"]) == (None, None, None)
    assert None not in (seen["address"], seen["requestId"], seen["credentialId"])


def test_what_one_does_to_ones_own_names_no_owner(ada: ApiClient) -> None:
    ada.post("/api/api-keys", json={"name": "Mine"}).raise_for_status()

    [entry] = ada.get("/api/audit", params={"action": "key.create", "limit": 1}).json()["entries"]

    assert (entry["actor"], entry["owner"], entry["ownerId"]) == ("ada@people.example", None, None)
    assert entry["address"] == "127.0.0.1"


def test_a_member_sees_nothing_of_others(product: Product, ada: ApiClient, bob: ApiClient) -> None:
    bob.post("/api/api-keys", json={"name": "Bob's"}).raise_for_status()

    own = ada.get("/api/auth/session").json()["user"]["id"]
    entries = ada.get("/api/audit?limit=200").json()["entries"]

    assert entries
    assert all(own in (entry["actorId"], entry["ownerId"], entry["targetId"]) for entry in entries)


def test_making_and_deleting_a_user_names_them(product: Product) -> None:
    colleague = {"email": "cleo@people.example", "name": "Cleo"}
    made = product.admin.post("/api/users", json=colleague).json()
    product.admin.delete(f"/api/users/{made['user']['id']}").raise_for_status()

    for action in ("user.create", "user.delete"):
        [entry] = product.admin.get("/api/audit", params={"action": action, "limit": 1}).json()["entries"]
        assert (entry["actor"], entry["owner"]) == ("root@people.example", "cleo@people.example")


def test_i14_a_key_names_who_made_it_so_that_what_is_done_with_it_can_be_traced(
    product: Product, ada: ApiClient, theirs: dict[str, str]
) -> None:
    admin_id = product.admin.get("/api/auth/session").json()["user"]["id"]
    wish = {"name": "Minted", "userId": theirs["owner_id"], "scopes": ["*"]}
    minted = product.admin.post("/api/api-keys", json=wish).json()
    with product.client(minted["apiKey"]) as minter:
        minter.post("/api/api-keys", json={"name": "With it"}).raise_for_status()

    [entry] = ada.get("/api/audit", params={"action": "key.create", "limit": 1}).json()["entries"]
    keys = {key["id"]: key["createdBy"] for key in ada.get("/api/api-keys").json()["apiKeys"]}

    assert entry["credentialId"] == minted["apiKeyRecord"]["id"]
    assert keys[entry["credentialId"]] == admin_id
    assert keys[entry["targetId"]] == theirs["owner_id"]
