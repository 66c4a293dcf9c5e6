"""
Session cookies: a random token, of which the database stores a keyed hash.

So a stolen database gives access to no session, a session can be ended at once, and changing SESSION_SECRET
ends them all.
"""

import hashlib
import hmac
import secrets
from typing import Final

from kaisoumail.auth.purposes import key_for

COOKIE_NAME: Final = "kaisoumail_session"


def new_token() -> str:
    """A new token for a cookie: 43 characters, safe in a header."""
    return secrets.token_urlsafe(32)


def hash_of(token: str, session_secret: str, purpose: str = "session") -> str:
    """The hash that is stored for *token*, 64 hex digits."""
    return hmac.new(
        key_for(f"{purpose} v1", session_secret), token.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()


def cookie_header(token: str, seconds: int, *, secure: bool, name: str = COOKIE_NAME) -> str:
    """
    The `Set-Cookie` value that sets *token* for *seconds*; an empty token and 0 remove the cookie.

    Scripts cannot read it, browsers do not send it with forms of other sites, and only over TLS when *secure*.
    """
    attributes = f"HttpOnly; Path=/; SameSite=Lax; Max-Age={seconds}" + ("; Secure" if secure else "")
    return f"{name}={token}; {attributes}"
