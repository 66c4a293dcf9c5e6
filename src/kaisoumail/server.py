"""
Wiring, and nothing else: from settings to a running server.

Shared by `serve`, `demo` and the end-to-end tests, so that what is tested is what runs.
"""

import gc
import importlib.metadata
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from kaisoumail.api import app as api
from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.http import problems, server
from kaisoumail.http.admission import Gate
from kaisoumail.http.cors import CorsRules
from kaisoumail.http.limits import HttpLimits
from kaisoumail.http.middleware import Edges
from kaisoumail.http.requests_in_progress import RequestsInProgress
from kaisoumail.mail_reading.processes import ProcessReaders, ThreadReaders
from kaisoumail.model.clock import iso, utc_now
from kaisoumail.model.quota import Quotas
from kaisoumail.model.refusal_log import RefusalLog
from kaisoumail.model.token_bucket import Rate
from kaisoumail.network.connection_budget import ConnectionBudget, ConnectionLimits
from kaisoumail.network.descriptors import (
    LEAST_DESCRIPTORS,
    ConnectionShares,
    connection_shares,
    raise_descriptor_limit,
)
from kaisoumail.network.memory_trim import MemoryTrim
from kaisoumail.operations.bootstrap import ensure_first_admin
from kaisoumail.operations.rate_limits import RateLimits, Rates, forget_full_buckets
from kaisoumail.operations.readiness import Readiness
from kaisoumail.operations.retention import DAILY, HOURLY, sweep
from kaisoumail.public_dns.resolver import Resolver
from kaisoumail.settings import Settings
from kaisoumail.smtp import webhook
from kaisoumail.smtp.listener import Door
from kaisoumail.smtp.session import Manners, SharedLimits
from kaisoumail.storage.blobs import FileBlobs
from kaisoumail.storage.data_folder import data_folder
from kaisoumail.storage.disk_guard import WaterMark
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.connections_left import check_connections_left
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.engine.postgres_sessions import with_limits_of_libpq
from kaisoumail.storage.engine.postgres_signals import open_signals
from kaisoumail.storage.engine.signals import ACCESS
from kaisoumail.storage.engine.workflow_file import check_workflow_file
from kaisoumail.storage.intake import Intake
from kaisoumail.storage.tables.rejections import Ledger
from kaisoumail.storage.tables.token_buckets import buckets_on
from kaisoumail.storage.uncertain_blobs import Unsure
from kaisoumail.web import app as web
from kaisoumail.web import problems as web_problems
from kaisoumail.workflows.cloudflare_limiter import SharedGate
from kaisoumail.workflows.context import Context, Limits, Routing
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.engine.periodic import repeated
from kaisoumail.workflows.jobs import (
    bind_domain,
    delete_domain,
    destroy_mailbox,
    enable_domain,
    open_mailbox,
    provision_domain,
)
from kaisoumail.workflows.jobs.destroy_mailbox import destroy_what_was_left
from kaisoumail.workflows.jobs.open_mailbox import open_what_was_left
from kaisoumail.workflows.jobs.watch_activation import look_at_waiting
from kaisoumail.workflows.second_opinions import SecondOpinions

_BUDGET_SECONDS: Final = 300
_MAX_JSON_BYTES: Final = 1024 * 1024  # of a request to the API or a page; the hand-over has a limit of its own
_KNOWN_SHARE: Final = 4  # one HTTP connection in so many is kept for who proves who it is
_WATCH_SECONDS: Final = 2.0
_TRIM_SECONDS: Final = 20.0
_MINUTE_SECONDS: Final = 60.0
_LEFT_SECONDS: Final = 300.0
_HOUR_SECONDS: Final = 3600.0
_DAY_SECONDS: Final = 24 * _HOUR_SECONDS
# Importing a workflow is what makes it startable.
WORKFLOWS: Final = (bind_domain, enable_domain, provision_domain, delete_domain, open_mailbox, destroy_mailbox)


_log = structlog.get_logger("kaisoumail.server")


