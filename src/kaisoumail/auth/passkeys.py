"""
The two passkey ceremonies: the options for the browser, and the verification of its response.

Web Authentication Level 3 (w3.org/TR/webauthn-3), sections 7.1 and 7.2, by py_webauthn. The device must verify the
user, and the passkey must be discoverable: users sign in without entering a name.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from kaisoumail.auth.relying_party import RelyingParty
from kaisoumail.errors import Problem
from kaisoumail.model.passkey import Ceremony, Passkey
from kaisoumail.model.user import User

RP_NAME: Final = "KaisouMail"
COOKIES: Final[dict[Ceremony, str]] = {
    "registration": "kaisoumail_passkey_registration",
    "authentication": "kaisoumail_passkey_authentication",
}
TIMEOUT_MS: Final = 60_000
_CHALLENGE_BYTES: Final = 32
_MAX_CREDENTIAL_ID: Final = 1023  # bytes; Web Authentication Level 3, section 4, "Credential ID"
_MAX_REASON: Final = 200
_UNPRINTABLE: Final = re.compile(r"[^ -~]")
_ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
# On malformed input the library also raises Python's own exceptions.
_PARSE_ERRORS: Final = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class NewCredential:
    """The credential that an authenticator created, as verified by its response."""

    credential_id: str
    public_key: bytes
    counter: int
    device_type: str
    backed_up: bool
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assertion:
    """A well-formed response to a sign-in, not verified yet: it names the passkey to verify it with."""

    credential: AuthenticationCredential

    @property
    def credential_id(self) -> str:
        """The id of the passkey it names, base64url, as `Passkey.credential_id`."""
        return self.credential.id


@dataclass(frozen=True, slots=True)
class AuthenticatorState:
    """The state that an authenticator reported when its passkey was used."""

    counter: int
    device_type: str
    backed_up: bool


def new_challenge() -> bytes:
    """32 random bytes; Web Authentication Level 3, "Cryptographic Challenges", recommends at least 16."""
    return secrets.token_bytes(_CHALLENGE_BYTES)


def registration_options(party: RelyingParty, user: User, known: list[Passkey], challenge: bytes) -> dict[str, Any]:
    """The JSON for `navigator.credentials.create()`; excludes authenticators that have one of the passkeys *known*."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=RP_NAME,
        user_id=user.id.encode(),
        user_name=user.email,
        user_display_name=user.name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        supported_pub_key_algs=_ALGORITHMS,
        hints=[],
    )
    excluded = [
        {"id": passkey.credential_id, "type": "public-key", "transports": list(passkey.transports)} for passkey in known
    ]
    return {**options_to_json_dict(options), "excludeCredentials": excluded, "extensions": {"credProps": True}}


def authentication_options(party: RelyingParty, challenge: bytes) -> dict[str, Any]:
    """The JSON for `navigator.credentials.get()`; allows every passkey of this relying party."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    options.allow_credentials = None
    return options_to_json_dict(options)


def new_credential(party: RelyingParty, response: dict[str, Any], challenge: bytes) -> NewCredential:
    """
    The credential in *response*, a browser's RegistrationResponseJSON, verified for *challenge*.

    Raises Problem `passkey_registration_failed`, with the reason in its details.
    """
    with _raise_as("passkey_registration_failed", "Passkey registration failed"):
        credential = parse_registration_credential_json(response)
        _refuse_framed(credential.response.client_data_json)
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
        if verified.credential_id != credential.raw_id or len(verified.credential_id) > _MAX_CREDENTIAL_ID:
            raise ValueError("The credential id is not the attested one, or too long")
        # A key that cannot verify any signature is refused now, not at the first sign-in.
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
        return NewCredential(
            credential_id=bytes_to_base64url(verified.credential_id),
            public_key=verified.credential_public_key,
            counter=verified.sign_count,
            device_type=_device_type(verified.credential_device_type.value),
            backed_up=verified.credential_backed_up,
            transports=tuple(dict.fromkeys(each.value for each in credential.response.transports or ())),
        )


def assertion_in(response: dict[str, Any]) -> Assertion:
    """The assertion in *response*, a browser's AuthenticationResponseJSON. Raises Problem `invalid_passkey`."""
    with _raise_as("invalid_passkey", "Invalid passkey"):
        credential = parse_authentication_credential_json(response)
        if bytes_to_base64url(credential.raw_id) != credential.id:
            raise ValueError("id and rawId differ")
        return Assertion(credential)


def verified_use(party: RelyingParty, passkey: Passkey, assertion: Assertion, challenge: bytes) -> AuthenticatorState:
    """
    The authenticator's state, after verifying that *passkey* signed *challenge* and that the device verified the user.

    Raises Problem `invalid_passkey` with the reason in its details; also for a counter that did not grow,
    which indicates a copied authenticator, and for a user handle that is missing or not the owner's.
    """
    with _raise_as("invalid_passkey", "Invalid passkey"):
        answer = assertion.credential.response
        # Section 7.2, step 6: a user not identified before the ceremony must be by the response; ours never is before.
        if answer.user_handle != passkey.user_id.encode():
            raise ValueError("The user handle is missing or not the owner's")
        _refuse_framed(answer.client_data_json)
        verified = verify_authentication_response(
            credential=assertion.credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.counter,
            require_user_verification=True,
        )
        return AuthenticatorState(
            counter=verified.new_sign_count,
            device_type=_device_type(verified.credential_device_type.value),
            backed_up=verified.credential_backed_up,
        )


@contextmanager
def _raise_as(code: str, sentence: str) -> Iterator[None]:
    """Raise any error in a response as Problem *code*; its reason may quote input, so it is made printable ASCII."""
    try:
        yield
    except _PARSE_ERRORS as error:
        reason = _UNPRINTABLE.sub("?", str(error))[:_MAX_REASON]
        raise Problem(code, sentence, reason=reason or type(error).__name__) from None


def _refuse_framed(client_data: bytes) -> None:
    """Refuse a ceremony in a frame on a page of another origin (section 7.1, step 10; 7.2, step 13)."""
    if parse_client_data_json(client_data).cross_origin:
        raise ValueError("The ceremony ran in a frame of another site")


def _device_type(value: str) -> str:
    """The library's `single_device` is `singleDevice` in the API."""
    return {"single_device": "singleDevice", "multi_device": "multiDevice"}[value]
