"""Builds the context of operations and jobs from the settings."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.mail_reading.processes import ProcessReaders, ThreadReaders
from kaisoumail.model.clock import utc_now
from kaisoumail.model.quota import Quotas
from kaisoumail.operations.bootstrap import ensure_first_admin
from kaisoumail.public_dns.resolver import Resolver
from kaisoumail.settings import Settings
from kaisoumail.storage.blobs import FileBlobs
from kaisoumail.storage.data_folder import DataFolder, data_folder
from kaisoumail.storage.disk_guard import DiskGuard
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.engine.postgres_sessions import with_limits_of_libpq
from kaisoumail.storage.engine.postgres_signals import open_signals
from kaisoumail.storage.engine.signals import ACCESS, Signals
from kaisoumail.storage.intake import Intake
from kaisoumail.storage.tables.rejections import RejectionLedger
from kaisoumail.storage.uncertain_blobs import UncertainBlobs
from kaisoumail.workflows.cloudflare_limiter import CloudflareLimiter
from kaisoumail.workflows.context import CloudflareAccess, Context, Limits, Policy, Stores
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.engine.timing import Timing
from kaisoumail.workflows.second_opinions import SecondOpinions

_BUDGET_SECONDS: Final = 300


@asynccontextmanager
async def open_context(settings: Settings, process_id: str = "") -> AsyncIterator[Context]:
    """
    The context, with the database migrated and the first admin created. One-off commands pass no *process_id*.

    Raises Problem `storage_unavailable` for a folder or a database that cannot be used, `invalid_request` for an
    invalid DATABASE_URL.
    """
    folder = data_folder(settings.data_dir, settings.database_url, settings.blob_store_url)
    folder.tighten()
    async with AsyncExitStack() as stack:
        signals = await open_signals(folder.database_url)
        stack.push_async_callback(signals.close)
        database = open_database(folder.database_url, signals.wake, settings.database_patience)
        stack.push_async_callback(database.close)
        await schema_migration.migrate(database)
        readers = ProcessReaders() if settings.reader_processes else ThreadReaders()
        stack.push_async_callback(readers.close)
        context = Context(
            database=database,
            clock=utc_now,
            stores=_stores(stack, settings, folder, database, signals),
            policy=_policy(settings),
            runs=Engine(
                with_limits_of_libpq(folder.workflows_url),
                process_id=process_id,
                timing=Timing(beat=settings.dead_after / 5, dead_after=settings.dead_after),
            ),
            readers=readers,
            cloudflare=_cloudflare_access(stack, settings, database),
            resolver=Resolver(*settings.public_dns_resolver, utc_now) if settings.public_dns_resolver else None,
        )
        signals.when(ACCESS, context.stores.viewers.forget)
        if settings.bootstrap_email and settings.bootstrap_key:
            await ensure_first_admin(context, settings.bootstrap_email, settings.bootstrap_name, settings.bootstrap_key)
        yield context


def _stores(
    stack: AsyncExitStack, settings: Settings, folder: DataFolder, database: Database, signals: Signals
) -> Stores:
    ledger = RejectionLedger(database)
    stack.push_async_callback(ledger.written)
    blobs = FileBlobs(folder.blobs)
    return Stores(
        Intake(database, _quotas(settings)),
        blobs,
        UncertainBlobs(database, blobs),
        DiskGuard((folder.path, folder.blobs), settings.min_free_bytes),
        ledger,
        signals,
    )


def _cloudflare_access(stack: AsyncExitStack, settings: Settings, database: Database) -> CloudflareAccess:
    client = None
    if settings.cloudflare_token is not None and settings.management_enabled:
        client = Cloudflare(
            settings.cloudflare_api,
            settings.cloudflare_token,
            limiter=CloudflareLimiter(database, utc_now, settings.request_budget / _BUDGET_SECONDS),
            timeout=settings.cloudflare_timeout,
            max_retry_after=settings.max_retry_after,
        )
        stack.push_async_callback(client.close)
    opinions = _second_opinions(settings, database)
    if opinions is not None:
        stack.push_async_callback(opinions.close)
    return CloudflareAccess(settings.management_enabled, client, settings.account_id, settings.worker_name, opinions)


def _second_opinions(settings: Settings, database: Database) -> SecondOpinions | None:
    """None unless configured. It has its own client: a rate limit of the model must not pause the work on domains."""
    if not (settings.asks_workers_ai and settings.cloudflare_token and settings.account_id):
        return None
    cloudflare = Cloudflare(
        settings.cloudflare_api,
        settings.cloudflare_token,
        timeout=settings.cloudflare_timeout,
        max_retry_after=settings.max_retry_after,
        sends_mail=True,
    )
    return SecondOpinions(database, cloudflare, settings.account_id, settings.workers_ai_model, utc_now)


def _policy(settings: Settings) -> Policy:
    limits = Limits(
        settings.default_ttl_minutes,
        settings.max_message_bytes,
        settings.rejections_kept_days,
        timedelta(minutes=settings.session_minutes),
        timedelta(minutes=settings.session_idle_minutes),
        settings.audit_kept_days,
        quotas=_quotas(settings),
    )
    return Policy(
        limits,
        settings.session_secret,
        settings.retired_secrets,
        settings.trusted_origins,
        settings.meta_names_domains,
        settings.cookies_are_secure,
    )


def _quotas(settings: Settings) -> Quotas:
    return Quotas(
        settings.mailboxes_per_user, settings.stored_megabytes_per_user * 1_000_000, settings.messages_per_mailbox
    )
