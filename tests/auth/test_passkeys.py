"""Reading what authenticators say: bytes of strangers, wrong in every place they can be wrong in."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from webauthn.helpers.structs import AttestationFormat

from kaisoumail.auth.passkeys import (
    assertion_in,
    authentication_options,
    new_challenge,
    new_credential,
    registration_options,
    verified_use,
)
from kaisoumail.auth.relying_party import relying_party
from kaisoumail.errors import Problem
from kaisoumail.model.passkey import Passkey
from tests.authenticator import Authenticator, Json, b64, unb64
from tests.people import ADA, NOON

ORIGIN = "https://mail.example.com"
PARTY = relying_party((ORIGIN,))
CHALLENGE = new_challenge()
CREATION = registration_options(PARTY, ADA.user, [], CHALLENGE)
REQUEST = authentication_options(PARTY, CHALLENGE)

_SCALARS = st.none() | st.booleans() | st.integers(-300, 2**70) | st.text(max_size=8) | st.binary(max_size=40)
_CBOR = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
_STATEMENTS = st.dictionaries(
    st.sampled_from(["sig", "x5c", "response", "alg", "ver", "certInfo", "pubArea"]),
    _CBOR | st.lists(st.binary(max_size=64)),
)
_KEYS = st.dictionaries(st.sampled_from([1, 3, -1, -2, -3]), _SCALARS | st.sampled_from([1, 2, 3, -7, -8, -257]))


def _attested(device: Authenticator, key: bytes | None = None, fmt: Any = "none", statement: Any = None) -> Json:
    """A registration with its attestation object made anew."""
    response = device.create(CREATION)
    data = cbor2.loads(unb64(response["response"]["attestationObject"]))["authData"]
    if key is not None:
        data = data[: 37 + 16 + 2 + 32] + key
    made = {"fmt": fmt, "attStmt": {} if statement is None else statement, "authData": data}
    response["response"]["attestationObject"] = b64(cbor2.dumps(made))
    return response


def _refusal_of(response: Json) -> str | None:
    try:
        new_credential(PARTY, response, CHALLENGE)
    except Problem as problem:
        return problem.code
    return None


def test_an_honest_answer_is_taken() -> None:
    device = Authenticator(ORIGIN)
    made = new_credential(PARTY, _attested(device), CHALLENGE)
    passkey = Passkey(
        "psk_1", ADA.id, "Laptop", made.credential_id, made.public_key, made.counter, made.device_type,
        made.backed_up, made.transports, NOON,
    )  # fmt: skip

    used = verified_use(PARTY, passkey, assertion_in(device.get(REQUEST)), CHALLENGE)

    assert (made.counter, used.counter) == (1, 2)


@given(fmt=st.sampled_from([*AttestationFormat]).map(str) | _CBOR, statement=_STATEMENTS | _CBOR)
def test_whatever_is_attested_and_how_it_is_taken_or_refused(fmt: Any, statement: Any) -> None:
    response = _attested(Authenticator(ORIGIN), fmt=fmt, statement=statement)

    assert _refusal_of(response) in (None, "passkey_registration_failed")


@given(key=_KEYS.map(cbor2.dumps) | _CBOR.map(cbor2.dumps) | st.binary(max_size=80))
def test_a_key_no_signature_can_be_checked_with_is_never_kept(key: bytes) -> None:
    with pytest.raises(Problem) as caught:
        new_credential(PARTY, _attested(Authenticator(ORIGIN), key=key), CHALLENGE)

    assert caught.value.code == "passkey_registration_failed"


@given(data=st.binary(max_size=200), signature=st.binary(max_size=100))
def test_any_authenticator_data_is_read_without_a_crash(data: bytes, signature: bytes) -> None:
    device = Authenticator(ORIGIN)
    made = new_credential(PARTY, device.create(CREATION), CHALLENGE)
    passkey = Passkey(
        "psk_1", ADA.id, "Laptop", made.credential_id, made.public_key, 0, "singleDevice", False, (), NOON
    )
    response = device.get(REQUEST)
    response["response"] |= {"authenticatorData": b64(data), "signature": b64(signature)}

    with pytest.raises(Problem) as caught:
        verified_use(PARTY, passkey, assertion_in(response), CHALLENGE)

    assert caught.value.code == "invalid_passkey"


def test_deeply_nested_client_data_is_refused() -> None:
    response = Authenticator(ORIGIN).create(CREATION)
    response["response"]["clientDataJSON"] = b64(b"[" * 20_000)

    with pytest.raises(Problem, match="Passkey registration failed"):
        new_credential(PARTY, response, CHALLENGE)


def test_a_credential_id_that_is_too_long_is_refused() -> None:
    device = Authenticator(ORIGIN, credential_id=b"x" * 1024)

    with pytest.raises(Problem, match="Passkey registration failed"):
        new_credential(PARTY, device.create(CREATION), CHALLENGE)


def test_an_id_that_is_not_the_attested_one_is_refused() -> None:
    response = Authenticator(ORIGIN).create(CREATION)
    response["id"] = response["rawId"] = b64(b"another")

    with pytest.raises(Problem, match="Passkey registration failed"):
        new_credential(PARTY, response, CHALLENGE)


def test_a_reason_may_quote_and_is_still_short_printable_ascii() -> None:
    response = Authenticator(ORIGIN).create(CREATION, origin="\ud800\x00\n" + "x" * 5000)

    with pytest.raises(Problem) as caught:
        new_credential(PARTY, response, CHALLENGE)

    reason = caught.value.details["reason"]
    assert reason.isascii()
    assert reason.isprintable()
    assert len(reason) <= 200
