"""
What an Email Worker does with a message here: sign it and post it to the registered target of the script.

The target is the `POST /api/inbound` of the product; this file knows only its contract.
"""

import hashlib
import hmac
import time
from typing import Final
from urllib.parse import quote

import httpx
import msgspec

from cloudflare_sandbox.state import Worker

ACCEPTED: Final = "250 2.0.0 Ok"
# Measured on a pilot in 2026: the reply to the sending server when the Worker throws; it tries again later.
WORKER_THREW: Final = (
    "421 4.3.0 Upstream error, please check https://developers.cloudflare.com/email-routing/postmaster"
)
# The reply in older reports; that it is a 550 is inferred.
WORKER_FAILED: Final = "550 5.3.0 Worker call failed for 3 times, aborting"
_MAX_REASON: Final = 400


class _Refused(msgspec.Struct):
    error: str = "Rejected"


async def hand_over(
    client: httpx.AsyncClient, worker: Worker | None, envelope_from: str, envelope_to: str, raw: bytes
) -> str:
    """The SMTP reply for one recipient: 250; 555 with the text of the answer for 422 and 413; 421 for all else."""
    if worker is None:
        return WORKER_THREW
    try:
        response = await client.post(
            worker.target, content=raw, headers=signed_headers(worker.secret, envelope_from, envelope_to, raw)
        )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return WORKER_THREW
    if response.status_code == 200:
        return ACCEPTED
    if response.status_code in (413, 422):
        return f"555 5.7.1 {_reason(response.content)}"
    return WORKER_THREW


def signed_headers(secret: str, envelope_from: str, envelope_to: str, raw: bytes) -> dict[str, str]:
    """The envelope, the time, the signature of all of it and the ticket for a body of that length."""
    sender, recipient, timestamp = quote(envelope_from, safe=""), quote(envelope_to, safe=""), str(int(time.time()))
    length = str(len(raw))
    return {
        "content-type": "message/rfc822",
        "x-kaisoumail-envelope-from": sender,
        "x-kaisoumail-envelope-to": recipient,
        "x-kaisoumail-timestamp": timestamp,
        "x-kaisoumail-ticket": f"{length}:{_hmac(secret, 'ticket', timestamp, sender, recipient, length)}",
        "x-kaisoumail-signature": _hmac(secret, timestamp, sender, recipient, hashlib.sha256(raw).hexdigest()),
    }


def _hmac(secret: str, *lines: str) -> str:
    """Hexadecimal HMAC-SHA256 over *lines*, joined by line breaks."""
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def _reason(body: bytes) -> str:
    """The error text, fit for one line of SMTP."""
    try:
        text = msgspec.json.decode(body, type=_Refused).error
    except (msgspec.MsgspecError, ValueError, RecursionError):
        text = _Refused().error
    plain = " ".join(text.encode("ascii", "replace").decode().split())
    return "".join(letter for letter in plain if letter.isprintable())[:_MAX_REASON] or _Refused().error
