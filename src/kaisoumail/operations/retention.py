"""
Retention: one table of how long rows and files stay, and the sweep that removes older ones.

`docs/how-it-works/retention.md` has the same table; a test compares the two, and another one ensures that no database
table is left out.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Column, Table

from kaisoumail.errors import Problem
from kaisoumail.operations.messages import remove_bytes_of_deleted
from kaisoumail.operations.orphaned_files import remove_orphaned_files
from kaisoumail.storage.engine import schema
from kaisoumail.storage.tables import zone_creations
from kaisoumail.storage.tables.aged_rows import AgedRows, forget_older
from kaisoumail.storage.tables.mailboxes import was_refused
from kaisoumail.workflows.context import Context, Limits
from kaisoumail.workflows.engine.prune_runs import prune_runs

_BATCH: Final = 200  # rows in one transaction: a message that arrives meanwhile waits for some milliseconds
_log: Final = structlog.get_logger("kaisoumail.retention")


@dataclass(frozen=True, slots=True)
class Rule:
    """
    How long one *kind* stays after *counted_from*; *remove* then removes it and returns how many.

    *kept* is that time, or the field of `Limits` with it in days; its variable has the same name in capitals.
    """

    kind: str
    kept: timedelta | str
    counted_from: str
    remove: Callable[[Context, timedelta], Awaitable[int]]
    table: Table | None = None

    def age(self, limits: Limits) -> timedelta:
        return timedelta(days=getattr(limits, self.kept)) if isinstance(self.kept, str) else self.kept


def _rows(kind: str, kept: timedelta | str, counted_from: str, since: Column[Any] | AgedRows) -> Rule:
    """The rule for rows: those of a table, whose age is counted from the column *since*, or some of them."""
    rows = since if isinstance(since, AgedRows) else AgedRows(_table_of(since), since)

    async def remove(context: Context, age: timedelta) -> int:
        removed = 0
        while count := await context.database.write(partial(forget_older, rows=rows, age=age, limit=_BATCH)):
            removed += count
        return removed

    return Rule(kind, kept, counted_from, remove, rows.table)


def _table_of(column: Column[Any]) -> Table:
    assert isinstance(column.table, Table)
    return column.table


async def _bytes_of_deleted(context: Context, _age: timedelta) -> int:
    return await remove_bytes_of_deleted(context)


async def _shown_runs(context: Context, age: timedelta) -> int:
    return await prune_runs(context.database, age, shown=True)


async def _other_runs(context: Context, age: timedelta) -> int:
    return await prune_runs(context.database, age, shown=False)


_AT_ONCE: Final = timedelta(0)
_DAY: Final = timedelta(days=1)

_AUDIT_LINES: Final = AgedRows(schema.audit, schema.audit.c.at, found_by=schema.audit.c.seq)
_REFUSED_MAILBOXES: Final = AgedRows(schema.mailboxes, schema.mailboxes.c.destroyed_at, only=was_refused)
_NOTES_OF_ZONES: Final = AgedRows(schema.facts, schema.facts.c.updated_at, only=zone_creations.is_note)

HOURLY: Final = (
    _rows("audit lines", "audit_retention_days", "what they tell of", _AUDIT_LINES),
    _rows("domain events", "audit_retention_days", "what they tell of", schema.domain_events.c.at),
    _rows("refusals", "rejections_retention_days", "the refusal", schema.rejections.c.at),
    _rows("revoked API keys", "audit_retention_days", "their revocation", schema.api_keys.c.revoked_at),
    _rows("expired API keys", "audit_retention_days", "their end", schema.api_keys.c.expires_at),
    _rows("revoked passkeys", "audit_retention_days", "their revocation", schema.passkeys.c.revoked_at),
    _rows("sessions", _DAY, "their end", schema.sessions.c.expires_at),
    _rows("passkey challenges", _AT_ONCE, "their end", schema.challenges.c.expires_at),
    _rows("destroyed mailboxes", 7 * _DAY, "their destruction", schema.mailboxes.c.destroyed_at),
    _rows("mailboxes that Cloudflare refused", _AT_ONCE, "their destruction", _REFUSED_MAILBOXES),
    _rows("deleted messages", 30 * _DAY, "their deletion", schema.messages.c.deleted_at),
    Rule("binds that ended", "audit_retention_days", "their end", _shown_runs, schema.runs),
    Rule("other runs that ended", _DAY, "their end", _other_runs, schema.runs),
    _rows("notes of zones to create", "audit_retention_days", "the last request", _NOTES_OF_ZONES),
    Rule("bytes of deleted messages", _AT_ONCE, "their deletion", _bytes_of_deleted),
)
DAILY: Final = (Rule("files of no message", _DAY, "their last change", remove_orphaned_files),)

BOUNDED: Final = {
    "users": "one for each person an admin adds",
    "domains": "one for each name an admin ever bound; who binds it again uses it again",
    "domain_routing": "one for each domain; each look at the zone takes the place of the one before",
    "subdomains": "one for each host that has mail records at Cloudflare; one without a mailbox goes after "
    "`IDLE_SUBDOMAIN_GRACE_MINUTES`",
    "raw_messages": "the bytes of a message, which go with it",
    "changes": "one for each message, mailbox and domain; a later change takes the place of the one before",
    "processes": "one for each process that runs; who takes over what a dead one left removes its row",
    "buckets": "only those drawn from in the last five minutes are kept, by a look each minute",
}
"""By table, why it needs no retention."""


async def sweep(context: Context, rules: Sequence[Rule]) -> dict[str, int]:
    """
    Remove what is older than *rules* allow; the number removed of each kind, also as one line of the log.

    When one kind cannot be removed now, the others still are.
    """
    removed: dict[str, int] = {}
    for rule in rules:
        try:
            count = await rule.remove(context, rule.age(context.policy.limits))
        except Problem as problem:
            _log.warning("retention.failed", kind=rule.kind, code=problem.code, reason=problem.message)
        else:
            removed |= {rule.kind: count} if count else {}
    if removed:
        _log.info("retention.removed", **{kind.replace(" ", "_"): count for kind, count in removed.items()})
    return removed
