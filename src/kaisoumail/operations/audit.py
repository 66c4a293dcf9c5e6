"""The audit log: all of it for admins, what concerns them for everybody; and the lines that operations leave in it."""

from dataclasses import dataclass, replace
from typing import Any

from kaisoumail.model.audit import Entry, did
from kaisoumail.model.user import UNKNOWN_CLIENT, Viewer
from kaisoumail.storage.tables import audit
from kaisoumail.storage.tables.audit import AuditFilter
from kaisoumail.workflows.context import Context

__all__ = ["AuditFilter", "Page", "list_entries", "note"]


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines, newest first; *next_seq* asks for those before them, None at the end."""

    entries: list[Entry]
    next_seq: int | None


async def list_entries(context: Context, viewer: Viewer, wanted: AuditFilter) -> Page:
    """
    At most *wanted.limit* lines of the log; of what others than admins may see, those that concern the viewer.

    Where somebody else acted from, and with which credential, is for admins.
    """
    one_more = replace(wanted, limit=wanted.limit + 1, concerning=None if viewer.is_admin else viewer.id)
    found = await context.database.read(lambda connection: audit.listed(connection, one_more))
    shown = [_shown_to(viewer, entry) for entry in found[: wanted.limit]]
    return Page(shown, shown[-1].seq if len(found) > wanted.limit else None)


def _shown_to(viewer: Viewer, entry: Entry) -> Entry:
    if viewer.is_admin or entry.actor_id == viewer.id:
        return entry
    return replace(entry, credential_id=None, visit=UNKNOWN_CLIENT)


async def note(
    context: Context,
    viewer: Viewer,
    action: str,
    target_id: str | None,
    target: str | None = None,
    *,
    owner_id: str | None = None,
    **details: Any,
) -> None:
    """
    Keep that *viewer* asked for *action*, before it is done.

    For what a workflow does, whose outcome stands in the history of its domain; what is one transaction leaves
    its line there.
    """
    entry = did(viewer, action, context.clock(), target_id, target, owner_id=owner_id, **details)
    await context.database.write(lambda connection: audit.add(connection, entry))
