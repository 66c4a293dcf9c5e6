"""
What in a zone is ours. Nothing else is ever changed or removed.

A rule is ours when its id is stored with a mailbox, or when it has the name and the target of our rules and its address
is that of a mailbox in our tables: such a rule was made by a request whose answer was lost. A rule with our name for an
address that we do not know may belong to another installation, or to what a restored database has forgotten.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kaisoumail.mail_routing.observed import RoutingRule
from kaisoumail.model.mailbox import Mailbox


@dataclass(frozen=True, slots=True)
class Ownership:
    """The ids of our *rules*, the *addresses* of all mailboxes of our tables, and the *hosts* that we switched on."""

    worker: str
    rules: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()

    def has_rule(self, rule: RoutingRule) -> bool:
        """Whether *rule* is ours."""
        if rule.id in self.rules:
            return True
        return rule.has_our_name and rule.worker == self.worker and rule.address in self.addresses

    def resembles(self, rule: RoutingRule) -> bool:
        """Whether *rule* looks like ours but is not known to be."""
        return rule.has_our_name and rule.worker == self.worker and not self.has_rule(rule)


def ownership_of(worker: str, mailboxes: Iterable[Mailbox], hosts: Iterable[str]) -> Ownership:
    """What is ours by the *mailboxes* of a domain in any status, and the full names of the *hosts* we switched on."""
    known = tuple(mailboxes)
    return Ownership(
        worker,
        frozenset(mailbox.routing_rule_id for mailbox in known if mailbox.routing_rule_id is not None),
        frozenset(str(mailbox.address) for mailbox in known),
        frozenset(hosts),
    )
