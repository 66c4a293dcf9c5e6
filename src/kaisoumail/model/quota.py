"""How much one user may keep."""

from dataclasses import dataclass
from typing import Final

from kaisoumail.errors import Problem


@dataclass(frozen=True, slots=True)
class Quotas:
    """What one user may have at most; 0 is no limit."""

    mailboxes: int = 0
    """Mailboxes that receive mail at the same time."""
    stored_bytes: int = 0
    """Raw bytes of the mails in all of them."""
    messages: int = 0
    """Mails in one mailbox."""

    def refuse_mailbox_beyond(self, used: int) -> Problem | None:
        """Why there may be no further mailbox beside *used* ones; None if there may."""
        if not self.mailboxes or used < self.mailboxes:
            return None
        sentence = (
            f"{used} of {self.mailboxes} mailboxes are in use: let one expire or destroy one, "
            "or ask whoever runs this for more (QUOTA_MAILBOXES_PER_USER)"
        )
        return Problem("quota_reached", sentence, quota="mailboxes", used=used, allowed=self.mailboxes)

    def is_full(self, message_count: int, stored_bytes: int) -> bool:
        """
        True if no mail fits any more into a mailbox with *message_count* mails of a user who stores *stored_bytes*.

        While there is any room a mail is taken whatever its size, and so are those that come in the same moment.
        """
        too_many = 0 < self.messages <= message_count
        return too_many or 0 < self.stored_bytes <= stored_bytes


NO_QUOTAS: Final = Quotas()


def mailbox_full() -> Problem:
    """What a sender hears, who should try again: room may be made."""
    return Problem("mailbox_full", "Mailbox full")
