"""`kaisoumail doctor`: checks everything that this installation needs."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial

import typer

from kaisoumail.cli import until_stopped
from kaisoumail.cloudflare import workers
from kaisoumail.cloudflare.errors import WORKERS, CloudflareError, MissingPermission
from kaisoumail.errors import Problem
from kaisoumail.operations.meta import check_health
from kaisoumail.operations.token_check import examine
from kaisoumail.server.context import open_context
from kaisoumail.server.logs import log_to_stderr
from kaisoumail.settings import Settings, settings_from
from kaisoumail.settings.environment import misspellings, renamed
from kaisoumail.storage.engine.workflow_file import check_workflow_file
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.run_health import read_run_health

Check = Callable[[], Awaitable[str]]
_UNUSED = "not used: EMAIL_ROUTING_MANAGEMENT_ENABLED is not true"


class _CannotCheck(Exception):
    """Something could not be checked, for this reason; that is no failure."""


def doctor() -> None:
    """Check the configuration, the database, the blob store and Cloudflare; one line each, exit 1 if any fails."""
    settings = settings_from(os.environ)
    log_to_stderr(level=50)

    async def work(_: asyncio.Event) -> bool:
        async with open_context(settings) as context:
            return all([await _report(name, check) for name, check in _checks(context, settings)])

    if not until_stopped.run(work):
        raise typer.Exit(1)


def _checks(context: Context, settings: Settings) -> list[tuple[str, Check]]:
    checks: dict[str, Callable[[Context, Settings], Awaitable[str]]] = {
        "configuration": _configuration,
        "database": _database,
        "workflow database": _workflow_database,
        "runs": _runs,
        "blob store": _blobs,
        "Cloudflare": _cloudflare,
        "Email Worker": _email_worker,
    }
    return [(name, partial(check, context, settings)) for name, check in checks.items()]


async def _configuration(_context: Context, _settings: Settings) -> str:
    findings = ["every variable can be read"]
    findings += [f"{former} is now called {present}" for former, present in renamed(os.environ)]
    findings += [f"{unknown} is no variable; is {meant} meant?" for unknown, meant in misspellings(os.environ)]
    return "; ".join(findings)


async def _database(context: Context, _settings: Settings) -> str:
    await check_health(context)
    return context.database.url.split(":")[0] + " answers"


async def _workflow_database(context: Context, settings: Settings) -> str:
    await check_workflow_file(context.runs.url, settings.storage.lock_timeout_seconds)
    return context.runs.url.split(":")[0] + " can be written"


async def _runs(context: Context, _settings: Settings) -> str:
    health = await read_run_health(context.database)
    findings = [f"{health.open} open"]
    if health.foreign:
        findings.append(f"this release does not know the jobs of {', '.join(health.foreign)}")
    if health.failed:
        findings.append(f"ended by a fault: {', '.join(health.failed)}")
    if health.foreign:
        raise Problem("internal", "; ".join(findings))
    return "; ".join(findings)


async def _blobs(context: Context, _settings: Settings) -> str:
    await context.stores.blobs.put("doctor.probe", b"x")
    await context.stores.blobs.remove("doctor.probe")
    return "can be written"


async def _cloudflare(context: Context, settings: Settings) -> str:
    if not settings.cloudflare.management_enabled:
        return _UNUSED
    found = await examine(context)
    if found.unconfigured:
        raise Problem("worker_name_missing", f"{' and '.join(found.unconfigured)} not set")
    if found.problem is not None:
        raise found.problem
    if found.account_reachable is False:
        raise Problem("account_not_reachable", "the token does not reach CLOUDFLARE_ACCOUNT_ID's account")
    if found.missing:
        lacking = sorted({f"“{each.permission}” for {each.zone or 'the account'}" for each in found.missing})
        raise Problem("zone_permission_missing", "the token lacks " + ", ".join(lacking))
    return f"a token of {'a user' if found.kind == 'user' else 'the account'} that sees {found.zones_visible} zones"


async def _email_worker(context: Context, settings: Settings) -> str:
    name, account_id = settings.cloudflare.worker_name, settings.cloudflare.account_id
    if not settings.cloudflare.management_enabled:
        return _UNUSED
    if name is None or account_id is None:
        raise _CannotCheck("EMAIL_WORKER_NAME or CLOUDFLARE_ACCOUNT_ID is not set")
    try:
        variables = await workers.find_variables(context.cloudflare.client(), account_id, name)
    except MissingPermission:
        raise _CannotCheck(f"looking at it takes “{WORKERS}”, which `serve` itself does not need") from None
    if variables is None:
        raise Problem("worker_name_missing", f"no Worker is named {name}; `kaisoumail email-worker deploy` uploads it")
    url = variables.get("KAISOUMAIL_URL")
    return f"{name} is there and hands mail to {url}" if url else f"{name} is there and is not this product's"


async def _report(name: str, check: Check) -> bool:
    """Print one line with the finding of *check*; False only if it failed."""
    try:
        verdict, finding = "ok ", await check()
    except _CannotCheck as reason:
        verdict, finding = "?  ", str(reason)
    except Problem as problem:
        verdict, finding = "BAD", problem.message
    except CloudflareError as error:
        verdict, finding = "BAD", str(error)
    print(f"{verdict} {name}: {finding}")
    return verdict != "BAD"
