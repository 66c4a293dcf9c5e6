"""What proves who somebody is: API keys and the sessions made from them."""

from dataclasses import dataclass
from datetime import datetime

from kaisoumail.model.access import Grant


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: never the secret, only its hash and its first characters; *created_by* is a user id."""

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

    def is_over_at(self, now: datetime) -> bool:
        """Whether its end, if it has one, has come at *now*."""
        return self.grant.expires_at is not None and self.grant.expires_at <= now


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. *token_hash* is all that is kept of its cookie; the key or passkey is what it came from."""

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
