"""
Switch a host off that has had no mailbox for a while: a zone takes thirty.

Nobody can begin to use it meanwhile: a mailbox that is made on it waits until this has ended.
"""

from functools import partial

import structlog

from kaisoumail.cloudflare import email_routing
from kaisoumail.cloudflare.errors import CloudflareError, RateLimited
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.errors import Problem
from kaisoumail.storage.tables import domains, subdomains
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.engine import StillRunning
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.results import RunFailed
from kaisoumail.workflows.engine.steps import step
from kaisoumail.workflows.jobs.destroy_mailbox import is_unknown_zone
from kaisoumail.workflows.jobs.provision_domain import PATIENCE

_log = structlog.get_logger("kaisoumail.domains")


@job("retire_host")
async def retire_host(context: Context, host_id: str, domain_id: str, name: str) -> None:
    """Raises CloudflareError when the host could not be switched off; it is then on, as before."""
    with calling_for("subdomains.cleanup"):
        if not await step("begin_retiring", begin_retiring, context, host_id):
            return
        try:
            await step("disable_host", disable_host, context, domain_id, name, retry=PATIENCE)
        except (CloudflareError, Problem):
            await step("keep_host", keep_host, context, host_id)
            raise
        await step("forget_host", forget_host, context, host_id)


async def begin_retiring(context: Context, host_id: str) -> bool:
    """Whether the host has no mailbox; from now on none uses it."""
    return await context.database.write(partial(subdomains.begin_retiring, host_id=host_id))


async def disable_host(context: Context, domain_id: str, name: str) -> None:
    """Switch the host off at Cloudflare; no error if it, or its whole zone, is gone already."""
    domain = await context.database.read(lambda connection: domains.find_any(connection, domain_id))
    if domain is None or domain.zone_id is None or domain.deleted_at is not None:
        return
    try:
        host = f"{name}.{domain.root_domain}"
        await email_routing.disable_subdomain(context.cloudflare.client(), domain.zone_id, host)
    except CloudflareError as error:
        if not is_unknown_zone(error):
            raise


async def keep_host(context: Context, host_id: str) -> None:
    """Note that the host is still on."""
    await context.database.write(partial(subdomains.end_retiring, host_id=host_id, is_off=False))


async def forget_host(context: Context, host_id: str) -> None:
    """Remove the row of the host, which is off."""
    await context.database.write(partial(subdomains.end_retiring, host_id=host_id, is_off=True))


async def retire_idle_hosts(context: Context) -> int:
    """Switch off what has had no mailbox for the grace time; returns how many hosts that were."""
    limits = context.policy.limits.cleanup
    if not context.cloudflare.can_manage or limits.hosts_batch_size == 0:
        return 0
    claim = partial(subdomains.claim_idle, grace=limits.host_grace, limit=limits.hosts_batch_size)
    idle = await context.database.write(claim)
    for host in idle:
        arguments = {"host_id": host.id, "domain_id": host.domain_id, "name": host.name}
        try:
            await (await context.runs.start("retire_host", key=host.id, **arguments)).result()
        except (RateLimited, StillRunning):
            break  # the others are due again when their claim runs out
        except (CloudflareError, Problem, RunFailed) as error:
            _log.warning("domains.host_not_retired", host=host.name, domain=host.domain_id, error=str(error))
    return len(idle)
