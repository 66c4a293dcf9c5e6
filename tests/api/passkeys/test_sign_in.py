"""`/api/auth/passkey`: signing in, and every way an answer can be wrong."""

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.passkeys.conftest import (
    AUTHENTICATION,
    FOREIGN,
    OWN,
    REGISTRATION,
    SECOND,
    SESSION,
    asked_to_create,
    asked_to_sign,
    register,
    registered,
    verify,
)
from tests.api_client import ApiClient, code_of
from tests.authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator, Json, b64, unb64
from tests.servers import Product


@pytest.mark.parametrize("origin", [OWN, SECOND])
def test_who_holds_the_passkey_is_signed_in_without_saying_who_they_are(
    bob: ApiClient, nobody: ApiClient, origin: str
) -> None:
    device = Authenticator(origin)
    passkey = registered(bob, device)
    options = asked_to_sign(nobody, origin)

    signed_in = verify(nobody, device.get(options))

    assert options["rpId"] == "example.com"
    assert signed_in.status_code == 200
    assert signed_in.json()["user"]["email"] == "bob@people.example"
    cleared, session = signed_in.headers.get_list("set-cookie")
    assert cleared == f"{AUTHENTICATION}=; HttpOnly; Path=/; SameSite=Lax; Max-Age=0"
    assert session == f"{SESSION}={nobody.cookies[SESSION]}; HttpOnly; Path=/; SameSite=Lax; Max-Age=604800"
    [used] = [each for each in nobody.get("/api/passkeys").json()["passkeys"] if each["id"] == passkey["id"]]
    assert used["lastUsedAt"] is not None


def test_the_audit_log_says_that_it_was_a_passkey(product: Product, root: ApiClient, nobody: ApiClient) -> None:
    device = Authenticator(OWN)
    registered(root, device)
    verify(nobody, device.get(asked_to_sign(nobody)))

    [entry] = product.admin.get("/api/audit", params={"action": "session.create", "limit": 1}).json()["entries"]

    assert (entry["actor"], entry["details"]["by"]) == ("root@people.example", "passkey")


def test_backup_state_follows_the_device(bob: ApiClient, nobody: ApiClient) -> None:
    device = Authenticator(OWN, flags=PRESENT | VERIFIED | ELIGIBLE)
    passkey = registered(bob, device)
    device.flags |= BACKED_UP

    verify(nobody, device.get(asked_to_sign(nobody)))

    [used] = [each for each in bob.get("/api/passkeys").json()["passkeys"] if each["id"] == passkey["id"]]
    assert (passkey["backedUp"], used["backedUp"]) == (False, True)


def test_an_authenticator_that_does_not_count_signs_in_again_and_again(bob: ApiClient, nobody: ApiClient) -> None:
    device = Authenticator(OWN, counts=False)
    registered(bob, device)

    assert [verify(nobody, device.get(asked_to_sign(nobody))).status_code for _ in range(2)] == [200, 200]


def test_a_counter_that_falls_back_is_a_copy_and_refused(bob: ApiClient, nobody: ApiClient) -> None:
    device = Authenticator(OWN)
    registered(bob, device)
    verify(nobody, device.get(asked_to_sign(nobody)))

    device.counter -= 1
    refused = verify(nobody, device.get(asked_to_sign(nobody)))

    assert (refused.status_code, refused.json()["error"]) == (401, "Invalid passkey")
    assert "sign count" in refused.json()["details"]["reason"]


def test_revoking_ends_the_sessions_it_began_and_every_later_sign_in(bob: ApiClient, nobody: ApiClient) -> None:
    device = Authenticator(OWN)
    passkey = registered(bob, device)
    verify(nobody, device.get(asked_to_sign(nobody)))
    before = nobody.get("/api/auth/session").status_code

    revoked = bob.delete(f"/api/passkeys/{passkey['id']}")

    assert (before, revoked.status_code) == (200, 204)
    assert nobody.get("/api/auth/session").status_code == 401
    assert bob.get("/api/auth/session").status_code == 200
    assert verify(nobody, device.get(asked_to_sign(nobody))).status_code == 401


# challenges


