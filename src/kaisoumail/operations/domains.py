"""Domains: listing, binding a new apex, enabling, retrying, disabling and deleting them. For admins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.errors import Problem
from kaisoumail.model.audit import Target
from kaisoumail.model.domain import BindingSource, Domain, DomainStatus, EventKind, normalised, refuse_unless_apex
from kaisoumail.model.ids import new_id
from kaisoumail.model.user import Viewer
from kaisoumail.operations.audit import note
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import domain_events, domains
from kaisoumail.storage.tables.domain_events import DomainEvent as DomainEvent
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.engine import Run, StillRunning

_NO_ANSWER: Final = ("cloudflare_unreachable", "cloudflare_unreadable")


@dataclass(frozen=True, slots=True)
class BindOutcome:
    """A domain, and whether its row is new."""

    domain: Domain
    is_new: bool


async def list_domains(context: Context, viewer: Viewer) -> list[Domain]:
    """Every domain that was not deleted, by name. Raises Problem `admin_required`."""
    viewer.must_be_admin()
    return await context.database.read(domains.listed)


@dataclass(frozen=True, slots=True)
class NameCheck:
    """A typed name as it would be stored, or with the *problem* that rejects it."""

    name: str
    problem: Problem | None = None


async def check_name(context: Context, viewer: Viewer, typed: str) -> NameCheck:
    """
    Whether *typed* could be bound, by the rules and our own table, without a request to Cloudflare.

    Its problem is `invalid_request`, `domain_exists`, `not_an_apex` or `subdomain_direct_bind_not_supported`. Raises
    Problem `admin_required`.
    """
    viewer.must_be_admin()
    try:
        root_domain = normalised(typed)
        await _refuse_if_active(context, root_domain)
        refuse_unless_apex(root_domain)
    except Problem as problem:
        return NameCheck(typed, problem)
    return NameCheck(root_domain)


async def bind(context: Context, viewer: Viewer, name: str) -> BindOutcome:
    """
    Make *name*, an apex, a domain of ours: its zone at Cloudflare created and Email Routing on.

    The domain returned is `active`, or `provisioning_error` with the reason; usually because the name
    servers are not set yet. Raises Problem as `start_bind`; the refusal of Cloudflare to look for or create the zone,
    and then nothing was created; `still_working` for a bind that takes longer than a request waits, and continues;
    and `domain_not_found` for a domain that was deleted meanwhile.
    """
    binding = await start_bind(context, viewer, name)
    await _outcome(binding.run)
    domain = await context.database.read(lambda connection: domains.find_by_name(connection, binding.root_domain))
    if domain is None or domain.deleted_at is not None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    return BindOutcome(domain, binding.is_new)


@dataclass(frozen=True, slots=True)
class Binding:
    """A bind in progress; *is_new* when the name had no row before."""

    root_domain: str
    is_new: bool
    run: Run


async def start_bind(context: Context, viewer: Viewer, name: str) -> Binding:
    """
    The bind of *name*, started now or already in progress. `operations.bind_progress` shows its progress.

    Raises Problem before any request to Cloudflare: `admin_required`; `invalid_request`, `not_an_apex` or
    `subdomain_direct_bind_not_supported` for an unfit name; `domain_exists` for an active domain; and
    `management_disabled`, `token_missing`, `account_id_missing` or `worker_name_missing`. Raises `still_working` when
    another job of the domain does not end in time.
    """
    viewer.must_be_admin()
    root_domain = normalised(name)
    known = await _refuse_if_active(context, root_domain)
    refuse_unless_apex(root_domain)
    _require_configuration(context)
    await note(context, viewer, "domain.bind", Target(known.id if known else None, root_domain))
    run = await context.runs.start("bind_domain", key=root_domain, root_domain=root_domain)
    return Binding(root_domain, known is None, run)


async def retry(context: Context, viewer: Viewer, domain_id: str) -> Domain:
    """
    The domain after another try to provision it; `provisioning_error` again if Cloudflare still refuses.

    Without Cloudflare management it becomes active without a check. Raises Problem `admin_required`,
    `domain_not_found`, `domain_disabled`, `token_missing`; that of a request to Cloudflare which failed: an active
    domain is then unchanged, and one that waits has it as its reason; and `still_working` for a run that takes longer
    than a request waits, and continues.
    """
    viewer.must_be_admin()
    domain = await _domain(context, domain_id)
    if domain.status is DomainStatus.DISABLED:
        raise Problem("domain_disabled", "Disabled mailbox domains cannot be retried")
    if context.cloudflare.enabled:
        context.cloudflare.client()
    await note(context, viewer, "domain.retry", Target(domain.id, domain.root_domain))
    if not context.cloudflare.enabled:
        now = context.clock()
        return await _change(
            context, domain_id, lambda known: replace(known.provisioned(now), last_provisioned_at=None)
        )
    arguments = {"domain_id": domain_id, "operation": "domains.retry"}
    run = await context.runs.start("provision_domain", key=domain.root_domain, **arguments)
    try:
        await _outcome(run)
    except Problem as problem:
        if problem.code != "still_working":  # the run goes on
            await _note_refusal(context, domain_id, "retry_refused", problem)
        if problem.code in _NO_ANSWER:
            await context.database.write(partial(_store_reason, domain_id=domain_id, problem=problem))
        raise
    return await _domain(context, domain_id)


async def retried(context: Context, viewer: Viewer, domain_id: str) -> Domain:
    """
    As `retry`, but the domain with its reason, not a Problem, when Cloudflare gave no usable answer.

    Existing clients expect that; an active domain is unchanged.
    """
    try:
        return await retry(context, viewer, domain_id)
    except Problem as problem:
        if problem.code not in _NO_ANSWER:
            raise
    return await _domain(context, domain_id)


def _store_reason(connection: Connection, domain_id: str, problem: Problem) -> None:
    """Store why a domain that waits could not be provisioned now; an active one stays active."""
    domain = domains.find_to_change(connection, domain_id)
    if domain is not None and domain.status is DomainStatus.PROVISIONING_ERROR:
        domains.save(connection, domain.not_provisioned(problem, database_now(connection)))


async def disable(context: Context, viewer: Viewer, domain_id: str) -> Domain:
    """
    The domain, disabled: it offers no new mailboxes. Existing ones and their routing rules stay.

    Disabling it again keeps the first time. Raises Problem `admin_required` or `domain_not_found`.
    """
    viewer.must_be_admin()
    now = context.clock()

    def switched_off(domain: Domain) -> Domain:
        return domain if domain.status is DomainStatus.DISABLED else domain.switched_off(now)

    target = Target(domain_id, (await _domain(context, domain_id)).root_domain)
    await note(context, viewer, "domain.disable", target)
    return await _change(context, domain_id, switched_off)


async def enable(context: Context, viewer: Viewer, name: str, zone_id: str) -> BindOutcome:
    """
    Make a zone that exists at Cloudflare a domain of ours, or enable a disabled domain.

    Any zone that Cloudflare lists is accepted, that of a subdomain too (Subdomain setup), even inside a domain of ours:
    an address then belongs to the longest root that its host is in.

    The domain returned is `active`, or `provisioning_error` with the reason. Without Cloudflare management
    it becomes active without a check. Raises Problem `admin_required`; `invalid_request` for an unfit name;
    `domain_exists` for an active domain; `token_missing`; `zone_not_in_cloudflare` when the token does not see that
    zone under that name; the refusal of Cloudflare; and `still_working` as `bind`.
    """
    viewer.must_be_admin()
    root_domain = normalised(name)
    known = await _refuse_if_active(context, root_domain)
    if context.cloudflare.enabled:
        context.cloudflare.client()
    await note(context, viewer, "domain.enable", Target(known.id if known else None, root_domain), zoneId=zone_id)
    if context.cloudflare.enabled:
        run = await context.runs.start("enable_domain", key=root_domain, root_domain=root_domain, zone_id=zone_id)
        await _outcome(run)
    else:
        await _enable_unmanaged(context, root_domain, zone_id)
    domain = await context.database.read(lambda connection: domains.find_by_name(connection, root_domain))
    if domain is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    return BindOutcome(domain, is_new=known is None)


async def delete(context: Context, viewer: Viewer, domain_id: str, typed_name: str | None = None) -> None:
    """
    Delete a domain we bound, with its zone at Cloudflare and everything in it.

    Deleting it again is allowed. *typed_name*, where a person had to type it, must be the domain's name.
    Raises Problem `admin_required`, `domain_not_found`, `name_not_typed`, `domain_not_ours_to_delete`,
    `management_disabled`, `token_missing`; `domain_in_use` while it has mailboxes, or the refusal of Cloudflare to
    delete the zone, and then the domain is unchanged; and `still_working` as `bind`.
    """
    viewer.must_be_admin()
    domain = await context.database.read(lambda connection: domains.find_any(connection, domain_id))
    if domain is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    about = {"domainId": domain.id, "rootDomain": domain.root_domain}
    if typed_name is not None and typed_name.strip().lower() != domain.root_domain:
        raise Problem("name_not_typed", "Type the domain's name to delete it", **about)
    if domain.binding_source is not BindingSource.PROJECT_BIND:
        raise Problem("domain_not_ours_to_delete", "Only project-bound domains can be deleted", **about)
    if not context.cloudflare.enabled:
        raise Problem(
            "management_disabled", "Cloudflare domain deletion requires EMAIL_ROUTING_MANAGEMENT_ENABLED=true"
        )
    context.cloudflare.client()
    await note(context, viewer, "domain.delete", Target(domain.id, domain.root_domain))
    await _outcome(await context.runs.start("delete_domain", key=domain.root_domain, domain_id=domain_id))


async def history(context: Context, viewer: Viewer, domain_id: str) -> list[DomainEvent]:
    """
    The newest hundred events of the domain, newest first, with Cloudflare's exact answers.

    Raises Problem `admin_required`, or `domain_not_found`, also for a deleted domain.
    """
    viewer.must_be_admin()
    await _domain(context, domain_id)
    return await context.database.read(lambda connection: domain_events.listed(connection, domain_id))


async def _enable_unmanaged(context: Context, root_domain: str, zone_id: str) -> None:
    """
    Make the domain active without Cloudflare management. Raises Problem `domain_exists` if it is by now.

    Two requests may come here at once, having found no active domain.
    """
    now = context.clock()

    def work(connection: Connection) -> Problem | None:
        known = domains.find_by_name_to_change(connection, root_domain)
        if known is None:
            added = domains.add_unless_known(connection, _unmanaged(root_domain, zone_id, now))
            return None if added else _exists(root_domain)
        if known.is_active:
            return _exists(root_domain)
        domains.save(connection, _enabled_again(known, zone_id, now))
        return None

    await write_or_raise(context.database, work)


def _unmanaged(root_domain: str, zone_id: str, now: datetime) -> Domain:
    return Domain(
        id=new_id("dom"),
        root_domain=root_domain,
        zone_id=zone_id,
        binding_source=BindingSource.CATALOG,
        status=DomainStatus.ACTIVE,
        created_at=now,
        updated_at=now,
    )


def _enabled_again(known: Domain, zone_id: str, now: datetime) -> Domain:
    """*known*, active because the operator enables it; of another zone nothing is known."""
    enabled = replace(known.provisioned(now), deleted_at=None, status_before_deletion=None, last_provisioned_at=None)
    if known.zone_id == zone_id:
        return enabled
    other = replace(enabled, zone_id=zone_id, binding_source=BindingSource.CATALOG)
    return replace(other, zone_status=None, zone_status_at=None, name_servers=())


async def _refuse_if_active(context: Context, root_domain: str) -> Domain | None:
    """The row of this name, deleted or not; None if there is none. Raises Problem `domain_exists` if it is active."""
    known = await context.database.read(lambda connection: domains.find_by_name(connection, root_domain))
    if known is not None and known.is_active:
        raise _exists(root_domain)
    return known


def _exists(root_domain: str) -> Problem:
    return Problem("domain_exists", "Mailbox domain already exists", rootDomain=root_domain)


def _require_configuration(context: Context) -> None:
    if not context.cloudflare.enabled:
        raise Problem("management_disabled", "Cloudflare domain binding requires EMAIL_ROUTING_MANAGEMENT_ENABLED=true")
    context.cloudflare.client()
    context.cloudflare.account()
    context.cloudflare.worker()


async def _note_refusal(context: Context, domain_id: str, kind: EventKind, problem: Problem) -> None:
    """Store Cloudflare's exact answer in the history, since the row of the domain does not change."""
    if problem.code == "domain_not_found":
        return
    event = DomainEvent(domain_id, context.clock(), kind).because_of(problem)
    await context.database.write(partial(domain_events.add, event=event))


async def _outcome(run: Run) -> None:
    try:
        await run.result()
    except CloudflareError as error:
        raise error.problem() from error
    except StillRunning as running:
        sentence = "Cloudflare has not answered yet; the job continues, and the domain is listed once it is bound"
        raise Problem(running.code, sentence, **running.details) from None


async def _domain(context: Context, domain_id: str) -> Domain:
    domain = await context.database.read(lambda connection: domains.find(connection, domain_id))
    if domain is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    return domain


async def _change(context: Context, domain_id: str, change: Callable[[Domain], Domain]) -> Domain:
    """The domain after *change*, applied to the locked row and not to what was read earlier."""

    def work(connection: Connection) -> Domain | Problem:
        domain = domains.find_to_change(connection, domain_id)
        if domain is None:
            return Problem("domain_not_found", "Mailbox domain not found")
        changed = change(domain)
        domains.save(connection, changed)
        return changed

    return await write_or_raise(context.database, work)
