"""What a zone should have in Email Routing, by our own tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kaisoumail.model.mailbox import Mailbox


@dataclass(frozen=True, slots=True)
class DesiredRouting:
    """
    The *addresses* that receive now, each by a rule of its own to *worker*, and the *hosts* they are on.

    *hosts* are full names below the apex. They may have more than the addresses need: those of subdomains whose last
    mailbox ended a short while ago.
    """

    worker: str
    addresses: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()


def desired_routing(
    worker: str, mailboxes: Iterable[Mailbox], now: datetime, recent_hosts: Iterable[str] = ()
) -> DesiredRouting:
    """
    What the zone of *mailboxes* should have at *now*.

    A disabled domain desires the same as an active one: it offers no new mailboxes, and existing ones receive.
    """
    routed = [mailbox for mailbox in mailboxes if mailbox.wants_rule_at(now)]
    return DesiredRouting(
        worker,
        frozenset(str(mailbox.address) for mailbox in routed),
        frozenset((*(mailbox.address.host for mailbox in routed), *recent_hosts)),
    )
