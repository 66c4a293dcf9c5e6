"""
An authenticator and its browser in software: real ES256 keys, real signatures, and every lie one may want.

It writes what Web Authentication Level 3 says a browser sends, with no help from the library that reads it.
"""

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40

Json = dict[str, Any]


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """
    One passkey on one device, used at *origin*. *counts* is off for those that always say 0, as most do now.

    *flags* and *origin* may be changed to what an honest device would not send.
    """

    origin: str
    counts: bool = True
    flags: int = PRESENT | VERIFIED
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    counter: int = 0
    user_handle: str | None = None

    def create(self, options: Json, *, rp_id: str | None = None, **lies: Any) -> Json:
        """The RegistrationResponseJSON for *options*; *lies* go into the client data."""
        self.user_handle = options["user"]["id"]
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + self._cose_key()
        data = self._authenticator_data(rp_id or options["rp"]["id"], ATTESTED) + attested
        statement = {"fmt": "none", "attStmt": {}, "authData": data}
        return self._credential(
            clientDataJSON=b64(self._client_data("webauthn.create", options["challenge"], lies)),
            attestationObject=b64(cbor2.dumps(statement)),
            transports=["internal", "hybrid"],
        )

    def get(self, options: Json, *, rp_id: str | None = None, **lies: Any) -> Json:
        """The AuthenticationResponseJSON for *options*; *lies* go into the client data."""
        client_data = self._client_data("webauthn.get", options["challenge"], lies)
        data = self._authenticator_data(rp_id or options["rpId"])
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            clientDataJSON=b64(client_data),
            authenticatorData=b64(data),
            signature=b64(signature),
            userHandle=self.user_handle,
        )

    def _client_data(self, kind: str, challenge: str, lies: Json) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False, **lies}
        return json.dumps(told).encode()

    def _authenticator_data(self, rp_id: str, more_flags: int = 0) -> bytes:
        self.counter += self.counts
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", self.flags | more_flags, self.counter)

    def _cose_key(self) -> bytes:
        """RFC 9053, section 7.1.1: a P-256 key for ES256."""
        point = self.key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})

    def _credential(self, **response: Any) -> Json:
        identity = b64(self.credential_id)
        return {
            "id": identity,
            "rawId": identity,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }
