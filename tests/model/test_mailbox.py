"""The life of a mailbox."""

from kaisoumail.model.mailbox import MailboxStatus, expiry
from tests.builders import a_mailbox
from tests.people import HOUR, MINUTE, NOON


def test_asking_for_a_shorter_life_changes_nothing() -> None:
    mailbox = a_mailbox(expires_at=NOON)

    assert mailbox.extended_to(NOON - HOUR) == mailbox


def test_asking_for_a_longer_life_gives_it() -> None:
    mailbox = a_mailbox(expires_at=NOON)

    assert mailbox.extended_to(NOON + HOUR).expires_at == NOON + HOUR


def test_for_ever_is_longer_than_anything_and_stays() -> None:
    for_ever = a_mailbox(expires_at=NOON).extended_to(None)

    assert for_ever.expires_at is None
    assert for_ever.extended_to(NOON + HOUR).expires_at is None


def test_a_mailbox_expires_at_the_very_instant() -> None:
    mailbox = a_mailbox(expires_at=NOON)

    assert mailbox.receives_at(NOON - MINUTE)
    assert not mailbox.receives_at(NOON)
    assert mailbox.status_at(NOON) is MailboxStatus.EXPIRED


def test_extending_brings_an_expired_mailbox_back() -> None:
    mailbox = a_mailbox(status=MailboxStatus.EXPIRED, expires_at=NOON)

    assert mailbox.extended_to(NOON + HOUR).receives_at(NOON)


def test_a_mailbox_being_destroyed_is_past_saving() -> None:
    mailbox = a_mailbox(status=MailboxStatus.DESTROYING, expires_at=NOON)

    assert mailbox.extended_to(None) == mailbox


def test_a_mailbox_being_made_receives_nothing_yet() -> None:
    assert not a_mailbox(status=MailboxStatus.PROVISIONING).receives_at(NOON)


def test_minutes_count_from_now_and_none_means_for_ever() -> None:
    assert expiry(60, NOON) == NOON + HOUR
    assert expiry(None, NOON) is None
