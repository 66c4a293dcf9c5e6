"""Refused messages, as the rejection ledger shows them to admins."""

from dataclasses import dataclass
from datetime import datetime

from kaisoumail.model.message import Channel


@dataclass(frozen=True, slots=True)
class Rejection:
    """
    One refusal. *code* is the code of the Problem; *recipient* is "" when the refusal came before any RCPT.

    Sender and recipient were written by an unauthenticated client, and are cut to the length of an address.
    """

    id: str
    at: datetime
    channel: Channel
    sender: str
    recipient: str
    code: str
