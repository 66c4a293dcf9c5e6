"""Mailboxes: creating, ensuring, finding, listing and destroying them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import partial
from itertools import cycle, islice
from typing import Final

from sqlalchemy import Connection

from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.errors import Problem
from kaisoumail.model.address import Address, parse_address
from kaisoumail.model.alias_names import random_local_part
from kaisoumail.model.audit import Target, audit_entry
from kaisoumail.model.clock import iso_or_none
from kaisoumail.model.domain import Domain
from kaisoumail.model.feed import PageEnd
from kaisoumail.model.ids import new_id
from kaisoumail.model.mailbox import Mailbox, MailboxStatus, expiry
from kaisoumail.model.user import Viewer
from kaisoumail.operations.audit import note
from kaisoumail.operations.capacity import not_full
from kaisoumail.operations.mailbox_hosts import MailboxHosts, hosts_for
from kaisoumail.operations.mailbox_routing import check_rule, revive
from kaisoumail.operations.pages import Page, one_more, paged
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.tables import audit, domains, mailboxes, users
from kaisoumail.storage.tables.runs import RunStart
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.engine import Run, StillRunning
from kaisoumail.workflows.jobs.revive_mailbox import quota_refusal

_ATTEMPTS: Final = 8
_random: Final = secrets.SystemRandom()
_USABLE: Final = (MailboxStatus.ACTIVE, MailboxStatus.EXPIRED)
_RESERVED: Final = (*_USABLE, MailboxStatus.PROVISIONING)
_LIVE: Final = (MailboxStatus.ACTIVE, MailboxStatus.DESTROYING)


class Default(Enum):
    """Stands for a lifetime that the request leaves open; None means until destroyed."""

    TTL = "the operator's default lifetime"


Minutes = int | Default | None


@dataclass(frozen=True, slots=True)
class MailboxRequest:
    """What a new mailbox should be; a part of the address that is None is chosen at random."""

    local_part: str | None = None
    subdomain: str | None = None
    root_domain: str | None = None
    minutes: Minutes = Default.TTL

    @property
    def leaves_a_choice(self) -> bool:
        return self.local_part is None or self.subdomain is None


@dataclass(frozen=True, slots=True)
class MailboxQuery:
    """
    Which mailboxes to list: those with one of *statuses*, if any; with *workspace* only live ones.

    Live is active or destroying. With *limit* the result is a page that begins after *end*; without it, everything.
    """

    statuses: Sequence[MailboxStatus] = ()
    workspace: bool = False
    end: PageEnd | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class EnsureOutcome:
    """A mailbox, and whether it was created by this call."""

    mailbox: Mailbox
    is_new: bool


async def create(
    context: Context, viewer: Viewer, request: MailboxRequest, operation: str = "mailboxes.create"
) -> Mailbox:
    """
    A new mailbox that receives messages when this returns.

    Raises Problem as `hosts_for`; `domain_full` if all such domains are; `quota_reached`, `token_missing`,
    `worker_name_missing`, `authentication_required` (removed meanwhile); for an address in use `mailbox_exists` with
    the mailbox if the viewer may see it, else `mailbox_taken`. After the refusal of Cloudflare, `domain_gone`,
    `zone_id_missing` or `mailbox_not_found` its rest is removed; after `still_working` the run goes on.
    """
    ours = await context.database.read(domains.listed)
    possible = hosts_for(ours, viewer, request.root_domain, request.subdomain)
    if context.cloudflare.enabled:
        context.cloudflare.client()
        context.cloudflare.worker()
    free = {domain.id for domain in await not_full(context, [each.domain for each in possible])}
    candidates = [each for each in possible if each.domain.id in free]
    tries = _ATTEMPTS if request.leaves_a_choice else len(candidates)
    for hosts in islice(cycle(_random.sample(candidates, len(candidates))), tries):
        mailbox = _proposed(context, viewer, hosts, request)
        add = partial(_add, context=context, viewer=viewer, mailbox=mailbox, operation=operation)
        added = await context.database.write(add)
        if isinstance(added, Problem):
            raise added
        if added is not None:
            return await _open(context, mailbox.id, added)
    raise await _conflict(context, viewer, str(mailbox.address))


@dataclass(frozen=True, slots=True)
class _NewRow:
    """The row of a mailbox was inserted; *run* makes it receive, None where Cloudflare is not managed."""

    run: RunStart | None


def _add(
    connection: Connection, context: Context, viewer: Viewer, mailbox: Mailbox, operation: str
) -> _NewRow | Problem | None:
    """
    Insert the row and, in the same transaction, the run that makes it receive; None when the address is in use.

    Or the Problem that its user may have no further mailbox. The user is locked and cannot be removed meanwhile.
    """
    if users.find_to_change(connection, mailbox.user_id) is None:
        return Problem("authentication_required", "Authentication required")
    refusal = quota_refusal(connection, context, mailbox)
    if refusal is not None:
        return refusal
    if not mailboxes.add(connection, mailbox):
        return None
    details = {"domainId": mailbox.domain_id}
    audit.add(connection, audit_entry(viewer, "mailbox.create", mailbox.created_at, _target(mailbox), **details))
    if not context.cloudflare.enabled:
        mailboxes.activate(connection, mailbox.id, None)
        return _NewRow(None)
    arguments = {"mailbox_id": mailbox.id, "operation": operation}
    return _NewRow(context.runs.begin(connection, "open_mailbox", mailbox.id, **arguments))


async def ensure(context: Context, viewer: Viewer, request: MailboxRequest) -> EnsureOutcome:
    """
    The mailbox at the requested address, living at least as long as requested: the existing one, or a new one.

    An existing one is found in whatever state its domain is. Of concurrent requests one creates it, and the others
    wait for the outcome. An expired mailbox is revived, if the quota allows. The rule of one that receives is checked
    once a day, and made again if Cloudflare has lost it. Raises as `create` does, and Problem `mailbox_taken` for an
    address of another user, of a mailbox being destroyed, or outside the bound of the key.
    """
    for _ in range(_ATTEMPTS):
        existing = await _existing(context, viewer, request)
        if existing is None:
            try:
                return EnsureOutcome(await create(context, viewer, request, "mailboxes.ensure"), is_new=True)
            except Problem as problem:
                if request.leaves_a_choice or problem.code not in ("mailbox_exists", "mailbox_taken"):
                    raise
            continue  # another request created it at the same moment
        if existing.status is MailboxStatus.PROVISIONING:
            await _wait_until_open(context, existing)
            continue
        until = expiry(_minutes(context, request.minutes), context.clock())
        if context.cloudflare.enabled and not existing.receives_at(context.clock()):
            return EnsureOutcome(await revive(context, viewer, existing, until), is_new=False)
        extend = partial(_extend, context=context, viewer=viewer, mailbox_id=existing.id, until=until)
        extended = await write_or_raise(context.database, extend)
        if context.cloudflare.can_manage:
            await check_rule(context, extended)
        return EnsureOutcome(extended, is_new=False)
    raise Problem("mailbox_taken", "Mailbox already exists")


async def _wait_until_open(context: Context, mailbox: Mailbox) -> None:
    """Wait until *mailbox*, which another request is creating, receives. Raises the Problem of a run that failed."""

    def begin_run(connection: Connection) -> RunStart | None:
        current = mailboxes.find_to_change(connection, mailbox.id)
        if current is None or current.status is not MailboxStatus.PROVISIONING:
            return None
        arguments = {"mailbox_id": mailbox.id, "operation": "mailboxes.ensure"}
        return context.runs.begin(connection, "open_mailbox", mailbox.id, **arguments)

    begun = await context.database.write(begin_run)
    if begun is not None:
        await _outcome(context.runs.launch(begun), mailbox.id)


def _extend(
    connection: Connection, context: Context, viewer: Viewer, mailbox_id: str, until: datetime | None
) -> Mailbox | Problem:
    """
    The mailbox, living at least until *until*; or the Problem that an expired one may not be revived.

    Decided on the row locked in this transaction, so that a concurrent extension is not undone.
    """
    now = context.clock()
    current = mailboxes.find_to_change(connection, mailbox_id)
    if current is None or current.status not in _USABLE:
        return Problem("mailbox_taken", "Mailbox already exists")
    mailbox = current.extended_to(until)
    if mailbox == current:
        return mailbox
    refusal = None if current.receives_at(now) else quota_refusal(connection, context, mailbox)
    if refusal is not None:
        return refusal
    mailboxes.prolong(connection, mailbox)
    details = {"expiresAt": iso_or_none(mailbox.expires_at)}
    audit.add(connection, audit_entry(viewer, "mailbox.extend", now, _target(mailbox), **details))
    return mailbox


async def destroy(context: Context, viewer: Viewer, mailbox_id: str) -> Mailbox:
    """
    The mailbox, destroyed: its rule at Cloudflare and its messages are gone, its address is free. Repeating is allowed.

    Raises Problem as `find_mailbox`, `management_disabled`, `token_missing`, `still_working` and the refusal of
    Cloudflare; it is `destroying` after these two: the run, the next request or a retry every five minutes ends that.
    """
    mailbox = await find_mailbox(context, viewer, mailbox_id)
    if mailbox.status is MailboxStatus.DESTROYED:
        return mailbox
    if mailbox.routing_rule_id is not None:
        if not context.cloudflare.enabled:
            raise Problem(
                "management_disabled",
                "Its routing rule can be removed only with EMAIL_ROUTING_MANAGEMENT_ENABLED=true",
            )
        context.cloudflare.client()
    await note(context, viewer, "mailbox.destroy", _target(mailbox))
    run = await context.runs.start(
        "destroy_mailbox", key=mailbox_id, mailbox_id=mailbox_id, operation="mailboxes.destroy"
    )
    try:
        await run.result()
    except CloudflareError as error:
        raise error.problem() from error
    except StillRunning as running:
        sentence = "This mailbox has many messages; it no longer receives and will be destroyed soon"
        raise Problem(running.code, sentence, mailboxId=mailbox_id, **running.details) from None
    return await find_mailbox(context, viewer, mailbox_id)


async def request_for(context: Context, text: str, minutes: Minutes) -> MailboxRequest:
    """
    A request for the whole address *text*.

    Raises Problem `invalid_mailbox_address` unless it is under a domain of ours that is active or that
    has a mailbox at this address already.
    """
    our_domains = await context.database.read(domains.listed)
    address = parse_address(text, [domain.root_domain for domain in our_domains])
    active = [domain.root_domain for domain in our_domains if domain.is_active]
    if address is None or (address.root_domain not in active and await _live(context, str(address)) is None):
        raise Problem("invalid_mailbox_address", "Invalid mailbox address", address=text, activeRootDomains=active)
    return MailboxRequest(address.local_part, address.subdomain, address.root_domain, minutes)


async def find_mailbox(context: Context, viewer: Viewer, mailbox_id: str) -> Mailbox:
    """The mailbox in any state but provisioning. Raises Problem `mailbox_not_found`, `forbidden` for another user's."""
    mailbox = await context.database.read(lambda connection: mailboxes.find(connection, mailbox_id))
    if mailbox is None or mailbox.status is MailboxStatus.PROVISIONING:
        raise Problem("mailbox_not_found", "Mailbox not found")
    if not viewer.may_open(mailbox):
        raise Problem("forbidden", "Forbidden")
    return mailbox


