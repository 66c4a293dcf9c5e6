"""Mailboxes: one live holder per address."""

import asyncio

from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.storage.tables import mailboxes, subdomains
from kaisoumail.storage.tables.subdomains import HostState
from tests.builders import DEMO, a_mailbox
from tests.people import ADA, BOB, NOON, ROOT
from tests.storage.conftest import Storage

PROVISIONING = MailboxStatus.PROVISIONING


def test_a_mailbox_comes_back_as_it_was_kept(storage: Storage) -> None:
    mailbox = a_mailbox(expires_at=None, routing_rule_id="f" * 32)

    assert storage.write(lambda c: mailboxes.add(c, mailbox))

    assert storage.read(lambda c: mailboxes.find(c, mailbox.id)) == mailbox
    assert storage.read(lambda c: mailboxes.find_live(c, str(mailbox.address))) == mailbox


def test_of_two_who_want_an_address_at_once_one_gets_it(storage: Storage) -> None:
    async def both() -> list[bool]:
        write = storage.database.write
        return list(
            await asyncio.gather(
                write(lambda c: mailboxes.add(c, a_mailbox())),
                write(lambda c: mailboxes.add(c, a_mailbox(user_id=BOB.id))),
            )
        )

    assert sorted(storage.run(both())) == [False, True]


def test_the_address_of_a_destroyed_mailbox_is_free(storage: Storage) -> None:
    storage.write(lambda c: mailboxes.add(c, a_mailbox(status=MailboxStatus.DESTROYED)))

    assert storage.write(lambda c: mailboxes.add(c, a_mailbox()))


def test_a_mailbox_being_made_is_shown_to_nobody_and_comes_to_life(storage: Storage) -> None:
    mailbox = a_mailbox(status=PROVISIONING)
    storage.write(lambda c: mailboxes.add(c, mailbox))

    assert storage.read(lambda c: mailboxes.listed(c, ROOT)) == []
    opened = storage.write(lambda c: mailboxes.activate(c, mailbox.id, "f" * 32))

    assert opened is not None
    assert opened.status is MailboxStatus.ACTIVE
    assert opened.routing_rule_id == "f" * 32


def test_only_a_mailbox_being_made_can_be_removed(storage: Storage) -> None:
    made, making = a_mailbox("made@mail.demo.example"), a_mailbox(status=PROVISIONING)
    for mailbox in (made, making):
        storage.write(lambda c, m=mailbox: mailboxes.add(c, m))  # type: ignore[misc]
        storage.write(lambda c, m=mailbox: mailboxes.remove(c, m.id))  # type: ignore[misc]

    assert storage.read(lambda c: mailboxes.find(c, made.id)) == made
    assert storage.read(lambda c: mailboxes.find(c, making.id)) is None


def test_a_member_lists_their_own(storage: Storage) -> None:
    adas, bobs = a_mailbox(), a_mailbox("bob@mail.demo.example", user_id=BOB.id)
    for mailbox in (adas, bobs):
        storage.write(lambda c, m=mailbox: mailboxes.add(c, m))  # type: ignore[misc]

    assert storage.read(lambda c: mailboxes.listed(c, ADA)) == [adas]
    assert len(storage.read(lambda c: mailboxes.listed(c, ROOT))) == 2


def test_a_subdomain_is_remembered_once(storage: Storage) -> None:
    for _ in range(2):
        storage.write(lambda c: subdomains.note_enabled(c, DEMO.id, "mail", NOON, is_ours=True))

    assert storage.read(lambda c: subdomains.names(c, DEMO.id)) == ["mail"]
    assert storage.write(lambda c: subdomains.use(c, DEMO.id, "mail", NOON)) is HostState.ENABLED
    assert storage.write(lambda c: subdomains.use(c, DEMO.id, "other", NOON)) is HostState.UNKNOWN