def test_s4_an_answer_sent_twice_counts_once(bob: ApiClient, nobody: ApiClient) -> None:
    device = Authenticator(OWN, counts=False)
    registered(bob, device)
    answer = device.get(asked_to_sign(nobody))
    cookie = {"cookie": f"{AUTHENTICATION}={nobody.cookies[AUTHENTICATION]}"}
    body = {"response": answer}

    first = httpx.post(f"{nobody.base_url}/api/auth/passkey/verify", json=body, headers=cookie)
    again = httpx.post(f"{nobody.base_url}/api/auth/passkey/verify", json=body, headers=cookie)

    assert first.status_code == 200
    assert (again.status_code, again.json()["error"]) == (400, "Passkey challenge is missing or expired")


def test_s4_a_refused_answer_uses_its_challenge_up(bob: ApiClient, nobody: ApiClient) -> None:
    device = Authenticator(OWN)
    registered(bob, device)
    options = asked_to_sign(nobody)
    cookie = {"cookie": f"{AUTHENTICATION}={nobody.cookies[AUTHENTICATION]}"}
    right, wrong = device.get(options), device.get(options, origin=FOREIGN)

    refused = verify(nobody, wrong)
    late = httpx.post(f"{nobody.base_url}/api/auth/passkey/verify", json={"response": right}, headers=cookie)

    assert (refused.status_code, late.status_code) == (401, 400)
    assert refused.headers.get_list("set-cookie") == [f"{AUTHENTICATION}=; HttpOnly; Path=/; SameSite=Lax; Max-Age=0"]


def test_without_its_cookie_a_challenge_is_none(root: ApiClient, nobody: ApiClient) -> None:
    device = Authenticator(OWN)
    creation, request = asked_to_create(root), asked_to_sign(nobody)
    for browser in (root, nobody):
        browser.cookies.delete(REGISTRATION if browser is root else AUTHENTICATION)

    made, signed_in = register(root, device.create(creation)), verify(nobody, device.get(request))

    for answer in (made, signed_in):
        assert (answer.status_code, answer.json()["error"]) == (400, "Passkey challenge is missing or expired")


@pytest.mark.parametrize("token", ["x", "%00", "ü", "x" * 5000, '"'])
def test_a_cookie_that_names_nothing_is_400(nobody: ApiClient, token: str) -> None:
    headers = {b"cookie": f"{AUTHENTICATION}={token}".encode(), b"content-type": b"application/json"}

    answer = nobody.post("/api/auth/passkey/verify", content=b'{"response": {"id": "x"}}', headers=headers)

    assert (answer.status_code, code_of(answer)) == (400, "passkey_challenge_missing")


def test_a_registration_belongs_to_who_began_it(root: ApiClient, bob: ApiClient) -> None:
    answer = Authenticator(OWN).create(asked_to_create(root))
    bob.cookies.set(REGISTRATION, root.cookies[REGISTRATION])

    stolen = register(bob, answer)

    assert (stolen.status_code, code_of(stolen)) == (400, "passkey_challenge_missing")


def test_the_challenge_of_one_ceremony_is_no_good_in_the_other(root: ApiClient) -> None:
    device = Authenticator(OWN)
    registered(root, device)
    creation = asked_to_create(root)
    root.cookies.set(AUTHENTICATION, root.cookies[REGISTRATION])

    answer = verify(root, device.get({**creation, "rpId": "example.com"}))

    assert (answer.status_code, code_of(answer)) == (400, "passkey_challenge_missing")


# origins


@pytest.mark.parametrize("origin", [FOREIGN, "null", "https://mail.example.com:8443", "http://mail.example.com", None])
def test_a_foreign_origin_begins_nothing(root: ApiClient, nobody: ApiClient, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}

    made = root.post("/api/passkeys/registration/options", json={"name": "Laptop"}, headers=headers)
    signed_in = nobody.post("/api/auth/passkey/options", headers=headers)

    for answer in (made, signed_in):
        assert (answer.status_code, answer.json()["error"]) == (400, "Passkey origin is not allowed")


# lies

