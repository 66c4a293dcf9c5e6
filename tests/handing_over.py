"""Mail brought to the product as the Email Worker brings it."""

import smtplib
import time
from datetime import datetime
from urllib.parse import quote

import httpx

from kaisoumail.auth.signatures import sign, ticket_for
from tests.servers import INBOUND_SECRET


def signed(
    recipient: str, raw: bytes, sender: str = "no-reply@shop.example", at: datetime | None = None
) -> dict[str, str]:
    """The headers of a hand-over of *raw*, signed now, or *at* another time."""
    timestamp = str(int(time.time() if at is None else at.timestamp()))
    envelope_from, envelope_to = quote(sender), quote(recipient)
    return {
        "content-type": "message/rfc822",
        "x-kaisoumail-envelope-from": envelope_from,
        "x-kaisoumail-envelope-to": envelope_to,
        "x-kaisoumail-timestamp": timestamp,
        "x-kaisoumail-signature": sign(INBOUND_SECRET, timestamp, envelope_from, envelope_to, raw),
        "x-kaisoumail-ticket": ticket_for(INBOUND_SECRET, timestamp, envelope_from, envelope_to, len(raw)),
    }


def hand_over(url: str, recipient: str, raw: bytes) -> str:
    """Hand *raw* over to the product at *url*; the id of the message it became."""
    answer = httpx.post(f"{url}/api/inbound", content=raw, headers=signed(recipient, raw), timeout=60)
    message_id: str = answer.raise_for_status().json()["messageId"]
    return message_id


def send_by_smtp(port: int, to: str, raw: bytes, sender: str = "no-reply@shop.example") -> dict[str, tuple[int, bytes]]:
    """What the server at *port* said of recipients it refused, as `smtplib` returns it."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
        return smtp.sendmail(sender, [to], raw)
