"""The mailbox or domain that a credential is bound to, as conditions of a query."""

from typing import Any

from sqlalchemy import ColumnElement, select

from kaisoumail.model.access import Grant
from kaisoumail.storage.engine.schema import mailboxes


def within(grant: Grant, mailbox_id: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Conditions: *mailbox_id* is the mailbox of *grant*, or is in its domain; none for a grant that is not bound."""
    if grant.mailbox_id is not None:
        return [mailbox_id == grant.mailbox_id]
    if grant.domain_id is not None:
        return [mailbox_id.in_(select(mailboxes.c.id).where(mailboxes.c.domain_id == grant.domain_id))]
    return []
