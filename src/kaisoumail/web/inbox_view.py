"""What the workspace shows: the mailboxes, the messages of one or all of them, and the newest codes."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kaisoumail.model.access import may
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Message
from kaisoumail.model.user import Viewer
from kaisoumail.operations.context import Context
from kaisoumail.operations.mailboxes import MailboxQuery, find_mailbox, list_mailboxes
from kaisoumail.operations.messages import MessageQuery, list_messages

SHOWN_AT_FIRST: Final = 100
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox with the number of its messages and the newest one that has a code."""

    mailbox: Mailbox
    count: int
    newest_code: Message | None


@dataclass(frozen=True, slots=True)
class InboxView:
    """
    The lists of the inbox. *selected* is None for the messages of all mailboxes; *chosen* is the mailbox in the URL.

    *messages* are the first *shown*, *older* the number of those after them, *total* that of all mailboxes.
    """

    rows: tuple[MailboxRow, ...]
    messages: tuple[Message, ...]
    older: int
    chosen: str | None
    selected: Mailbox | None
    message_id: str | None
    total: int
    shown: int = SHOWN_AT_FIRST

    @property
    def depth(self) -> str:
        """The pane that a narrow screen shows."""
        return "reader" if self.message_id else "mails" if self.chosen else "mailboxes"

    def fingerprint(self, now: datetime) -> str:
        """A hash that changes when the lists do: with *now* alone when a mailbox expires."""
        parts = [
            f"{row.mailbox.id} {row.count} {row.mailbox.unread_count} {_code(row.newest_code)}" for row in self.rows
        ]
        parts += [f"{row.mailbox.status_at(now)} {row.mailbox.expires_at}" for row in self.rows]
        parts += [f"{message.id} {message.read_at is None} {_code(message)}" for message in self.messages]
        parts += [str(self.chosen), str(self.message_id), str(self.shown)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


async def read_inbox(
    context: Context, viewer: Viewer, chosen: str | None, message_id: str | None, shown: int = SHOWN_AT_FIRST
) -> InboxView:
    """
    The inbox with the mailbox of id *chosen* open, or all of them for None and "all".

    At most *shown* messages are in it. Raises Problem `mailbox_not_found` or `forbidden` for a mailbox that cannot
    be opened, `insufficient_scope` for one if the viewer's grant lacks `mailboxes:read`.
    """
    may_list = viewer.grant.allows("mailboxes:read")
    live = await list_mailboxes(context, viewer, MailboxQuery(workspace=True)) if may_list else []
    mailboxes = sorted(live, key=_last_activity, reverse=True)
    all_messages = await list_messages(context, viewer, MessageQuery(workspace=True))
    selected = None if chosen in (None, ALL) else await _mailbox(context, viewer, mailboxes, str(chosen))
    messages = all_messages
    if selected is not None:
        is_listed = any(mailbox.id == selected.id for mailbox in mailboxes)
        messages = (
            [message for message in all_messages if message.mailbox_id == selected.id]
            if is_listed
            else await list_messages(context, viewer, MessageQuery(mailbox_ids=[selected.id]))
        )
        mailboxes = mailboxes if is_listed else [selected, *mailboxes]
    return InboxView(
        rows=tuple(_row(mailbox, all_messages if mailbox is not selected else messages) for mailbox in mailboxes),
        messages=tuple(messages[:shown]),
        older=max(0, len(messages) - shown),
        chosen=chosen,
        selected=selected,
        message_id=message_id,
        total=len(all_messages),
        shown=shown,
    )


def _code(message: Message | None) -> str:
    return "" if message is None or message.verification is None else message.verification.code


async def _mailbox(context: Context, viewer: Viewer, mailboxes: list[Mailbox], mailbox_id: str) -> Mailbox:
    viewer.must_satisfy(may("mailboxes:read"))
    found = next((mailbox for mailbox in mailboxes if mailbox.id == mailbox_id), None)
    return found or await find_mailbox(context, viewer, mailbox_id)


def _last_activity(mailbox: Mailbox) -> datetime:
    return max(mailbox.created_at, mailbox.last_received_at or mailbox.created_at)


def _row(mailbox: Mailbox, messages: list[Message]) -> MailboxRow:
    own = [message for message in messages if message.mailbox_id == mailbox.id]
    return MailboxRow(mailbox, len(own), next((message for message in own if message.verification), None))
