"""Messages: once, whole, to whom they belong."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest
import zstandard
from sqlalchemy import select

from kaisoumail.errors import Problem
from kaisoumail.model.code import Link, Verification
from kaisoumail.model.feed import BEGINNING
from kaisoumail.model.mailbox import Mailbox, MailboxStatus
from kaisoumail.storage.engine.schema import messages as messages_table
from kaisoumail.storage.tables import changes, mailboxes, messages
from kaisoumail.storage.tables.messages import MessageFilter
from tests.builders import a_mailbox, a_message, kept
from tests.people import ADA, BOB, MINUTE, NOON, ROOT
from tests.storage.conftest import Storage

RAW = b"Subject: hello\r\n\r\nhello \xff\x00\r\n"


def _kept(storage: Storage, mailbox: Mailbox) -> Mailbox:
    storage.write(lambda c: mailboxes.add(c, mailbox))
    return mailbox


def test_a_message_comes_back_as_it_was_kept(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox())
    found = Verification("842911", "subject", evidence="Your code is 842911", word="code", confidence=0.91)
    link = Link("https://shop.example/confirm/1", "shop.example", "Confirm", "confirm")
    message = a_message(mailbox, RAW, verification=found, link=link, channel="worker")

    kept_as = storage.write(lambda c: kept(c, message, zstandard.compress(RAW)))

    assert kept_as == message.id
    assert storage.read(lambda c: messages.find(c, message.id)) == message
    assert storage.read(lambda c: messages.raw_in_row(c, message.id)) == RAW


def test_the_same_hand_over_twice_is_one_message(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox())
    first, again = a_message(mailbox, RAW), a_message(mailbox, RAW)

    async def both_at_once() -> list[str]:
        write = storage.database.write
        return list(await asyncio.gather(write(lambda c: kept(c, first, b"")), write(lambda c: kept(c, again, b""))))

    assert storage.run(both_at_once()) == [first.id, first.id]
    assert len(storage.read(lambda c: messages.listed(c, ADA, MessageFilter()))) == 1


def test_a_mailbox_that_stopped_receiving_takes_nothing(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox(status=MailboxStatus.DESTROYING))

    with pytest.raises(Problem) as caught:
        storage.write(lambda c: kept(c, a_message(mailbox), None))

    assert caught.value.code == "mailbox_unavailable"


def test_receiving_is_noted_on_the_mailbox(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox())

    storage.write(lambda c: kept(c, a_message(mailbox, received_at=NOON + MINUTE), None))

    noted = storage.read(lambda c: mailboxes.find(c, mailbox.id))
    assert noted is not None
    assert noted.last_received_at == NOON + MINUTE


def test_a_member_sees_their_own_and_an_admin_everybodys(storage: Storage) -> None:
    adas = a_message(_kept(storage, a_mailbox("ada@mail.demo.example")))
    bobs = a_message(_kept(storage, a_mailbox("bob@mail.demo.example", user_id=BOB.id)), received_at=NOON + MINUTE)
    for message in (adas, bobs):
        storage.write(lambda c, m=message: kept(c, m, None))  # type: ignore[misc]

    def seen(viewer: object) -> list[str]:
        return [m.id for m in storage.read(lambda c: messages.listed(c, viewer, MessageFilter()))]  # type: ignore[arg-type]

    assert seen(ADA) == [adas.id]
    assert seen(BOB) == [bobs.id]
    assert seen(ROOT) == [bobs.id, adas.id]


def test_a_list_narrows_by_mailbox_address_and_instant(storage: Storage) -> None:
    mailbox, other = _kept(storage, a_mailbox()), _kept(storage, a_mailbox("other@mail.demo.example"))
    old, new = a_message(mailbox, b"1"), a_message(mailbox, b"2", received_at=NOON + MINUTE)
    elsewhere = a_message(other, b"3")
    for message in (old, new, elsewhere):
        storage.write(lambda c, m=message: kept(c, m, None))  # type: ignore[misc]

    def found(wanted: MessageFilter) -> list[str]:
        return [m.id for m in storage.read(lambda c: messages.listed(c, ADA, wanted))]

    assert found(MessageFilter(mailbox_ids=[mailbox.id])) == [new.id, old.id]
    assert found(MessageFilter(addresses=["other@mail.demo.example"])) == [elsewhere.id]
    assert found(MessageFilter(after=NOON)) == [new.id]
    assert found(MessageFilter(mailbox_ids=["mbx_nothing"])) == []


def test_the_mail_of_a_mailbox_being_destroyed_is_hidden(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox())
    message = a_message(mailbox)
    storage.write(lambda c: kept(c, message, None))

    storage.write(lambda c: mailboxes.save(c, a_mailbox(id=mailbox.id, status=MailboxStatus.DESTROYING)))

    assert storage.read(lambda c: messages.find(c, message.id)) is None
    assert storage.read(lambda c: messages.listed(c, ROOT, MessageFilter())) == []


def test_a_message_is_unread_until_somebody_says_they_read_it(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox())
    message = a_message(mailbox)
    storage.write(lambda c: kept(c, message, None))

    def marked(read_at: datetime | None) -> tuple[bool, int]:
        changed = storage.write(lambda c: messages.mark(c, message, read_at))
        found = storage.read(lambda c: mailboxes.find(c, mailbox.id))
        assert found is not None
        return changed, found.unread_count

    assert [m.id for m in storage.read(lambda c: messages.listed(c, ADA, MessageFilter(unread=True)))] == [message.id]
    assert marked(NOON) == (True, 0)
    assert marked(NOON + MINUTE) == (False, 0)
    assert storage.read(lambda c: messages.find(c, message.id)) == replace(message, read_at=NOON)
    assert storage.read(lambda c: messages.listed(c, ADA, MessageFilter(unread=True))) == []
    assert marked(None) == (True, 1)


def test_the_same_hand_over_twice_counts_once_as_unread(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox())
    for message in (a_message(mailbox, RAW), a_message(mailbox, RAW)):
        storage.write(lambda c, m=message: kept(c, m, None))  # type: ignore[misc]

    found = storage.read(lambda c: mailboxes.find(c, mailbox.id))

    assert found is not None
    assert found.unread_count == 1


def test_a_deleted_message_is_gone_whole_and_the_same_hand_over_does_not_bring_it_back(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox())
    message = a_message(mailbox, RAW, subject="secret", verification=Verification("842911", "subject"))
    storage.write(lambda c: kept(c, message, zstandard.compress(RAW)))

    assert storage.write(lambda c: messages.remove(c, message, NOON))
    assert not storage.write(lambda c: messages.remove(c, message, NOON))
    known_as = storage.write(lambda c: kept(c, a_message(mailbox, RAW), None))

    assert known_as == message.id
    assert storage.read(lambda c: messages.find(c, message.id)) is None
    assert storage.read(lambda c: messages.listed(c, ROOT, MessageFilter())) == []
    assert storage.read(lambda c: messages.raw_in_row(c, message.id)) is None
    found = storage.read(lambda c: mailboxes.find(c, mailbox.id))
    assert found is not None
    assert found.unread_count == 0
    left = storage.read(lambda c: c.execute(select(messages_table)).one())
    assert not {"secret", "842911", "no-reply@shop.example"} & set(left)


def test_deleted_bytes_in_the_blob_store_are_remembered_until_they_are_gone(storage: Storage) -> None:
    message = a_message(_kept(storage, a_mailbox()), raw_location="msg_1.zst")
    storage.write(lambda c: kept(c, message, None))
    assert storage.read(lambda c: messages.deleted_blobs(c, 10)) == []

    storage.write(lambda c: messages.remove(c, message, NOON))
    left = storage.read(lambda c: messages.deleted_blobs(c, 10))
    storage.write(lambda c: messages.forget_raw(c, "msg_1.zst"))

    assert left == ["msg_1.zst"]
    assert storage.read(lambda c: messages.deleted_blobs(c, 10)) == []


def test_a_code_found_later_is_kept_once_and_news_to_whoever_saw_the_message_come(storage: Storage) -> None:
    mailbox = a_mailbox()
    storage.write(lambda c: mailboxes.add(c, mailbox))
    message = a_message(mailbox)
    storage.write(lambda c: kept(c, message))
    seen = storage.read(changes.newest)
    found = Verification("662288", "body", "ai", "the second: 662288", None, 0.5)

    assert storage.write(lambda c: messages.add_verification(c, message.id, found))
    assert not storage.write(lambda c: messages.add_verification(c, message.id, replace(found, code="551177")))

    assert storage.read(lambda c: messages.find(c, message.id)) == replace(message, verification=found)
    news = storage.read(lambda c: changes.after(c, ADA, seen, 100))
    assert [each.change.message_id for each in news] == [message.id]
    everything = storage.read(lambda c: changes.after(c, ADA, BEGINNING, 100))
    assert [each.change.message_id for each in everything if each.change.message_id] == [message.id]


def test_no_code_is_found_for_a_message_that_was_deleted(storage: Storage) -> None:
    mailbox = a_mailbox()
    storage.write(lambda c: mailboxes.add(c, mailbox))
    message = a_message(mailbox)
    storage.write(lambda c: kept(c, message))
    storage.write(lambda c: messages.remove(c, message, NOON))

    assert not storage.write(lambda c: messages.add_verification(c, message.id, Verification("662288", "body", "ai")))
