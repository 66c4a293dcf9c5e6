"""How much one user may store."""

from dataclasses import dataclass
from typing import Final

from kaisoumail.errors import Problem


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most that one user may have; 0 is no limit."""

    mailboxes: int = 0
    """Mailboxes that receive at the same time."""
    stored_bytes: int = 0
    """Raw bytes of the messages in all mailboxes of the user."""
    messages: int = 0
    """Messages in one mailbox."""

    def refuse_mailbox_beyond(self, used: int) -> Problem | None:
        """The refusal of another mailbox beside *used* ones; None if it is allowed."""
        if not self.mailboxes or used < self.mailboxes:
            return None
        sentence = (
            f"{used} of {self.mailboxes} mailboxes are in use: let one expire or destroy one, "
            "or ask whoever runs this for more (QUOTA_MAILBOXES_PER_USER)"
        )
        return Problem("quota_reached", sentence, quota="mailboxes", used=used, allowed=self.mailboxes)

    def is_full(self, message_count: int, stored_bytes: int) -> bool:
        """
        True if a mailbox with *message_count* messages, of a user who stores *stored_bytes*, accepts no more.

        Below the quota a message is accepted whatever its size, and so are all that arrive at the same moment.
        """
        too_many = 0 < self.messages <= message_count
        return too_many or 0 < self.stored_bytes <= stored_bytes


NO_QUOTAS: Final = Quotas()


def mailbox_full() -> Problem:
    """The refusal of a message to a full mailbox. Temporary: messages may be deleted before the sender tries again."""
    return Problem("mailbox_full", "Mailbox full")
