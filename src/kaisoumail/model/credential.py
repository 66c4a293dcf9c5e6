"""Credentials: API keys, and the sessions made from them or from passkeys."""

from dataclasses import dataclass
from datetime import datetime

from kaisoumail.model.access import Grant


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as stored: never the secret, only its hash and first characters; *created_by* is a user id."""

    id: str
    user_id: str
    name: str
    prefix: str
    key_hash: str
    grant: Grant
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    created_by: str | None = None

    def has_expired_at(self, now: datetime) -> bool:
        """Whether the key has expired at *now*."""
        return self.grant.expires_at is not None and self.grant.expires_at <= now


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. Only *token_hash* is stored of its cookie; *key_id* or *passkey_id* began it."""

    id: str
    user_id: str
    token_hash: str
    key_id: str | None
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime | None = None
    passkey_id: str | None = None
    user_agent: str | None = None
    address: str | None = None
