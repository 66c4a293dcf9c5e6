"""Checks of everything that this installation needs, for the operator at the command line."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kaisoumail.cloudflare import workers
from kaisoumail.cloudflare.errors import WORKERS, CloudflareError, MissingPermission
from kaisoumail.errors import Problem
from kaisoumail.operations.email_worker import ORIGIN_VARIABLE
from kaisoumail.operations.meta import check_health
from kaisoumail.operations.token_check import examine
from kaisoumail.storage.engine.workflow_file import check_workflow_file
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.run_health import read_run_health

_UNUSED: Final = "not used: EMAIL_ROUTING_MANAGEMENT_ENABLED is not true"
_PROBE: Final = "doctor.probe"


class Verdict(Enum):
    """Whether what a check looked at can be used; UNKNOWN is no failure."""

    WELL = "ok"
    FAILED = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the check *name* found, in one sentence."""

    name: str
    verdict: Verdict
    sentence: str


class _CannotCheck(Exception):
    """Something could not be checked, for this reason."""


async def check_installation(context: Context, patience: float) -> AsyncIterator[Finding]:
    """
    One finding for each thing that is needed, each as soon as it is known; a failure does not end the checks.

    The workflow database may be locked for *patience* seconds before that is a failure.
    """

    async def workflow_database(context: Context) -> str:
        await check_workflow_file(context.runs.url, patience)
        return context.runs.url.split(":")[0] + " can be written"

    checks: dict[str, Callable[[Context], Awaitable[str]]] = {
        "database": _database,
        "workflow database": workflow_database,
        "runs": _runs,
        "blob store": _blobs,
        "Cloudflare": _cloudflare,
        "Email Worker": _email_worker,
    }
    for name, check in checks.items():
        yield await _finding(name, check(context))


async def _finding(name: str, check: Awaitable[str]) -> Finding:
    try:
        return Finding(name, Verdict.WELL, await check)
    except _CannotCheck as reason:
        return Finding(name, Verdict.UNKNOWN, str(reason))
    except Problem as problem:
        return Finding(name, Verdict.FAILED, problem.message)
    except CloudflareError as error:
        return Finding(name, Verdict.FAILED, str(error))


async def _database(context: Context) -> str:
    await check_health(context)
    return context.database.url.split(":")[0] + " answers"


async def _runs(context: Context) -> str:
    health = await read_run_health(context.database)
    findings = [f"{health.open} open"]
    if health.foreign:
        findings.append(f"this release does not know the jobs of {', '.join(health.foreign)}")
    if health.failed:
        findings.append(f"ended by a fault: {', '.join(health.failed)}")
    if health.foreign:
        raise Problem("internal", "; ".join(findings))
    return "; ".join(findings)


async def _blobs(context: Context) -> str:
    await context.stores.blobs.put(_PROBE, b"x")
    await context.stores.blobs.remove(_PROBE)
    return "can be written"


async def _cloudflare(context: Context) -> str:
    if not context.cloudflare.enabled:
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


async def _email_worker(context: Context) -> str:
    routing = context.cloudflare
    if not routing.enabled:
        return _UNUSED
    name, account_id = routing.worker_name, routing.account_id
    if name is None or account_id is None:
        raise _CannotCheck("EMAIL_WORKER_NAME or CLOUDFLARE_ACCOUNT_ID is not set")
    try:
        variables = await workers.find_variables(routing.client(), account_id, name)
    except MissingPermission:
        raise _CannotCheck(f"looking at it takes “{WORKERS}”, which `serve` itself does not need") from None
    if variables is None:
        raise Problem("worker_name_missing", f"no Worker is named {name}; `kaisoumail email-worker deploy` uploads it")
    url = variables.get(ORIGIN_VARIABLE)
    return f"{name} is there and hands messages over to {url}" if url else f"{name} is there and is not this product's"
