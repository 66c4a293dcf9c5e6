"""Builds the context of operations and jobs from the settings."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

from kaisoumail.cloudflare.client import Cloudflare, WaitLimits
from kaisoumail.mail_reading.processes import ProcessReaders, ThreadReaders
from kaisoumail.model.clock import utc_now
from kaisoumail.model.quota import Quotas
from kaisoumail.operations.bootstrap import ensure_first_admin
from kaisoumail.public_dns.resolver import Resolver
from kaisoumail.server.data import folder_of
from kaisoumail.settings import Settings
from kaisoumail.settings.cloudflare_groups import CloudflareSettings, OutboundSettings
from kaisoumail.settings.groups import AccessSettings, MailboxSettings
from kaisoumail.storage.blobs import FileBlobs
from kaisoumail.storage.data_folder import DataFolder
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
from kaisoumail.workflows.context import CleanupLimits, CloudflareAccess, Context, Limits, Policy, SessionLimits, Stores
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
    storage, resolver = settings.storage, settings.outbound.dns_resolver
    folder = folder_of(settings)
    folder.tighten()
    async with AsyncExitStack() as stack:
        signals = await open_signals(folder.database_url)
        stack.push_async_callback(signals.close)
        database = open_database(folder.database_url, signals.wake, storage.lock_timeout_seconds)
        stack.push_async_callback(database.close)
        await schema_migration.migrate(database)
        readers = ProcessReaders() if settings.mailboxes.reader_processes_enabled else ThreadReaders()
        stack.push_async_callback(readers.close)
        context = Context(
            database=database,
            clock=utc_now,
            stores=_stores(stack, settings, folder, database, signals),
            policy=_policy(settings),
            runs=Engine(
                with_limits_of_libpq(folder.workflows_url),
                process_id=process_id,
                timing=Timing(beat=storage.dead_after_seconds / 5, dead_after=storage.dead_after_seconds),
            ),
            readers=readers,
            cloudflare=_cloudflare_access(stack, settings.cloudflare, settings.outbound, database),
            resolver=Resolver(*resolver, utc_now) if resolver else None,
        )
        signals.when(ACCESS, context.stores.viewers.forget)
        await _ensure_first_admin(context, settings.access)
        yield context


@asynccontextmanager
async def open_cloudflare(settings: Settings, token: str) -> AsyncIterator[Cloudflare]:
    """Cloudflare's API with *token*, for a command beside the server: it shares no limiter with other processes."""
    outbound = settings.outbound
    cloudflare = Cloudflare(outbound.api_url, token, wait_limits=WaitLimits(outbound.timeout_seconds))
    try:
        yield cloudflare
    finally:
        await cloudflare.close()


async def _ensure_first_admin(context: Context, access: AccessSettings) -> None:
    if access.bootstrap_email and access.bootstrap_key:
        await ensure_first_admin(context, access.bootstrap_email, access.bootstrap_name, access.bootstrap_key)


def _stores(
    stack: AsyncExitStack, settings: Settings, folder: DataFolder, database: Database, signals: Signals
) -> Stores:
    ledger = RejectionLedger(database)
    stack.push_async_callback(ledger.written)
    blobs = FileBlobs(folder.blobs)
    return Stores(
        Intake(database, _quotas(settings.mailboxes)),
        blobs,
        UncertainBlobs(database, blobs),
        DiskGuard((folder.path, folder.blobs), settings.storage.min_free_bytes),
        ledger,
        signals,
    )


def _cloudflare_access(
    stack: AsyncExitStack, settings: CloudflareSettings, outbound: OutboundSettings, database: Database
) -> CloudflareAccess:
    client = None
    if settings.api_token is not None and settings.management_enabled:
        client = Cloudflare(
            outbound.api_url,
            settings.api_token,
            limiter=CloudflareLimiter(database, utc_now, outbound.request_budget / _BUDGET_SECONDS),
            wait_limits=WaitLimits(outbound.timeout_seconds, outbound.max_retry_after_seconds),
        )
        stack.push_async_callback(client.close)
    opinions = _second_opinions(settings, outbound, database)
    if opinions is not None:
        stack.push_async_callback(opinions.close)
    return CloudflareAccess(settings.management_enabled, client, settings.account_id, settings.worker_name, opinions)


def _second_opinions(
    settings: CloudflareSettings, outbound: OutboundSettings, database: Database
) -> SecondOpinions | None:
    """None unless configured. It has its own client: a rate limit of the model must not pause the work on domains."""
    if not (settings.workers_ai_enabled and settings.api_token and settings.account_id):
        return None
    cloudflare = Cloudflare(
        outbound.api_url,
        settings.api_token,
        wait_limits=WaitLimits(outbound.timeout_seconds, outbound.max_retry_after_seconds),
        sends_message_text=True,
    )
    return SecondOpinions(database, cloudflare, settings.account_id, settings.workers_ai_model, utc_now)


def _policy(settings: Settings) -> Policy:
    access, http = settings.access, settings.http
    limits = Limits(
        settings.mailboxes.default_ttl_minutes,
        settings.mailboxes.max_message_bytes,
        settings.storage.rejections_retention_days,
        SessionLimits(
            timedelta(minutes=access.session_lifetime_minutes), timedelta(minutes=access.session_idle_minutes)
        ),
        settings.storage.audit_retention_days,
        quotas=_quotas(settings.mailboxes),
        cleanup=CleanupLimits(
            timedelta(minutes=settings.cleanup.expired_grace_minutes),
            settings.cleanup.cleanup_batch_size,
            timedelta(minutes=settings.cleanup.idle_subdomain_grace_minutes),
            settings.cleanup.subdomain_cleanup_batch_size,
        ),
    )
    return Policy(
        limits,
        access.session_secret,
        access.retired_secrets,
        http.trusted_origins,
        access.meta_names_domains,
        http.cookies_are_secure,
    )


def _quotas(settings: MailboxSettings) -> Quotas:
    return Quotas(settings.per_user, settings.stored_bytes_per_user, settings.messages_per_mailbox)
