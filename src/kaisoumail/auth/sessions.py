"""
Session cookies: a random token; the database keeps a keyed hash of it.

So a stolen database opens no session, a session can be ended at once, and changing SESSION_SECRET
ends them all.
"""

import hashlib
import hmac
import secrets
from typing import Final

from kaisoumail.auth.purposes import key_for

COOKIE_NAME: Final = "kaisoumail_session"


def new_token() -> str:
    """A fresh token for a cookie: 43 characters, safe in a header."""
    return secrets.token_urlsafe(32)


def hash_of(token: str, session_secret: str) -> str:
    """What is stored for *token*, 64 hex digits."""
    return hmac.new(
        key_for("session v1", session_secret), token.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()


def cookie_header(token: str, seconds: int, *, secure: bool) -> str:
    """
    The `Set-Cookie` value that gives a browser *token* for *seconds*; an empty token and 0 take it away.

    Out of scripts' reach, not sent by other sites' forms, and over TLS only when *secure*.
    """
    attributes = f"HttpOnly; Path=/; SameSite=Lax; Max-Age={seconds}" + ("; Secure" if secure else "")
    return f"{COOKIE_NAME}={token}; {attributes}"
