"""Domains: what we have, binding a new apex, trying again, switching off."""

from dataclasses import dataclass, replace

from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.errors import Problem
from kaisoumail.model.domain import Domain, DomainStatus, normalised, refuse_unless_apex
from kaisoumail.model.user import Viewer
from kaisoumail.storage import domains
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine import Run


@dataclass(frozen=True, slots=True)
class Bound:
    """A domain, and whether its row is new."""

    domain: Domain
    is_new: bool


async def list_domains(context: Context, viewer: Viewer) -> list[Domain]:
    """Every domain that was not deleted, by name. For admins."""
    viewer.must_be_admin()
    return await context.database.read(domains.listed)


async def bind(context: Context, viewer: Viewer, name: str) -> Bound:
    """
    Make *name*, an apex, a domain of ours: its zone at Cloudflare created and Email Routing on.

    The domain comes back `active`, or `provisioning_error` with the reason; usually because the name
    servers are not set yet. Raises Problem when nothing was made: the name will not do, the domain is
    here already, something is not configured, or Cloudflare refused to create the zone.
    """
    viewer.must_be_admin()
    root_domain = normalised(name)
    known = await context.database.read(lambda connection: domains.find_by_name(connection, root_domain))
    if known is not None and known.is_active:
        raise Problem("domain_exists", "Mailbox domain already exists", rootDomain=root_domain)
    refuse_unless_apex(root_domain)
    _require_configuration(context)
    await _outcome(await context.runs.start("bind_domain", key=root_domain, root_domain=root_domain))
    domain = await context.database.read(lambda connection: domains.find_by_name(connection, root_domain))
    if domain is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    return Bound(domain, is_new=known is None)


async def retry(context: Context, viewer: Viewer, domain_id: str) -> Domain:
    """
    The domain after another try to provision it; `provisioning_error` again if Cloudflare still refuses.

    Raises Problem for a disabled domain, and when Cloudflare could not be asked; then nothing changed.
    """
    viewer.must_be_admin()
    domain = await _domain(context, domain_id)
    if domain.status is DomainStatus.DISABLED:
        raise Problem("domain_disabled", "Disabled mailbox domains cannot be retried")
    if not context.routing.enabled:
        return await _save(context, replace(domain.provisioned(context.clock()), last_provisioned_at=None))
    context.routing.client()
    await _outcome(await context.runs.start("provision_domain", key=domain_id, domain_id=domain_id))
    return await _domain(context, domain_id)


async def disable(context: Context, viewer: Viewer, domain_id: str) -> Domain:
    """The domain, offering no new mailboxes from now on. Existing ones and their routing rules stay."""
    viewer.must_be_admin()
    domain = await _domain(context, domain_id)
    if domain.status is DomainStatus.DISABLED:
        return domain
    now = context.clock()
    return await _save(context, replace(domain, status=DomainStatus.DISABLED, disabled_at=now, updated_at=now))


def _require_configuration(context: Context) -> None:
    if not context.routing.enabled:
        raise Problem("management_disabled", "Cloudflare domain binding requires EMAIL_ROUTING_MANAGEMENT_ENABLED=true")
    context.routing.client()
    context.routing.account()
    context.routing.worker()


async def _outcome(run: Run) -> None:
    try:
        await run.result()
    except CloudflareError as error:
        raise error.problem() from error


async def _domain(context: Context, domain_id: str) -> Domain:
    domain = await context.database.read(lambda connection: domains.find(connection, domain_id))
    if domain is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    return domain


async def _save(context: Context, domain: Domain) -> Domain:
    await context.database.write(lambda connection: domains.save(connection, domain))
    return domain
