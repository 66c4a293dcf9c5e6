"""Lists by page: nothing twice, nothing left out, and the cost of a page does not grow with what is stored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from kaisoumail.model.feed import BEGINNING, Cursor, PageEnd
from kaisoumail.model.mailbox import Mailbox, MailboxStatus
from kaisoumail.model.message import Message
from kaisoumail.model.user import Viewer
from kaisoumail.storage.engine import schema
from kaisoumail.storage.tables import changes, mailboxes, messages
from kaisoumail.storage.tables.aged_rows import AgedRows, forget_older
from kaisoumail.storage.tables.messages import ArrivalFilter, MessageFilter
from tests.builders import a_mailbox, a_message, kept
from tests.people import ADA, BOB, HOUR, MINUTE, NOON, ROOT
from tests.storage.conftest import Storage

_PLACE = PageEnd(NOON, "msg_m")


def _kept(storage: Storage, mailbox: Mailbox) -> Mailbox:
    storage.write(lambda c: mailboxes.add(c, mailbox))
    return mailbox


def _filled(storage: Storage, mailbox: Mailbox, count: int) -> list[Message]:
    """*count* messages, several in each millisecond, newest first."""
    made = [a_message(mailbox, b"%d" % n, received_at=NOON + n // 3 * MINUTE) for n in range(count)]
    for message in made:
        storage.write(lambda c, m=message: kept(c, m, None))  # type: ignore[misc]
    return sorted(made, key=lambda message: (message.received_at, message.id), reverse=True)


@pytest.mark.parametrize("boxes", [0, 1, 2])
def test_pages_put_together_are_the_whole_list(storage: Storage, boxes: int) -> None:
    both = [_kept(storage, a_mailbox()), _kept(storage, a_mailbox("two@mail.demo.example"))]
    filled = [message for mailbox in both for message in _filled(storage, mailbox, 10)]
    ids = [mailbox.id for mailbox in both[:boxes]]
    seen: list[Message] = []
    end: PageEnd | None = None

    while True:
        wanted = MessageFilter(mailbox_ids=ids, end=end, limit=3)
        page = storage.read(lambda c, wanted=wanted: messages.listed(c, ADA, wanted))  # type: ignore[misc]
        if not page:
            break
        seen += page
        end = PageEnd(page[-1].received_at, page[-1].id)

    expected = [message for message in filled if not ids or message.mailbox_id in ids]
    assert seen == sorted(expected, key=lambda message: (message.received_at, message.id), reverse=True)


def test_a_mail_that_comes_while_somebody_turns_pages_moves_nothing(storage: Storage) -> None:
    mailbox = _kept(storage, a_mailbox())
    filled = _filled(storage, mailbox, 6)

    storage.write(lambda c: kept(c, a_message(mailbox, b"new", received_at=NOON + 30 * MINUTE)))
    end = PageEnd(filled[2].received_at, filled[2].id)
    page = storage.read(lambda c: messages.listed(c, ADA, MessageFilter(end=end, limit=3)))

    assert page == filled[3:6]


def test_a_list_by_state_holds_what_the_model_shows_in_that_state(storage: Storage) -> None:
    states = [
        a_mailbox("live@mail.demo.example"),
        a_mailbox("over@mail.demo.example", expires_at=NOON),
        a_mailbox("for-ever@mail.demo.example", expires_at=None),
        a_mailbox("swept@mail.demo.example", status=MailboxStatus.EXPIRED, expires_at=None),
        a_mailbox("leaving@mail.demo.example", status=MailboxStatus.DESTROYING),
        a_mailbox("gone@mail.demo.example", status=MailboxStatus.DESTROYED),
    ]
    for mailbox in states:
        _kept(storage, mailbox)

    for status in (MailboxStatus.ACTIVE, MailboxStatus.EXPIRED, MailboxStatus.DESTROYING, MailboxStatus.DESTROYED):
        wanted = mailboxes.MailboxFilter([status], NOON)
        listed = storage.read(lambda c, wanted=wanted: mailboxes.listed(c, ADA, wanted))  # type: ignore[misc]
        assert {each.id for each in listed} == {each.id for each in states if each.status_at(NOON) is status}


def _plans(storage: Storage, work: Any) -> list[str]:
    """How the database goes about each statement of *work*."""

    def explained(connection: Connection) -> list[str]:
        statements: list[tuple[str, Any]] = []
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            connection.execute(text("SET enable_seqscan = off"))  # so few rows would be read whole
            connection.execute(text("SET enable_bitmapscan = off"))  # and sorted, which few rows are worth

        def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
            statements.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", note)
        work(connection)
        event.remove(connection, "before_cursor_execute", note)
        explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        return [
            "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(explain + statement, parameters))
            for statement, parameters in statements
        ]

    return storage.write(explained)


def _message_pages(viewer: Viewer, **wanted: Any) -> Any:
    return lambda c: messages.listed(c, viewer, MessageFilter(end=_PLACE, limit=101, **wanted))


def _mailbox_pages(viewer: Viewer, **wanted: Any) -> Any:
    return lambda c: mailboxes.listed(
        c, viewer, mailboxes.MailboxFilter(end=PageEnd(NOON, "mbx_m"), limit=101, **wanted)
    )


LIVE = {"statuses": [MailboxStatus.ACTIVE], "now": NOON}
REFUSED = AgedRows(schema.mailboxes, schema.mailboxes.c.destroyed_at, only=mailboxes.was_refused)
BY_MAILBOX, BY_USER, BY_TIME = (f"ix_messages_{by}received_at_id" for by in ("mailbox_id_", "user_id_", ""))
WALKS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "a member's messages": (BY_USER, lambda _: _message_pages(ADA)),
    "everybody's messages": (BY_TIME, lambda _: _message_pages(ROOT)),
    "the messages of one mailbox": (BY_MAILBOX, lambda id_: _message_pages(ADA, mailbox_ids=[id_])),
    "the messages of one mailbox, for an admin": (BY_MAILBOX, lambda id_: _message_pages(ROOT, mailbox_ids=[id_])),
    "the messages at an address": (BY_MAILBOX, lambda _: _message_pages(ADA, addresses=["ada@mail.demo.example"])),
    "messages since an instant": (BY_USER, lambda _: _message_pages(ADA, after=NOON - HOUR)),
    "the workspace's messages": (BY_USER, lambda _: _message_pages(ADA, **LIVE)),
    "a member's mailboxes": ("ix_mailboxes_user_id_created_at_id", lambda _: _mailbox_pages(ADA)),
    "everybody's mailboxes": ("ix_mailboxes_created_at_id", lambda _: _mailbox_pages(ROOT)),
    "the workspace's mailboxes": ("ix_mailboxes_user_id_created_at_id", lambda _: _mailbox_pages(ADA, **LIVE)),
    "what came into a mailbox": ("ix_changes_mailbox_id_seq", lambda id_: _arrivals(ADA, [id_])),
    "what came for a member": ("ix_changes_user_id_seq", lambda _: _arrivals(ADA, [])),
    "what came for anybody": ("changes", lambda _: _arrivals(ROOT, [])),
    "a member's changes": ("ix_changes_user_id_seq", lambda _: _changes(ADA)),
    "everybody's changes": ("changes", lambda _: _changes(ROOT)),
    "mailboxes that Cloudflare refused": ("ix_mailboxes_refused", lambda _: _forgotten(REFUSED)),
    "the newest change": ("changes", lambda _: changes.newest),
}


def _arrivals(viewer: Viewer, mailbox_ids: list[str]) -> Any:
    return lambda c: messages.arrived(c, viewer, ArrivalFilter(BEGINNING, Cursor(9), 200, mailbox_ids))


def _forgotten(rows: AgedRows) -> Any:
    return lambda c: forget_older(c, rows, timedelta(days=1), 200)


def _changes(viewer: Viewer) -> Any:
    return lambda c: changes.after(c, viewer, BEGINNING, 100)


@pytest.mark.parametrize("what", WALKS)
def test_a_page_is_read_along_an_index_and_never_sorted(storage: Storage, what: str) -> None:
    mailbox = _kept(storage, a_mailbox())
    _filled(storage, mailbox, 5)
    _kept(storage, a_mailbox("bob@mail.demo.example", user_id=BOB.id))

    index, work = WALKS[what]
    plans = _plans(storage, work(mailbox.id))

    for plan in plans:
        assert not [word for word in ("TEMP B-TREE", "SCAN messages'", "Seq Scan", "Sort") if word in plan], plan
    assert index in plans[-1]
