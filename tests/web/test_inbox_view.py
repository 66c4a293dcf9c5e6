"""The lists are sent again whenever anything in them is different."""

from dataclasses import replace
from datetime import timedelta

from kaisoumail.model.code import Verification
from kaisoumail.web.inbox_view import InboxView, MailboxRow
from tests.builders import a_mailbox, a_message
from tests.people import NOON

MAILBOX = a_mailbox("ada@mail.demo.example", expires_at=NOON + timedelta(minutes=5))
MESSAGE = a_message(MAILBOX, b"Subject: x\r\n\r\n")
VIEW = InboxView((MailboxRow(MAILBOX, 1, None),), (MESSAGE,), 0, None, None, None, 1)


def test_a_code_that_is_found_later_changes_them() -> None:
    later = replace(VIEW, messages=(replace(MESSAGE, verification=Verification("482913", "body", "ai")),))

    assert later.fingerprint(NOON) != VIEW.fingerprint(NOON)


def test_so_does_a_mailbox_that_expires_while_they_are_open() -> None:
    assert VIEW.fingerprint(NOON) == VIEW.fingerprint(NOON + timedelta(minutes=4))
    assert VIEW.fingerprint(NOON) != VIEW.fingerprint(NOON + timedelta(minutes=6))


def test_so_do_a_mark_and_another_number_of_messages_shown() -> None:
    marked = replace(VIEW, messages=(replace(MESSAGE, read_at=NOON),))

    assert len({each.fingerprint(NOON) for each in (VIEW, marked, replace(VIEW, shown=300))}) == 3