LIES: list[tuple[str, dict[str, Any]]] = [
    ("another origin", {"origin": FOREIGN}),
    ("an origin that is no text", {"origin": [OWN]}),
    ("an origin that no one can print", {"origin": "\ud800"}),
    ("another RP", {"rp_id": "evil.example.net"}),
    ("another challenge", {"challenge": b64(b"x" * 32)}),
    ("a challenge that is no base64url", {"challenge": "ü"}),
    ("the other ceremony", {"type": "payment.get"}),
    ("a frame on another site", {"crossOrigin": True}),
]


@pytest.mark.parametrize("lies", [lies for _, lies in LIES], ids=[name for name, _ in LIES])
def test_an_answer_with_a_lie_in_it_is_refused(bob: ApiClient, nobody: ApiClient, lies: dict[str, Any]) -> None:
    device, other = Authenticator(OWN), Authenticator(OWN)
    registered(bob, device)

    signed_in = verify(nobody, device.get(asked_to_sign(nobody), **lies))
    made = register(bob, other.create(asked_to_create(bob), **lies))

    assert (signed_in.status_code, signed_in.json()["error"]) == (401, "Invalid passkey")
    assert (made.status_code, made.json()["error"]) == (400, "Passkey registration failed")
    assert made.json()["details"]["reason"]


@pytest.mark.parametrize("flags", [PRESENT, VERIFIED, 0, PRESENT | VERIFIED | BACKED_UP])
def test_the_user_must_be_there_and_verified(bob: ApiClient, nobody: ApiClient, flags: int) -> None:
    device, other = Authenticator(OWN), Authenticator(OWN, flags=flags)
    registered(bob, device)
    device.flags = flags

    assert verify(nobody, device.get(asked_to_sign(nobody))).status_code == 401
    assert register(bob, other.create(asked_to_create(bob))).status_code == 400


def test_k12_another_key_another_owner_or_another_id_is_refused(bob: ApiClient, nobody: ApiClient) -> None:
    device, other = Authenticator(OWN), Authenticator(OWN)
    registered(bob, device)
    owner = device.user_handle

    unknown = other.get(asked_to_sign(nobody))
    assert verify(nobody, unknown).status_code == 401
    forged = Authenticator(OWN, credential_id=device.credential_id).get(asked_to_sign(nobody))
    assert verify(nobody, forged).status_code == 401
    device.user_handle = b64(b"usr_somebody_else")
    assert verify(nobody, device.get(asked_to_sign(nobody))).status_code == 401
    device.user_handle = None
    assert verify(nobody, device.get(asked_to_sign(nobody))).status_code == 401
    device.user_handle = owner
    assert verify(nobody, {**device.get(asked_to_sign(nobody)), "id": unknown["id"]}).status_code == 401
    assert verify(nobody, device.get(asked_to_sign(nobody))).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"response": None}, {"response": "x"}, {"response": {}}, {"response": {"id": ""}},
             {"response": {"id": 5}}],
)  # fmt: skip
def test_a_body_without_a_credential_is_an_invalid_request(root: ApiClient, body: Json) -> None:
    for path in ("/api/auth/passkey/verify", "/api/passkeys/registration/verify"):
        answer = root.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "Invalid request")


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary().map(b64),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_an_answer_it_is_a_refusal_and_never_a_crash(root: ApiClient, data: st.DataObject) -> None:
    """A good answer with one field turned into anything, or with some of its bytes turned over."""
    device = Authenticator(OWN)
    made, signed_in = device.create(asked_to_create(root)), device.get(asked_to_sign(root))
    for response in (made, signed_in):
        inner = response["response"]
        part = data.draw(st.sampled_from([response, inner]))
        name = data.draw(st.sampled_from([name for name in part if name != "id"]))
        if part is inner and isinstance(part[name], str) and data.draw(st.booleans()):
            raw = bytearray(unb64(part[name]))
            at = data.draw(st.integers(0, 999)) % len(raw)  # a signature has 70 to 72 bytes
            raw[at:] = data.draw(st.binary(max_size=8)) + raw[at + data.draw(st.integers(0, 3)) :]
            part[name] = b64(bytes(raw))
        else:
            part[name] = data.draw(_ANYTHING)

    assert verify(root, signed_in).status_code in (400, 401)
    assert register(root, made).status_code in (201, 400)  # some fields are for the browser's own use
