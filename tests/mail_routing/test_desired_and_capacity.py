"""What a zone should have by our tables, what in it is ours, and how much of its limits is used."""

from datetime import UTC, datetime, timedelta

from kaisoumail.mail_routing.capacity import Capacity, Use, capacity_of
from kaisoumail.mail_routing.desired import DesiredRouting, desired_routing
from kaisoumail.mail_routing.observed import ObservedRouting, RoutingHost, RoutingRule
from kaisoumail.mail_routing.ownership import Ownership, ownership_of
from kaisoumail.model.mailbox import MailboxStatus
from tests.builders import a_mailbox

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORKER = "kaisoumail"


def test_addresses_that_receive_or_are_being_made_are_desired_and_all_others_are_not() -> None:
    mailboxes = [
        a_mailbox("live@a.demo.example", expires_at=NOW + HOUR),
        a_mailbox("endless@a.demo.example", expires_at=None),
        a_mailbox("new@b.demo.example", status=MailboxStatus.PROVISIONING, expires_at=NOW + HOUR),
        a_mailbox("over@c.demo.example", expires_at=NOW),
        a_mailbox("over-too@c.demo.example", status=MailboxStatus.EXPIRED, expires_at=NOW + HOUR),
        a_mailbox("going@d.demo.example", status=MailboxStatus.DESTROYING, expires_at=None),
        a_mailbox("gone@e.demo.example", status=MailboxStatus.DESTROYED, expires_at=None),
    ]

    desired = desired_routing(WORKER, mailboxes, NOW, ["c.demo.example"])

    assert desired == DesiredRouting(
        WORKER,
        frozenset({"live@a.demo.example", "endless@a.demo.example", "new@b.demo.example"}),
        frozenset({"a.demo.example", "b.demo.example", "c.demo.example"}),
    )


def test_ours_are_the_stored_rules_and_the_addresses_of_all_mailboxes() -> None:
    mailboxes = [
        a_mailbox("ada@a.demo.example", routing_rule_id="r1"),
        a_mailbox("gone@a.demo.example", status=MailboxStatus.DESTROYED),
    ]

    assert ownership_of(WORKER, mailboxes, ["a.demo.example"]) == Ownership(
        WORKER,
        frozenset({"r1"}),
        frozenset({"ada@a.demo.example", "gone@a.demo.example"}),
        frozenset({"a.demo.example"}),
    )


def test_the_capacity_counts_every_rule_and_the_apex_as_a_host_and_names_what_is_foreign() -> None:
    observed = ObservedRouting(
        True,
        "ready",
        (RoutingHost("a.demo.example", True), RoutingHost("shop.demo.example", True)),
        tuple(RoutingRule(f"r{number}", "", True, f"x{number}@a.demo.example", None) for number in range(190)),
    )

    capacity = capacity_of(observed, Ownership(WORKER, frozenset({"r0"}), hosts=frozenset({"a.demo.example"})))

    assert capacity == Capacity(Use(190, 200, 189), Use(3, 30, 2))
    assert (capacity.rules.free, capacity.hosts.free) == (10, 27)
    assert Use(201, 200).free == 0