class CannotStart(Exception):
    """Why the server cannot run here: one sentence, nothing half done."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    context: Context
    http_port: int
    smtp_port: int | None


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """
    The whole product, answering inside the block and stopped cleanly after it.

    Raises CannotStart for a busy port or too few open files, Problem for a folder that cannot be written or a database
    that cannot be opened; nothing is left behind then.
    """
    async with AsyncExitStack() as stack:
        shares = _connection_shares(settings)
        listener = _listen(settings.host, settings.port)
        stack.callback(listener.close)
        process_id = f"{socket.gethostname()}-{uuid4().hex[:12]}"
        context = await stack.enter_async_context(opened_context(settings, process_id))
        await check_workflow_file(context.runs.url, settings.database_patience)
        await check_connections_left(context.database)
        await stack.enter_async_context(context.runs.running(context, context.database))
        await stack.enter_async_context(repeated(_WATCH_SECONDS, partial(look_at_waiting, context)))
        await stack.enter_async_context(repeated(_HOUR_SECONDS, partial(sweep, context, HOURLY)))
        await stack.enter_async_context(repeated(_DAY_SECONDS, partial(sweep, context, DAILY)))
        await stack.enter_async_context(repeated(_LEFT_SECONDS, partial(destroy_what_was_left, context)))
        await stack.enter_async_context(repeated(_LEFT_SECONDS, partial(open_what_was_left, context)))
        await stack.enter_async_context(repeated(_MINUTE_SECONDS, partial(forget_full_buckets, context)))
        await stack.enter_async_context(repeated(_MINUTE_SECONDS, context.unsure.settle))
        await stack.enter_async_context(repeated(_TRIM_SECONDS, MemoryTrim().trim))
        refusals = RefusalLog()
        smtp_port = await _open_smtp(stack, context, settings, shares.smtp, refusals)
        limits = HttpLimits(_http_budget(settings, shares.http), refusals, settings.trusted_proxies)
        readiness = Readiness(context.database, context.signals, process_id, settings.dead_after)
        app = application(context, settings, refusals, readiness)
        await stack.enter_async_context(server.served(app, listener, limits, context.signals.end))
        _settle_down()
        yield Running(context, int(listener.getsockname()[1]), smtp_port)


def _settle_down() -> None:
    """
    Python's own defaults are for programs that live shorter and wait for fewer threads.

    What was imported and wired is never garbage, so nobody looks for cycles in it any more. A thread that comes back
    from the disk with what a sender waits for gets Python's lock after 1 ms, not 5.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)
    sys.setswitchinterval(0.001)


@asynccontextmanager
async def opened_context(settings: Settings, process_id: str = "") -> AsyncIterator[Context]:
    """The context alone, its database migrated and the first admin made; what one-off commands need, without an id."""
    folder = data_folder(settings.data_dir, settings.database_url, settings.blob_store_url)
    folder.tighten()
    async with AsyncExitStack() as stack:
        signals = await open_signals(folder.database_url)
        stack.push_async_callback(signals.close)
        database = open_database(folder.database_url, signals.wake, settings.database_patience)
        stack.push_async_callback(database.close)
        await schema_migration.migrate(database)
        cloudflare = None
        if settings.cloudflare_token is not None and settings.management_enabled:
            gate = SharedGate(database, utc_now, settings.request_budget / _BUDGET_SECONDS)
            cloudflare = Cloudflare(
                settings.cloudflare_api,
                settings.cloudflare_token,
                gate=gate,
                timeout=settings.cloudflare_timeout,
                max_retry_after=settings.max_retry_after,
            )
            stack.push_async_callback(cloudflare.close)
        opinions = _second_opinions(settings, database)
        if opinions is not None:
            stack.push_async_callback(opinions.close)
        readers = ProcessReaders() if settings.reader_processes else ThreadReaders()
        stack.push_async_callback(readers.close)
        ledger = Ledger(database)
        stack.push_async_callback(ledger.written)
        blobs = FileBlobs(folder.blobs)
        context = Context(
            database=database,
            intake=Intake(database, _quotas(settings)),
            readers=readers,
            blobs=blobs,
            unsure=Unsure(database, blobs),
            water_mark=WaterMark((folder.path, folder.blobs), settings.min_free_bytes),
            ledger=ledger,
            signals=signals,
            runs=Engine(
                with_limits_of_libpq(folder.workflows_url),
                process_id=process_id,
                beat=settings.dead_after / 5,
                dead_after=settings.dead_after,
            ),
            routing=Routing(settings.management_enabled, cloudflare, settings.account_id, settings.worker_name),
            limits=Limits(
                settings.default_ttl_minutes,
                settings.max_message_bytes,
                settings.rejections_kept_days,
                timedelta(minutes=settings.session_minutes),
                timedelta(minutes=settings.session_idle_minutes),
                settings.audit_kept_days,
                quotas=_quotas(settings),
            ),
            clock=utc_now,
            session_secret=settings.session_secret,
            retired_secrets=settings.retired_secrets,
            resolver=Resolver(*settings.public_dns_resolver, utc_now) if settings.public_dns_resolver else None,
            opinions=opinions,
            trusted_origins=settings.trusted_origins,
            names_domains=settings.meta_names_domains,
            secure=settings.cookies_are_secure,
        )
        signals.when(ACCESS, context.key_owners.forget)
        signals.when(ACCESS, context.session_owners.forget)
        if settings.bootstrap_email and settings.bootstrap_key:
            await ensure_first_admin(context, settings.bootstrap_email, settings.bootstrap_name, settings.bootstrap_key)
        yield context


