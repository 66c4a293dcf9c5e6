"""Mail brought to the product as the Email Worker brings it."""

import time
from urllib.parse import quote

from kaisoumail.auth.signatures import sign
from tests.servers import INBOUND_SECRET


def signed(recipient: str, raw: bytes, sender: str = "no-reply@shop.example") -> dict[str, str]:
    """The headers of a hand-over of *raw*, signed now."""
    timestamp, envelope_from, envelope_to = str(int(time.time())), quote(sender), quote(recipient)
    return {
        "content-type": "message/rfc822",
        "x-kaisoumail-envelope-from": envelope_from,
        "x-kaisoumail-envelope-to": envelope_to,
        "x-kaisoumail-timestamp": timestamp,
        "x-kaisoumail-signature": sign(INBOUND_SECRET, timestamp, envelope_from, envelope_to, raw),
    }
