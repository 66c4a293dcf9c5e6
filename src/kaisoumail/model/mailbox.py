"""
Mailboxes and their life.

    provisioning ─► active ─► expired ─► destroying ─► destroyed
                      ▲          │
                      └──────────┘  extended

`provisioning` is ours alone: the address is taken, Cloudflare is being asked, and nobody is shown
the row yet. (The system we are compatible with used `destroying` for it, and its clean-up then
destroyed mailboxes that were just being made.)
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from kaisoumail.model.address import Address

MIN_TTL_MINUTES: Final = 60
UNKNOWN_RULE: Final = "unknown"
"""In place of a rule's id: one may have been made for the address, and is looked for before the address is free."""
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
    """One address somebody receives mail at. *expires_at* None means "keep until destroyed"."""

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
        """The state to show: an active mailbox whose time has passed is expired, swept or not."""
        if self.status is MailboxStatus.ACTIVE and self.expires_at is not None and self.expires_at <= now:
            return MailboxStatus.EXPIRED
        return self.status

    def receives_at(self, now: datetime) -> bool:
        return self.status_at(now) is MailboxStatus.ACTIVE

    def extended_to(self, wanted: datetime | None) -> "Mailbox":
        """
        This mailbox kept until *wanted*, or unchanged if it already lives longer.

        A lifetime never shrinks: two agents that share an address cannot cut each other short. None
        means "keep until destroyed". Extending past the present brings an expired mailbox back; one
        being destroyed is past saving.
        """
        if self.status not in (MailboxStatus.ACTIVE, MailboxStatus.EXPIRED) or self.expires_at is None:
            return self
        if wanted is not None and wanted <= self.expires_at:
            return self
        return replace(self, expires_at=wanted, status=MailboxStatus.ACTIVE)


def expiry(minutes: int | None, now: datetime) -> datetime | None:
    """When a mailbox asked for *minutes* of life at *now* expires; None for a long-term one."""
    return None if minutes is None else now + timedelta(minutes=minutes)