async def resolve(context: Context, viewer: Viewer, address: str) -> Mailbox:
    """The active or expired mailbox at *address* that the viewer may see. Raises Problem `mailbox_not_found`."""
    mailbox = await _live(context, address.strip().lower())
    if mailbox is None or mailbox.status not in _USABLE or not viewer.may_open(mailbox):
        raise Problem("mailbox_not_found", "Mailbox not found")
    return mailbox


async def list_mailboxes(context: Context, viewer: Viewer, query: MailboxQuery) -> list[Mailbox]:
    """The mailboxes that the viewer may see, newest first; an admin sees those of all users."""
    return (await page_of_mailboxes(context, viewer, query)).items


async def page_of_mailboxes(context: Context, viewer: Viewer, query: MailboxQuery) -> Page[Mailbox]:
    """As `list_mailboxes`, one page, with the end from which the next page continues."""
    selected = narrowed(query.statuses, query.workspace)
    if selected == ():
        return Page([])
    mailbox_filter = mailboxes.MailboxFilter(selected or (), context.clock(), query.end, one_more(query.limit))
    found = await context.database.read(lambda connection: mailboxes.listed(connection, viewer, mailbox_filter))
    return paged(found, query.limit, lambda mailbox: PageEnd(mailbox.created_at, mailbox.id))


