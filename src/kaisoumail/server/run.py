"""A whole server, opened in order and stopped in reverse order."""

import gc
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import structlog

from kaisoumail.http import server as http_server
from kaisoumail.model.refusal_log import RefusalLog
from kaisoumail.network.descriptors import (
    LEAST_DESCRIPTORS,
    ConnectionShares,
    connection_shares,
    raise_descriptor_limit,
)
from kaisoumail.operations.readiness import Readiness
from kaisoumail.server.background import start_periodic_jobs
from kaisoumail.server.cannot_start import CannotStart
from kaisoumail.server.context import open_context
from kaisoumail.server.http import application, http_limits, listen
from kaisoumail.server.smtp import open_smtp
from kaisoumail.settings import Settings
from kaisoumail.storage.engine.connections_left import check_connections_left
from kaisoumail.storage.engine.workflow_file import check_workflow_file
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.jobs import all_jobs  # noqa: F401 - the import registers the jobs

_log = structlog.get_logger("kaisoumail.server")


@dataclass(frozen=True, slots=True)
class Running:
    """A running server: its context and its ports."""

    context: Context
    http_port: int
    smtp_port: int | None


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """
    A server that runs inside the block and is stopped cleanly after it.

    Raises CannotStart for a port in use, a certificate that cannot be used or too few open files, and Problem
    `storage_unavailable` or `invalid_request` as `open_context`; then everything opened before is closed again.
    """
    async with AsyncExitStack() as stack:
        shares = _connection_shares(settings)
        listener = listen(settings.http.host, settings.http.port)
        stack.callback(listener.close)
        process_id = f"{socket.gethostname()}-{uuid4().hex[:12]}"
        context = await stack.enter_async_context(open_context(settings, process_id))
        await check_workflow_file(context.runs.url, settings.storage.lock_timeout_seconds)
        await check_connections_left(context.database)
        await stack.enter_async_context(context.runs.running(context, context.database))
        await start_periodic_jobs(stack, context)
        refusals = RefusalLog()
        smtp_port = await open_smtp(stack, context, settings.inbound, shares.smtp, refusals)
        limits = http_limits(settings.http, shares.http, refusals)
        readiness = Readiness(context.database, context.stores.signals, process_id, settings.storage.dead_after_seconds)
        app = application(context, settings, refusals, readiness)
        await stack.enter_async_context(http_server.serving(app, listener, limits, context.stores.signals.end))
        _tune_interpreter()
        yield Running(context, int(listener.getsockname()[1]), smtp_port)


def _tune_interpreter() -> None:
    """
    Set the garbage collector and the thread switch interval for a long-running server.

    What was imported and wired is never garbage, so the collector skips it. A thread that returns from the disk with a
    result that a sender waits for gets the GIL after 1 ms instead of 5.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)
    sys.setswitchinterval(0.001)


def _connection_shares(settings: Settings) -> ConnectionShares:
    """
    The connections that the limit of open files allows, at most those configured; logs a warning when it cuts them.

    Raises CannotStart when there are too few descriptors to run at all.
    """
    descriptors = raise_descriptor_limit()
    if descriptors < LEAST_DESCRIPTORS:
        raise CannotStart(f"Only {descriptors} open files are allowed (ulimit -n); {LEAST_DESCRIPTORS} are needed")
    smtp = settings.inbound.smtp_max_connections if settings.inbound.smtp_port else 0
    shares = connection_shares(descriptors, settings.http.max_connections, smtp)
    if shares.is_cut:
        _log.warning("descriptors.scarce", limit=descriptors, http=shares.http, smtp=shares.smtp)
    return shares
