"""What is older than its kind is kept goes, what is younger stays; on both databases, by the database's clock."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select
from structlog.testing import capture_logs

from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import UNKNOWN_RULE, MailboxStatus
from kaisoumail.operations.orphaned_files import remove_orphaned_files
from kaisoumail.operations.retention import HOURLY, Rule, sweep
from kaisoumail.storage.engine import schema
from kaisoumail.storage.intake import IncomingMessage, store_all
from kaisoumail.storage.tables import domain_events, key_values, mailboxes, messages, zone_creations
from kaisoumail.storage.tables.domain_events import DomainEvent
from kaisoumail.workflows.context import Context
from tests.builders import DEMO, a_mailbox, a_message
from tests.contexts import a_context
from tests.database_clock import DatabaseClock
from tests.people import ADA, NOON

DAY = timedelta(days=1)
MAILBOX = a_mailbox()
BY_KIND = {rule.kind: rule for rule in HOURLY}


@dataclass
class Stage:
    context: Context
    clock: DatabaseClock
    blobs: Path

    async def number(self, table: Table) -> int:
        counted = select(func.count()).select_from(table)
        number: int = await self.context.database.read(lambda c: c.execute(counted).scalar_one())
        return number

    async def insert(self, table: Table, *rows: dict[str, Any]) -> None:
        await self.context.database.write(lambda c: c.execute(insert(table), list(rows)) and None)


Story = Callable[[Stage], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path, database_url: str, database_clock: DatabaseClock) -> Callable[[Story], None]:
    @asynccontextmanager
    async def stage() -> AsyncIterator[Stage]:
        opened = a_context(tmp_path, MAILBOX, database_url=database_url, database_clock=database_clock)
        async with opened as context:
            yield Stage(context, database_clock, tmp_path / "blobs")

    async def played(story: Story) -> None:
        async with stage() as opened:
            await story(opened)

    return lambda story: asyncio.run(played(story))


def _aged(kind: str, number: int) -> dict[str, Any]:
    """The row number *number* of this kind, whose age counts from noon."""
    row_id = f"row_{number}"
    user = {"id": row_id, "user_id": ADA.id, "created_at": NOON}
    key = {**user, "name": "CI", "prefix": "cfm_", "key_hash": row_id, "scopes": []}
    rows: dict[str, dict[str, Any]] = {
        "audit lines": {"at": NOON, "actor": "ada@people.example", "action": "key.create", "details": {}},
        "domain events": {"id": row_id, "domain_id": DEMO.id, "at": NOON, "kind": "ready", "details": {}},
        "refusals": {"id": row_id, "at": NOON, "door": "smtp", "sender": "a@b.example", "recipient": "", "code": "c"},
        "revoked API keys": {**key, "revoked_at": NOON},
        "expired API keys": {**key, "expires_at": NOON},
        "revoked passkeys": {
            **user,
            "name": "Laptop",
            "credential_id": row_id,
            "public_key": b"",
            "counter": 0,
            "device_type": "singleDevice",
            "backed_up": False,
            "transports": [],
            "revoked_at": NOON,
        },
        "sessions": {**user, "token_hash": row_id, "expires_at": NOON},
        "passkey challenges": {"id": row_id, "kind": "registration", "challenge": b"", "expires_at": NOON},
        "destroyed mailboxes": {
            **user,
            "domain_id": DEMO.id,
            "local_part": "ada",
            "subdomain": "mail",
            "root_domain": "demo.example",
            "address": "ada@gone.demo.example",
            "source": "registered",
            "status": MailboxStatus.DESTROYED.value,
            "destroyed_at": NOON,
        },
        "mailboxes that Cloudflare refused": {
            **user,
            "domain_id": DEMO.id,
            "local_part": "ada",
            "subdomain": "gone",
            "root_domain": "demo.example",
            "address": "ada@gone.demo.example",
            "source": "registered",
            "status": MailboxStatus.DESTROYED.value,
            "routing_rule_id": UNKNOWN_RULE,
            "destroyed_at": NOON,
        },
        "notes of zones to create": {"key": f"zone_creation:{number}", "value": "a.example", "updated_at": NOON},
        "deleted messages": messages.columns_of(replace(a_message(MAILBOX), id=row_id, delivery_key=row_id))
        | {"deleted_at": NOON, "raw_location": messages.IN_ROW},
    }
    return rows[kind]


# Runs go with what the engine keeps of them: tests/workflows/test_runs_survive.py.
ROW_RULES = [rule for rule in HOURLY if rule.table is not None and rule.table is not schema.runs]


@pytest.mark.parametrize("rule", ROW_RULES, ids=lambda rule: rule.kind)
def test_each_kind_goes_when_it_is_old_and_not_before(play: Callable[[Story], None], rule: Rule) -> None:
    async def story(stage: Stage) -> None:
        assert rule.table is not None
        before = await stage.number(rule.table)
        await stage.insert(rule.table, *(_aged(rule.kind, number) for number in range(450)))
        age = rule.age(stage.context.policy.limits)

        stage.clock.move(seconds=age.total_seconds())
        young = await sweep(stage.context, HOURLY)
        stage.clock.move(seconds=1)
        with capture_logs() as lines:
            old = await sweep(stage.context, HOURLY)

        assert (young, old) == ({}, {rule.kind: 450})
        assert [line[rule.kind.replace(" ", "_")] for line in lines if line["event"] == "retention.removed"] == [450]
        assert await stage.number(rule.table) == before

    play(story)


def test_what_is_still_somebodys_stays_for_ever(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        live = dict.fromkeys(("revoked_at", "expires_at"))
        await stage.insert(schema.api_keys, _aged("revoked API keys", 1) | live)
        kept = IncomingMessage(a_message(MAILBOX), b"raw")
        await stage.context.database.write(lambda c: store_all(c, [kept]) and None)
        counted = [schema.api_keys, schema.mailboxes, schema.messages, schema.raw_messages, schema.changes]
        before = [await stage.number(table) for table in counted]

        stage.clock.move(days=4000)
        removed = await sweep(stage.context, HOURLY)

        assert removed == {}
        assert [await stage.number(table) for table in counted] == before

    play(story)


def test_a_mailbox_that_cloudflare_refused_is_destroyed_and_goes_with_the_next_sweep(
    play: Callable[[Story], None],
) -> None:
    async def story(stage: Stage) -> None:
        write, read = stage.context.database.write, stage.context.database.read
        refused = replace(a_mailbox("bob@mail.demo.example"), status=MailboxStatus.PROVISIONING)
        await write(lambda c: mailboxes.add(c, refused))
        await write(lambda c: mailboxes.give_up(c, refused.id))
        for mailbox in (MAILBOX, refused):
            await write(lambda c, mailbox=mailbox: mailboxes.begin_to_destroy(c, mailbox.id))  # type: ignore[misc]
            await write(lambda c, mailbox=mailbox: mailboxes.end_destroying(c, mailbox.id, NOON))  # type: ignore[misc]
        shown = await read(lambda c: mailboxes.find(c, refused.id))

        stage.clock.move(seconds=1)
        removed = await sweep(stage.context, HOURLY)

        assert shown is not None
        assert shown.status is MailboxStatus.DESTROYED
        assert removed == {"mailboxes that Cloudflare refused": 1}
        assert await read(lambda c: mailboxes.find(c, MAILBOX.id)) is not None

    play(story)


def test_the_keys_that_are_overwritten_stay(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        await stage.context.database.write(lambda c: key_values.put(c, "cloudflare_zones", []) and None)
        await stage.context.database.write(lambda c: zone_creations.note(c, "asked.example"))

        stage.clock.move(days=4000)

        assert await sweep(stage.context, HOURLY) == {"notes of zones to create": 1}
        assert await stage.number(schema.facts) == 1

    play(story)


def test_the_process_whose_clock_is_ahead_forgets_nothing_early(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        await stage.context.database.write(lambda c: domain_events.add(c, DomainEvent(DEMO.id, NOON, "ready")))
        ahead = replace(stage.context, clock=lambda: NOON + 4000 * DAY)

        assert await sweep(ahead, HOURLY) == {}

    play(story)


def test_where_one_kind_cannot_be_removed_the_others_are(play: Callable[[Story], None]) -> None:
    async def refuse(_context: Context, _age: timedelta) -> int:
        raise Problem("storage_unavailable", "not just now")

    async def story(stage: Stage) -> None:
        await stage.insert(schema.challenges, _aged("passkey challenges", 1))
        stage.clock.move(days=1)
        rules = (replace(BY_KIND["audit lines"], remove=refuse), BY_KIND["passkey challenges"])

        with capture_logs() as lines:
            removed = await sweep(stage.context, rules)

        assert removed == {"passkey challenges": 1}
        assert [line["kind"] for line in lines if line["event"] == "retention.failed"] == ["audit lines"]

    play(story)


def _large(number: int) -> IncomingMessage:
    message_id = f"msg_{number:030x}3f"
    message = replace(a_message(MAILBOX), id=message_id, delivery_key=message_id, raw_location=f"{message_id}.zst")
    return IncomingMessage(message, None)


def _stored(stage: Stage, name: str, days: float, folder: str = "3f") -> Path:
    """A file in the blob store, written so many *days* after noon."""
    path = stage.blobs / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"bytes")
    written_at = (NOON + days * DAY).timestamp()
    os.utime(path, (written_at, written_at))
    return path


async def _at_once() -> None:
    return None


def test_files_that_belong_to_no_message_go_after_a_day(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        context = replace(stage.context, clock=lambda: NOON + 10 * DAY)
        kept = _large(1)
        await context.database.write(lambda c: store_all(c, [kept]) and None)
        stay = [
            _stored(stage, kept.message.raw_location, 8),
            _stored(stage, _large(2).message.raw_location, 9.5),
            _stored(stage, ".msg_2.zst.0badc0de", 9.5),
            _stored(stage, _large(3).message.raw_location, -1),
            _stored(stage, "notes", 8),
        ]
        go = [
            _stored(stage, _large(4).message.raw_location, 8),
            _stored(stage, ".msg_5.zst.0badc0de", 8),
            _stored(stage, "msg_6.eml", 8, folder="st"),
        ]

        with capture_logs() as lines:
            removed = await remove_orphaned_files(context, DAY, _at_once)

        assert removed == 3
        assert [path.exists() for path in stay] == [True] * 5
        assert [path.exists() for path in go] == [False] * 3
        assert [line["count"] for line in lines if line["event"] == "retention.files_of_another_database"] == [1]

    play(story)


def test_a_file_whose_row_comes_after_the_first_look_stays(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        context = replace(stage.context, clock=lambda: NOON + 10 * DAY)
        late = _large(1)
        path = _stored(stage, late.message.raw_location, 1)

        async def row_is_written() -> None:
            await context.database.write(lambda c: store_all(c, [late]) and None)

        assert await remove_orphaned_files(context, DAY, row_is_written) == 0
        assert path.exists()

    play(story)


def test_a_database_without_users_removes_no_file(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        context = replace(stage.context, clock=lambda: NOON + 10 * DAY)
        path = _stored(stage, _large(1).message.raw_location, 1)
        await context.database.write(lambda c: c.execute(schema.users.delete()) and None)

        assert await remove_orphaned_files(context, DAY, _at_once) == 0
        assert path.exists()

    play(story)