def _second_opinions(settings: Settings, database: Database) -> SecondOpinions | None:
    """With a client of its own: that the model has no time is no reason to leave domains alone."""
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


def application(context: Context, settings: Settings, refusals: RefusalLog, readiness: Readiness) -> Edges:
    """The JSON API, the pages and the webhook door as one ASGI application."""
    bodies = webhook.limits_for(settings.max_message_bytes)
    door = webhook.handover_door(context, settings.inbound_secret, bodies, refusals)
    litestar = Litestar(
        route_handlers=[api.router(), web.router()],
        state=State({"context": context, "readiness": readiness, "release": _release()}),
        exception_handlers={HTTPException: _on_nowhere},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=_MAX_JSON_BYTES,
    )
    cors = CorsRules(settings.trusted_origins, allow_loopback=settings.trusts_loopback)
    limits = RateLimits(_rates(settings), buckets_on(context.database))
    beside = {webhook.PATH: problems.answering(door)}
    in_progress = RequestsInProgress(settings.http_max_connections_per_client)
    return Edges(litestar, cors, Gate(limits, cors), settings.trusted_proxies, beside, in_progress)


def _quotas(settings: Settings) -> Quotas:
    return Quotas(
        settings.mailboxes_per_user, settings.stored_megabytes_per_user * 1_000_000, settings.messages_per_mailbox
    )


def _rates(settings: Settings) -> Rates:
    return Rates(
        credential=Rate("credential", settings.rate_per_credential),
        user=Rate("user", settings.rate_per_user),
        address=Rate("address", settings.rate_per_address),
        sign_in=Rate("sign-in", settings.rate_of_sign_in),
    )


def _on_nowhere(request: "Request[Any, Any, Any]", error: HTTPException) -> Response[Any]:
    """No route took this, or the gate refused it: programs get the envelope, people a page."""
    refusal, path = request.scope["state"].get("refusal"), request.scope["path"]
    if refusal is not None:
        on_problem = problems.on_problem if path.startswith("/api") else web_problems.on_problem
        return on_problem(request, refusal)
    is_program = path.startswith(("/api", "/health", "/readyz")) or "text/html" not in request.headers.get("accept", "")
    return problems.on_http_exception(request, error) if is_program else web_problems.on_http_exception(request, error)


def log_to_stderr(level: int = logging.INFO) -> None:
    """One JSON object a line on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        return server.listen(host, port)
    except OSError as error:
        raise CannotStart(f"HTTP port {port} on {host} cannot be used: {error.strerror}") from error


def _connection_shares(settings: Settings) -> ConnectionShares:
    """
    What of the configured connections the system's descriptors allow; said when that is less.

    Raises CannotStart when there are too few to run at all.
    """
    descriptors = raise_descriptor_limit()
    if descriptors < LEAST_DESCRIPTORS:
        raise CannotStart(f"Only {descriptors} open files are allowed (ulimit -n); {LEAST_DESCRIPTORS} are needed")
    smtp = settings.smtp_max_connections if settings.smtp_port else 0
    shares = connection_shares(descriptors, settings.http_max_connections, smtp)
    if shares.is_cut:
        _log.warning("descriptors.scarce", limit=descriptors, http=shares.http, smtp=shares.smtp)
    return shares


def _http_budget(settings: Settings, connections: int) -> ConnectionBudget:
    per_client = settings.http_max_connections_per_client
    return ConnectionBudget(ConnectionLimits(connections, per_client, connections // _KNOWN_SHARE))


async def _open_smtp(
    stack: AsyncExitStack, context: Context, settings: Settings, connections: int, refusals: RefusalLog
) -> int | None:
    if settings.smtp_port == 0:
        return None
    manners = Manners(socket.gethostname(), tls=_smtp_tls(settings))
    limits = ConnectionLimits(connections, settings.smtp_max_connections_per_client)
    shared = SharedLimits(refusals=refusals)
    door = Door(context, settings.smtp_host, settings.smtp_port, manners, limits, shared)
    try:
        port = await door.open()
    except OSError as error:
        raise CannotStart(
            f"SMTP port {settings.smtp_port} on {settings.smtp_host} cannot be used: {error.strerror}"
        ) from error
    stack.push_async_callback(door.close)
    return port


def _smtp_tls(settings: Settings) -> ssl.SSLContext | None:
    """The certificate the SMTP door shows; None without one. Raises CannotStart when its files will not do."""
    if settings.smtp_tls_cert is None:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        tls.load_cert_chain(settings.smtp_tls_cert, settings.smtp_tls_key)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or error
        raise CannotStart(f"SMTP_TLS_CERT {settings.smtp_tls_cert} cannot be used: {reason}") from error
    return tls


def _release() -> dict[str, Any]:
    built = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    version = importlib.metadata.version("kaisoumail")
    return {"version": version, "commitSha": "dev", "branch": "detached", "builtAt": iso(built)}
