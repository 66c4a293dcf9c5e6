"""Reading the audit log (admins all of it, other users what concerns them), and writing lines for workflows."""

from dataclasses import dataclass, replace
from typing import Any

from kaisoumail.model.audit import Entry, Target, audit_entry
from kaisoumail.model.user import UNKNOWN_CLIENT, Viewer
from kaisoumail.storage.tables import audit
from kaisoumail.storage.tables.audit import AuditFilter
from kaisoumail.workflows.context import Context

__all__ = ["AuditFilter", "Page", "list_entries", "note"]


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines, newest first; *next_seq* is where the older ones begin, None at the end."""

    entries: list[Entry]
    next_seq: int | None


async def list_entries(context: Context, viewer: Viewer, audit_filter: AuditFilter) -> Page:
    """
    At most *audit_filter.limit* lines of the log: for an admin of all lines, for others of those that concern them.

    Only admins see from where another user acted, and with which credential.
    """
    one_more = replace(audit_filter, limit=audit_filter.limit + 1, concerning=None if viewer.is_admin else viewer.id)
    found = await context.database.read(lambda connection: audit.listed(connection, one_more))
    shown = [_redacted_for(viewer, entry) for entry in found[: audit_filter.limit]]
    return Page(shown, shown[-1].seq if len(found) > audit_filter.limit else None)


def _redacted_for(viewer: Viewer, entry: Entry) -> Entry:
    if viewer.is_admin or entry.actor_id == viewer.id:
        return entry
    return replace(entry, credential_id=None, visit=UNKNOWN_CLIENT)


async def note(context: Context, viewer: Viewer, action: str, target: Target, /, **details: Any) -> None:
    """
    Write the audit line of an *action* on *target* that *viewer* requested, before the action runs.

    For actions of a workflow, whose outcome is in the history of its domain. An action of one transaction writes its
    line in that transaction instead.
    """
    entry = audit_entry(viewer, action, context.clock(), target, **details)
    await context.database.write(lambda connection: audit.add(connection, entry))
