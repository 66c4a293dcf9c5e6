"""`/api/passkeys`: who may, registering, renaming, revoking, and what has to be configured."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.passkeys.conftest import (
    OWN,
    REGISTRATION,
    SECOND,
    asked_to_create,
    register,
    registered,
    session_of,
)
from tests.api_client import ApiClient, code_of
from tests.authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator, b64, unb64
from tests.servers import Product, World

COOKIE_ROUTES = [
    ("GET", "/api/passkeys"),
    ("POST", "/api/passkeys/registration/options"),
    ("POST", "/api/passkeys/registration/verify"),
    ("POST", "/api/passkeys/psk_0/rename"),
    ("DELETE", "/api/passkeys/psk_0"),
]


@pytest.mark.parametrize(("method", "path"), COOKIE_ROUTES)
def test_a_key_opens_none_of_it(product: Product, method: str, path: str) -> None:
    answer = product.admin.request(method, path, json={"name": "Laptop"})

    assert (answer.status_code, answer.json()["error"]) == (401, "Authentication required")


@pytest.mark.parametrize(("method", "path"), COOKIE_ROUTES)
def test_nobody_is_told_so_before_anything_else(nobody: ApiClient, method: str, path: str) -> None:
    answer = nobody.request(method, path, content=b"{", headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["error"]) == (401, "Authentication required")


def test_meta_says_where_passkeys_work(product: Product) -> None:
    meta = product.admin.get("/api/meta").json()

    assert meta["passkeyAuthEnabled"] is True
    assert meta["passkeyTrustedOrigins"] == [OWN, SECOND]


# registering


def test_a_passkey_is_registered_and_listed(product: Product, bob: ApiClient) -> None:
    device = Authenticator(OWN, flags=PRESENT | VERIFIED | ELIGIBLE | BACKED_UP)
    options = asked_to_create(bob, "  Bob's phone ")

    made = register(bob, device.create(options))

    assert options["rp"]["id"] == "example.com"
    assert options["user"]["name"] == "bob@people.example"
    assert unb64(options["user"]["id"]).decode() == bob.get("/api/auth/session").json()["user"]["id"]
    assert made.status_code == 201
    passkey = made.json()
    assert (passkey["name"], passkey["credentialId"]) == ("Bob's phone", b64(device.credential_id))
    assert (passkey["deviceType"], passkey["backedUp"]) == ("multiDevice", True)
    assert passkey["transports"] == ["internal", "hybrid"]
    assert (passkey["lastUsedAt"], passkey["revokedAt"]) == (None, None)
    assert bob.get("/api/passkeys").json()["passkeys"][0] == passkey


def test_the_challenge_cookie_is_out_of_scripts_reach_and_cleared_after_use(root: ApiClient) -> None:
    asked = root.post("/api/passkeys/registration/options", json={"name": "Key"}, headers={"origin": OWN})
    token = asked.cookies[REGISTRATION]
    made = register(root, Authenticator(OWN).create(asked.json()))

    assert asked.headers["set-cookie"] == f"{REGISTRATION}={token}; HttpOnly; Path=/; SameSite=Lax; Max-Age=300"
    assert made.headers["set-cookie"] == f"{REGISTRATION}=; HttpOnly; Path=/; SameSite=Lax; Max-Age=0"
    assert asked.headers["cache-control"] == "no-store"


def test_the_newest_comes_first_and_others_see_none_of_it(root: ApiClient, bob: ApiClient) -> None:
    first, second = (registered(root, Authenticator(OWN), name) for name in ("First", "Second"))

    listed = [passkey["id"] for passkey in root.get("/api/passkeys").json()["passkeys"]]

    assert listed.index(second["id"]) < listed.index(first["id"])
    assert first["id"] not in bob.get("/api/passkeys").text


def test_live_credentials_are_left_out_of_the_next_registration(root: ApiClient) -> None:
    kept, silent, revoked = Authenticator(OWN), Authenticator(OWN), Authenticator(OWN)
    registered(root, kept)
    answer = silent.create(asked_to_create(root))
    del answer["response"]["transports"]
    register(root, answer)
    root.delete(f"/api/passkeys/{registered(root, revoked)['id']}")

    excluded = {each["id"]: each for each in asked_to_create(root)["excludeCredentials"]}

    identity = b64(kept.credential_id)
    assert excluded[identity] == {"id": identity, "type": "public-key", "transports": ["internal", "hybrid"]}
    assert excluded[b64(silent.credential_id)]["transports"] == []
    assert b64(revoked.credential_id) not in excluded


def test_a_live_credential_is_not_registered_twice_but_a_revoked_one_is(root: ApiClient, bob: ApiClient) -> None:
    device = Authenticator(OWN)
    first = registered(root, device)

    again = register(root, device.create(asked_to_create(root)))
    by_another = register(bob, device.create(asked_to_create(bob)))
    root.delete(f"/api/passkeys/{first['id']}")
    anew = registered(bob, device)

    assert (again.status_code, again.json()["error"]) == (409, "Passkey already registered")
    assert by_another.status_code == 409
    assert anew["id"] != first["id"]


def test_the_same_credential_brought_twice_at_once_is_kept_once(product: Product) -> None:
    device = Authenticator(OWN)
    with session_of(product) as one, session_of(product) as other:
        answers = [(browser, device.create(asked_to_create(browser))) for browser in (one, other)]

        async def both() -> list[int]:
            async with httpx.AsyncClient(base_url=product.url, timeout=60) as client:
                sent = (
                    client.post(
                        "/api/passkeys/registration/verify",
                        json={"response": answer},
                        headers={"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())},
                    )
                    for browser, answer in answers
                )
                return [answer.status_code for answer in await asyncio.gather(*sent)]

        assert sorted(asyncio.run(both())) == [201, 409]


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "two\nlines", "a\x00b", 5, None])
def test_a_name_that_will_not_do_is_400(root: ApiClient, name: Any) -> None:
    passkey = registered(root, Authenticator(OWN))

    for path in ("/api/passkeys/registration/options", f"/api/passkeys/{passkey['id']}/rename"):
        answer = root.post(path, json={"name": name}, headers={"origin": OWN})
        assert (answer.status_code, list(answer.json()["details"]["fieldErrors"])) == (400, ["name"])


# renaming and revoking


def test_a_passkey_is_renamed_by_its_owner_alone(root: ApiClient, bob: ApiClient) -> None:
    passkey = registered(bob, Authenticator(OWN))

    renamed = bob.post(f"/api/passkeys/{passkey['id']}/rename", json={"name": " Old phone "})
    foreign = root.post(f"/api/passkeys/{passkey['id']}/rename", json={"name": "Mine"})

    assert (renamed.status_code, renamed.json()) == (200, {**passkey, "name": "Old phone"})
    assert (foreign.status_code, foreign.json()["error"]) == (404, "Passkey not found")
    assert bob.get("/api/passkeys").json()["passkeys"][0]["name"] == "Old phone"


def test_revoking_again_keeps_the_first_moment(root: ApiClient) -> None:
    passkey = registered(root, Authenticator(OWN))
    moments = []
    for _ in range(2):
        assert root.delete(f"/api/passkeys/{passkey['id']}").status_code == 204
        [listed] = [each for each in root.get("/api/passkeys").json()["passkeys"] if each["id"] == passkey["id"]]
        moments.append(listed["revokedAt"])

    assert moments[0] == moments[1] is not None


def test_nobody_revokes_what_is_not_theirs_not_even_an_admin(root: ApiClient, bob: ApiClient) -> None:
    passkey = registered(bob, Authenticator(OWN))

    foreign = root.delete(f"/api/passkeys/{passkey['id']}")
    unknown = root.delete("/api/passkeys/psk_none")

    assert (foreign.status_code, foreign.json()["error"]) == (403, "Forbidden")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "Passkey not found")


@pytest.mark.parametrize("path", ["/api/passkeys/psk_%00", "/api/mailboxes/mbx_%00", "/api/messages/msg_%00"])
def test_a_nul_in_a_path_leads_nowhere_on_either_database(root: ApiClient, path: str) -> None:
    answer = root.delete(path)

    assert (answer.status_code, code_of(answer)) == (404, "not_found")


@pytest.mark.parametrize("passkey_id", ["psk_%FF", "psk_" + "x" * 3000, "psk_%F0%9F%94%91", "psk_'"])
def test_an_id_that_could_never_be_one_is_unknown(root: ApiClient, passkey_id: str) -> None:
    answers = [
        root.delete(f"/api/passkeys/{passkey_id}"),
        root.post(f"/api/passkeys/{passkey_id}/rename", json={"name": "Mine"}),
    ]

    assert [(answer.status_code, code_of(answer)) for answer in answers] == [(404, "passkey_not_found")] * 2


# a session from a key that may not do everything


def test_a_narrow_key_buys_no_passkey_that_may_more(product: Product) -> None:
    narrow = {"name": "Narrow", "scopes": ["keys:write", "messages:read"]}
    key = product.admin.post("/api/api-keys", json=narrow).json()["apiKey"]
    with session_of(product, key) as browser:
        listed = browser.get("/api/passkeys")
        asked = browser.post("/api/passkeys/registration/options", json={"name": "More"}, headers={"origin": OWN})
        made = register(browser, {"id": "x"})

    assert listed.status_code == 200
    assert [(answer.status_code, code_of(answer)) for answer in (asked, made)] == [(403, "insufficient_scope")] * 2


def test_the_audit_log_tells_of_every_change(root: ApiClient) -> None:
    passkey = registered(root, Authenticator(OWN))
    root.post(f"/api/passkeys/{passkey['id']}/rename", json={"name": "Renamed"})
    for _ in range(2):
        root.delete(f"/api/passkeys/{passkey['id']}")

    entries = root.get("/api/audit", params={"targetId": passkey["id"]}).json()["entries"]

    assert [entry["action"] for entry in entries] == ["passkey.revoke", "passkey.rename", "passkey.create"]


# what is configured


@pytest.mark.parametrize(
    ("origins", "reason"),
    [
        ({"WEB_APP_ORIGIN": "", "WEB_APP_ORIGINS": ""}, None),
        (
            {"WEB_APP_ORIGIN": "http://127.0.0.1:8787", "WEB_APP_ORIGINS": ""},
            "Configured origins must use localhost or a domain name for passkeys",
        ),
    ],
)
def test_without_a_fitting_origin_passkeys_are_off(world: World, origins: dict[str, str], reason: str | None) -> None:
    with world.product(**origins) as product, session_of(product) as browser:
        answers = [
            browser.post("/api/auth/passkey/options", headers={"origin": OWN}),
            browser.post("/api/auth/passkey/verify", json={"response": {"id": "x"}}),
            browser.post("/api/passkeys/registration/options", json={"name": "Laptop"}, headers={"origin": OWN}),
            browser.post("/api/passkeys/registration/verify", json={"response": {"id": "x"}}),
        ]
        meta = browser.get("/api/meta").json()
        listed = browser.get("/api/passkeys")

    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (503, "Passkey auth is not configured")
        assert answer.json()["details"].get("reason") == reason
    assert meta["passkeyAuthEnabled"] is False
    assert listed.status_code == 200


def test_one_origin_alone_may_be_left_unsaid(world: World) -> None:
    with world.product(WEB_APP_ORIGINS="") as product, product.client() as nobody:
        answer = nobody.post("/api/auth/passkey/options")

    assert (answer.status_code, answer.json()["rpId"]) == (200, "mail.example.com")


def test_in_production_the_cookies_are_secure(world: World) -> None:
    with world.product(APP_ENV="production") as product, product.client() as nobody:
        answer = nobody.post("/api/auth/passkey/options", headers={"origin": OWN})

    assert answer.headers["set-cookie"].endswith("; SameSite=Lax; Max-Age=300; Secure")
