"""
Tickets for single pictures of a message, in the URLs of the page that shows its HTML.

That page is sandboxed and has an opaque origin, so the browser sends no cookie with the requests for its pictures; and
a program that fetched it with an API key shows it where there is no cookie at all. A ticket gives access to one
picture for an hour, and does not identify the user.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

from kaisoumail.auth.purposes import key_for

LIFETIME: Final = timedelta(hours=1)


def picture_ticket(secret: str, message_id: str, attachment_id: str, now: datetime) -> str:
    """A ticket for one attachment of one message, valid for an hour: its expiry in Unix seconds, and a signature."""
    until = str(int((now + LIFETIME).timestamp()))
    return f"{until}-{_signature(secret, message_id, attachment_id, until)}"


def is_picture_ticket(ticket: str, secret: str, message_id: str, attachment_id: str, now: datetime) -> bool:
    """Whether *ticket* is valid for this attachment at *now*."""
    until, _, signature = ticket.partition("-")
    expected = _signature(secret, message_id, attachment_id, until)
    genuine = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
    return genuine and int(until) > now.timestamp()


def _signature(secret: str, message_id: str, attachment_id: str, until: str) -> str:
    signed = "\n".join((message_id, attachment_id, until))
    return hmac.new(
        key_for("picture ticket v1", secret), signed.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()
