"""What the workspace shows at one moment: the mailboxes, the mails of one of them, and the newest codes."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kaisoumail.model.access import may
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Message
from kaisoumail.model.user import Viewer
from kaisoumail.operations.context import Context
from kaisoumail.operations.mailboxes import find_mailbox, list_mailboxes
from kaisoumail.operations.messages import MessageQuery, list_messages

SHOWN_AT_FIRST: Final = 100
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox with how many mails it holds and the newest one that carries a code."""

    mailbox: Mailbox
    count: int
    newest_code: Message | None


@dataclass(frozen=True, slots=True)
class InboxView:
    """*selected* is None for the mails of all mailboxes; *chosen* is what the URL said, if anything."""

    rows: tuple[MailboxRow, ...]
    mails: tuple[Message, ...]
    older: int
    chosen: str | None
    selected: Mailbox | None
    message_id: str | None
    total: int

    @property
    def depth(self) -> str:
        """Which pane a narrow screen shows."""
        return "reader" if self.message_id else "mails" if self.chosen else "mailboxes"

    @property
    def seen(self) -> str:
        """Changes when anything in the lists does."""
        parts = [
            f"{row.mailbox.id} {row.mailbox.status} {row.mailbox.expires_at} {row.count} {row.mailbox.unread_count}"
            for row in self.rows
        ]
        parts += [f"{mail.id} {mail.read_at is None}" for mail in self.mails]
        return hashlib.sha256("\n".join([*parts, str(self.chosen), str(self.message_id)]).encode()).hexdigest()[:16]


async def read_inbox(
    context: Context, viewer: Viewer, chosen: str | None, message_id: str | None, shown: int = SHOWN_AT_FIRST
) -> InboxView:
    """
    The inbox with the mailbox of id *chosen* open; None or "all" opens all of them.

    Raises Problem `mailbox_not_found` or `forbidden` for a mailbox that cannot be opened, `insufficient_scope`
    for one whose viewer may read mail alone.
    """
    may_list = viewer.grant.allows("mailboxes:read")
    live = await list_mailboxes(context, viewer, workspace=True) if may_list else []
    kept = sorted(live, key=_last_moved, reverse=True)
    everything = await list_messages(context, viewer, MessageQuery(workspace=True))
    selected = None if chosen in (None, ALL) else await _mailbox(context, viewer, kept, str(chosen))
    mails = everything
    if selected is not None:
        is_kept = any(mailbox.id == selected.id for mailbox in kept)
        mails = (
            [mail for mail in everything if mail.mailbox_id == selected.id]
            if is_kept
            else await list_messages(context, viewer, MessageQuery(mailbox_ids=[selected.id]))
        )
        kept = kept if is_kept else [selected, *kept]
    return InboxView(
        rows=tuple(_row(mailbox, everything if mailbox is not selected else mails) for mailbox in kept),
        mails=tuple(mails[:shown]),
        older=max(0, len(mails) - shown),
        chosen=chosen,
        selected=selected,
        message_id=message_id,
        total=len(everything),
    )


async def _mailbox(context: Context, viewer: Viewer, kept: list[Mailbox], mailbox_id: str) -> Mailbox:
    viewer.must_satisfy(may("mailboxes:read"))
    found = next((mailbox for mailbox in kept if mailbox.id == mailbox_id), None)
    return found or await find_mailbox(context, viewer, mailbox_id)


def _last_moved(mailbox: Mailbox) -> datetime:
    return max(mailbox.created_at, mailbox.last_received_at or mailbox.created_at)


def _row(mailbox: Mailbox, mails: list[Message]) -> MailboxRow:
    own = [mail for mail in mails if mail.mailbox_id == mailbox.id]
    return MailboxRow(mailbox, len(own), next((mail for mail in own if mail.verification), None))
