"""
Mailboxes and their states.

    provisioning ─► active ─► expired ─► destroying ─► destroyed
                      ▲          │
                      └──────────┘  extended

`provisioning` is internal: the address is reserved, Cloudflare is being called, and the row is not
shown yet. (The system we are compatible with used `destroying` for it, and its clean-up then
destroyed mailboxes that were still being created.)
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from kaisoumail.model.address import Address

MIN_TTL_MINUTES: Final = 60
UNKNOWN_RULE: Final = "unknown"
"""In place of a rule's id: a rule may have been created, and is looked up by address before the address is freed."""
MAX_TTL_MINUTES: Final = 525_600


class MailboxStatus(StrEnum):
    PROVISIONING = "provisioning"
    ACTIVE = "active"
    EXPIRED = "expired"
    DESTROYING = "destroying"
    DESTROYED = "destroyed"


class MailboxSource(StrEnum):
    REGISTERED = "registered"
    CATCH_ALL = "catch_all"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address that receives messages. *expires_at* None means that it lives until it is destroyed."""

    id: str
    user_id: str
    domain_id: str
    address: Address
    status: MailboxStatus
    created_at: datetime
    expires_at: datetime | None
    source: MailboxSource = MailboxSource.REGISTERED
    last_received_at: datetime | None = None
    destroyed_at: datetime | None = None
    routing_rule_id: str | None = None
    unread_count: int = 0
    message_count: int = 0

    def status_at(self, now: datetime) -> MailboxStatus:
        """The state to show: an active one past its expiry is expired. Its routing rule is removed soon after."""
        if self.status is MailboxStatus.ACTIVE and self.expires_at is not None and self.expires_at <= now:
            return MailboxStatus.EXPIRED
        return self.status

    def receives_at(self, now: datetime) -> bool:
        """Whether it accepts messages at *now*: it is active, and its lifetime has not ended."""
        return self.status_at(now) is MailboxStatus.ACTIVE

    def wants_rule_at(self, now: datetime) -> bool:
        """Whether Cloudflare should have a routing rule for it at *now*: it receives, or is being made."""
        return self.status is MailboxStatus.PROVISIONING or self.receives_at(now)

    def extended_to(self, until: datetime | None) -> "Mailbox":
        """
        This mailbox living until *until*, or unchanged if it already lives longer.

        A lifetime never shrinks: two agents that share an address cannot shorten each other's. None
        means "until destroyed". Extending past the present revives an expired mailbox; one that is
        being destroyed stays as it is.
        """
        if self.status not in (MailboxStatus.ACTIVE, MailboxStatus.EXPIRED) or self.expires_at is None:
            return self
        if until is not None and until <= self.expires_at:
            return self
        return replace(self, expires_at=until, status=MailboxStatus.ACTIVE)


def expiry(minutes: int | None, now: datetime) -> datetime | None:
    """When a mailbox with a lifetime of *minutes* from *now* expires; None for one that lives until it is destroyed."""
    return None if minutes is None else now + timedelta(minutes=minutes)
