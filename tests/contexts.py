"""A real context on a database of its own, for tests of one room; nothing of Cloudflare, no runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kaisoumail.mail_reading.processes import ThreadReaders
from kaisoumail.model.clock import Clock
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.quota import NO_QUOTAS, Quotas
from kaisoumail.storage.blobs import FileBlobs
from kaisoumail.storage.disk_guard import DiskGuard
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.signals import LocalSignals
from kaisoumail.storage.intake import Intake
from kaisoumail.storage.tables import domains, mailboxes, users
from kaisoumail.storage.tables.rejections import RejectionLedger
from kaisoumail.storage.uncertain_blobs import UncertainBlobs
from kaisoumail.workflows.context import Context, Limits, Policy, Stores
from kaisoumail.workflows.engine.engine import Engine
from tests.builders import DEMO
from tests.migrated import put_sqlite
from tests.people import EVERYBODY, NOON


@asynccontextmanager
async def a_context(
    folder: Path,
    *kept: Mailbox,
    clock: Clock = lambda: NOON,
    database_clock: Clock | None = None,
    max_message_bytes: int = 1_000_000,
    database_url: str | None = None,
    trusted_origins: tuple[str, ...] = (),
    quotas: Quotas = NO_QUOTAS,
) -> AsyncIterator[Context]:
    """
    The cast, one active domain, and the mailboxes *kept*; the clock stands at noon. SQLite, unless told.

    SQLite's clock is the same one, unless there is a *database_clock*.
    """
    signals, readers = LocalSignals(), ThreadReaders()
    url = database_url or f"sqlite:///{folder / 'kaisoumail.db'}"
    if database_url is None:
        put_sqlite(folder / "kaisoumail.db")
    database = open_database(url, signals.wake, clock=database_clock or clock)
    blobs = FileBlobs(folder / "blobs")
    try:
        await schema_migration.migrate(database)
        for viewer in EVERYBODY:
            await database.write(lambda c, user=viewer.user: users.add(c, user))  # type: ignore[misc]
        await database.write(lambda c: domains.save(c, DEMO))
        for mailbox in kept:
            await database.write(lambda c, mailbox=mailbox: mailboxes.add(c, mailbox))  # type: ignore[misc]
        yield Context(
            database,
            clock,
            Stores(
                Intake(database, quotas),
                blobs,
                UncertainBlobs(database, blobs),
                DiskGuard((folder,), 0),
                RejectionLedger(database),
                signals,
            ),
            Policy(
                Limits(60, max_message_bytes, quotas=quotas),
                "a-session-secret-for-tests",
                trusted_origins=trusted_origins,
            ),
            Engine(f"sqlite:///{folder / 'workflows.db'}", "test"),
            readers,
        )
    finally:
        await readers.close()
        await database.close()