def narrowed(statuses: Sequence[MailboxStatus], workspace: bool) -> Sequence[MailboxStatus] | None:
    """The states that satisfy both *statuses* and *workspace*; None for any, () when no mailbox can match."""
    if not workspace:
        return statuses or None
    return tuple(status for status in _LIVE if not statuses or status in statuses)


def _target(mailbox: Mailbox) -> Target:
    return Target(mailbox.id, str(mailbox.address), mailbox.user_id)


def _proposed(context: Context, viewer: Viewer, hosts: MailboxHosts, request: MailboxRequest) -> Mailbox:
    now, domain = context.clock(), hosts.domain
    return Mailbox(
        id=new_id("mbx"),
        user_id=viewer.id,
        domain_id=domain.id,
        address=Address(
            request.local_part or random_local_part(), secrets.choice(hosts.subdomains), domain.root_domain
        ),
        status=MailboxStatus.PROVISIONING,
        created_at=now,
        expires_at=expiry(_minutes(context, request.minutes), now),
    )


async def _open(context: Context, mailbox_id: str, added: _NewRow) -> Mailbox:
    """The mailbox, receiving: after its run at Cloudflare, or at once where Cloudflare is not managed."""
    if added.run is not None:
        await _outcome(context.runs.launch(added.run), mailbox_id)
    opened = await context.database.read(lambda connection: mailboxes.find(connection, mailbox_id))
    if opened is None:
        raise Problem("mailbox_not_found", "Mailbox not found")
    return opened


