"""What a credential is bound to, as a condition."""

from typing import Any

from sqlalchemy import ColumnElement, select

from kaisoumail.model.access import Grant
from kaisoumail.storage.engine.schema import mailboxes


def within(grant: Grant, mailbox_id: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """That *mailbox_id* is what *grant* is bound to, or lies in its domain; nothing for a grant that is not bound."""
    if grant.mailbox_id is not None:
        return [mailbox_id == grant.mailbox_id]
    if grant.domain_id is not None:
        return [mailbox_id.in_(select(mailboxes.c.id).where(mailboxes.c.domain_id == grant.domain_id))]
    return []
