"""Every route of the API with a request that its owner could make, and the things such requests are about."""

from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from kaisoumail.api import app as api
from kaisoumail.model.access import Need
from tests.api_client import ApiClient
from tests.builders import an_email
from tests.handing_over import hand_over
from tests.servers import Product


@dataclass(frozen=True)
class Ask:
    """One route with a request that its owner could make."""

    method: str
    path: str
    need: Need = field(compare=False, hash=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _asks() -> list[Ask]:
    return [
        Ask(method, path.replace(":str", ""), need)
        for need, handlers in api.ROUTES.items()
        for handler in handlers
        for path in handler.paths
        for method in sorted(handler.http_methods)
    ]


ASKS: Final = _asks()
GUARDED: Final = [ask for ask in ASKS if not ask.need.is_public]
BODIES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/auth/session": {"apiKey": "cfm_a-key-of-nobody-at-all"},
    "POST /api/mailboxes": {},
    "POST /api/mailboxes/ensure": {"localPart": "shared", "subdomain": "desk"},
    "POST /api/messages/{message_id}/read": {"read": True},
    "POST /api/api-keys": {"name": "Another", "scopes": []},
    "POST /api/api-keys/{key_id}/rename": {"name": "Renamed"},
    "POST /api/users": {"email": "new@people.example", "name": "New"},
    "POST /api/users/{user_id}": {"name": "Renamed"},
    "POST /api/domains/bind": {"mailDomain": "not-an-apex.customer.com"},
    "POST /api/domains": {"mailDomain": "unknown.com", "zoneId": "0" * 32},
}


@dataclass
class Things:
    """What Ada has, by the name of the parameter that leads to it."""

    ids: dict[str, str]

    def path(self, ask: Ask) -> str:
        return ask.path.format(**self.ids)


def ask_for(client: httpx.Client, ask: Ask, things: Things, body: dict[str, Any] | None = None) -> httpx.Response:
    """The answer to *ask* about *things*, with *body* or the usual one; of a stream only its beginning."""
    path = things.path(ask)
    timeout = {"timeout": "0"} if path.endswith("/wait") else {}
    if ask.path == "/api/events":
        with httpx.stream("GET", client.base_url.join(path), headers=client.headers) as stream:
            if stream.status_code != 200:
                stream.read()
            return stream
    return client.request(ask.method, path, params=timeout, json=body or BODIES.get(str(ask)))


def things_named(ask: Ask) -> list[str]:
    """The parameters in the path of *ask*."""
    return [part.strip("{}") for part in ask.path.split("/") if part.startswith("{")]


def things_of(product: Product, ada: ApiClient, spare_domain: str) -> Things:
    mailbox = ada.post("/api/mailboxes", json={}).json()
    raw = an_email(mailbox["address"], "Welcome", html="<p>Hello</p>", attachment=b"bytes")
    message_id = hand_over(product.url, mailbox["address"], raw)
    message = ada.get(f"/api/messages/{message_id}").json()["message"]
    key = ada.post("/api/api-keys", json={"name": "Ours", "scopes": ["*"]}).json()
    with product.client() as browser:
        browser.post("/api/auth/session", json={"apiKey": key["apiKey"]})
        [session] = [each for each in browser.get("/api/sessions").json()["sessions"] if each["isCurrent"]]
    colleague = {"email": f"{mailbox['id']}@people.example", "name": "Somebody"}
    user = product.admin.post("/api/users", json=colleague).json()["user"]
    return Things(
        {
            "mailbox_id": mailbox["id"],
            "message_id": message_id,
            "attachment_id": message["attachments"][0]["id"],
            "key_id": key["apiKeyRecord"]["id"],
            "session_id": session["id"],
            "user_id": user["id"],
            "domain_id": spare_domain,
        }
    )