async def _outcome(run: Run, mailbox_id: str) -> None:
    try:
        await run.result()
    except CloudflareError as error:
        raise error.problem() from error
    except StillRunning as running:
        sentence = "Cloudflare has not answered yet; a repeated request for this address waits for the same mailbox"
        raise Problem(running.code, sentence, mailboxId=mailbox_id, **running.details) from None


async def _existing(context: Context, viewer: Viewer, request: MailboxRequest) -> Mailbox | None:
    """The mailbox at the requested address that the viewer may use, provisioning ones too; None if there is none."""
    if request.leaves_a_choice:
        return None
    roots = [request.root_domain] if request.root_domain else [d.root_domain for d in await _active(context)]
    for root in roots:
        mailbox = await _live(context, f"{request.local_part}@{request.subdomain}.{root}")
        if mailbox is not None and mailbox.status in _RESERVED and viewer.may_open(mailbox):
            return mailbox
        if mailbox is not None and request.root_domain is not None:
            raise Problem("mailbox_taken", "Mailbox already exists")
    return None


async def _active(context: Context) -> list[Domain]:
    return await context.database.read(domains.active)


async def _live(context: Context, address: str) -> Mailbox | None:
    def find(connection: Connection) -> Mailbox | None:
        return mailboxes.find_live(connection, address)

    return await context.database.read(find)


async def _conflict(context: Context, viewer: Viewer, address: str) -> Problem:
    mailbox = await _live(context, address)
    if mailbox is not None and mailbox.status in _USABLE and viewer.may_open(mailbox):
        now = context.clock()
        return MailboxExists(replace(mailbox, status=mailbox.status_at(now)))
    return Problem("mailbox_taken", "Mailbox already exists")


class MailboxExists(Problem):
    """The address is in use by *mailbox*, which the viewer may see; the API adds it to the details."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__("mailbox_exists", "Mailbox already exists")
        self.mailbox = mailbox


def _minutes(context: Context, requested: Minutes) -> int | None:
    return context.policy.limits.default_ttl_minutes if isinstance(requested, Default) else requested
