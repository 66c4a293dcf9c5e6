"""Mail that was refused for good: who wanted to write to whom, and what they were told."""

from dataclasses import dataclass
from datetime import datetime

from kaisoumail.model.message import Channel


@dataclass(frozen=True, slots=True)
class Rejection:
    """
    One refusal. *code* is the Problem's; *recipient* is "" when it came before any was named.

    Sender and recipient are a stranger's words, cut to what an address can be.
    """

    id: str
    at: datetime
    channel: Channel
    sender: str
    recipient: str
    code: str
