"""Mailboxes: making one, making sure of one, finding and listing them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Final

from sqlalchemy import Connection

from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.errors import Problem
from kaisoumail.model.address import Address, parse_address
from kaisoumail.model.alias_names import random_local_part, random_subdomain
from kaisoumail.model.audit import did
from kaisoumail.model.clock import iso_or_none
from kaisoumail.model.domain import Domain
from kaisoumail.model.feed import PageEnd
from kaisoumail.model.ids import new_id
from kaisoumail.model.mailbox import Mailbox, MailboxStatus, expiry
from kaisoumail.model.user import Viewer
from kaisoumail.operations.audit import note
from kaisoumail.operations.pages import Page, one_more, paged
from kaisoumail.storage.tables import audit, domains, mailboxes, users
from kaisoumail.storage.tables.runs import RunStart
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.engine import Run, StillRunning

_TRIES: Final = 8
_USABLE: Final = (MailboxStatus.ACTIVE, MailboxStatus.EXPIRED)
_KEPT: Final = (*_USABLE, MailboxStatus.PROVISIONING)
_LIVE: Final = (MailboxStatus.ACTIVE, MailboxStatus.DESTROYING)


class Default(Enum):
    """Stands for "nothing was said", where None means "for ever"."""

    TTL = "the operator's default lifetime"


Minutes = int | Default | None


@dataclass(frozen=True, slots=True)
class MailboxRequest:
    """What somebody asked a new mailbox to be; whatever is None is chosen for them."""

    local_part: str | None = None
    subdomain: str | None = None
    root_domain: str | None = None
    minutes: Minutes = Default.TTL

    @property
    def leaves_a_choice(self) -> bool:
        return self.local_part is None or self.subdomain is None


@dataclass(frozen=True, slots=True)
class EnsureOutcome:
    """A mailbox, and whether it was made just now."""

    mailbox: Mailbox
    is_new: bool


async def create(
    context: Context, viewer: Viewer, request: MailboxRequest, operation: str = "mailboxes.create"
) -> Mailbox:
    """
    A new mailbox that receives mail when this returns.

    Raises Problem `forbidden` for a key that is for one mailbox; `quota_reached`, `no_domains` or `domain_not_enabled`;
    `mailbox_exists` (with the mailbox, if the viewer may see it) or `mailbox_taken` for an address in use; and
    whatever Cloudflare refused, in which case nothing of the mailbox is left.
    """
    domain = await _domain_for(context, viewer, request.root_domain)
    if context.cloudflare.enabled:
        context.cloudflare.client()
        context.cloudflare.worker()
    for _ in range(_TRIES if request.leaves_a_choice else 1):
        mailbox = _proposed(context, viewer, domain, request)
        add = partial(_add, context=context, viewer=viewer, mailbox=mailbox, operation=operation)
        added = await context.database.write(add)
        if isinstance(added, Problem):
            raise added
        if added is not None:
            return await _open(context, mailbox.id, added)
    raise await _conflict(context, viewer, str(mailbox.address))


@dataclass(frozen=True, slots=True)
class _NewRow:
    """A mailbox's row was made; *run* makes it receive, None where nobody has to be asked."""

    run: RunStart | None


def _add(
    connection: Connection, context: Context, viewer: Viewer, mailbox: Mailbox, operation: str
) -> _NewRow | Problem | None:
    """
    The row, and in one transaction with it the run that makes it receive; None when the address is in use.

    Or why its user, who is not removed meanwhile, may have no further mailbox.
    """
    if users.find_to_change(connection, mailbox.user_id) is None:
        return Problem("authentication_required", "Authentication required")
    refusal = _beyond(connection, context, mailbox)
    if refusal is not None:
        return refusal
    if not mailboxes.add(connection, mailbox):
        return None
    address, about = str(mailbox.address), {"domainId": mailbox.domain_id}
    entry = did(viewer, "mailbox.create", mailbox.created_at, mailbox.id, address, owner_id=mailbox.user_id, **about)
    audit.add(connection, entry)
    if not context.cloudflare.enabled:
        mailboxes.activate(connection, mailbox.id, None)
        return _NewRow(None)
    arguments = {"mailbox_id": mailbox.id, "operation": operation}
    return _NewRow(context.runs.begin(connection, "open_mailbox", mailbox.id, **arguments))


async def ensure(context: Context, viewer: Viewer, request: MailboxRequest) -> EnsureOutcome:
    """
    The mailbox at the requested address, kept at least as long as asked: the one there is, or a new one.

    An existing one is found whatever state its domain is in. Of many who ask at once one makes it, and the others
    wait for what comes of that. Raises as `create` does, and Problem `mailbox_taken` for an address of somebody else.
    One that expired receives again, if the quota allows.
    """
    for _ in range(_TRIES):
        existing = await _existing(context, viewer, request)
        if existing is None:
            try:
                return EnsureOutcome(await create(context, viewer, request, "mailboxes.ensure"), is_new=True)
            except Problem as problem:
                if request.leaves_a_choice or problem.code not in ("mailbox_exists", "mailbox_taken"):
                    raise
            continue  # somebody was first at this very moment
        if existing.status is MailboxStatus.PROVISIONING:
            await _wait_until_open(context, existing)
            continue
        minutes = _minutes(context, request.minutes)
        extend = partial(_extend, context=context, viewer=viewer, mailbox_id=existing.id, minutes=minutes)
        kept = await context.database.write(extend)
        if isinstance(kept, Problem):
            raise kept
        return EnsureOutcome(kept, is_new=False)
    raise Problem("mailbox_taken", "Mailbox already exists")


async def _wait_until_open(context: Context, mailbox: Mailbox) -> None:
    """Wait until *mailbox*, which somebody else is making, receives. Raises what comes of it otherwise."""

    def its_run(connection: Connection) -> RunStart | None:
        current = mailboxes.find_to_change(connection, mailbox.id)
        if current is None or current.status is not MailboxStatus.PROVISIONING:
            return None
        arguments = {"mailbox_id": mailbox.id, "operation": "mailboxes.ensure"}
        return context.runs.begin(connection, "open_mailbox", mailbox.id, **arguments)

    begun = await context.database.write(its_run)
    if begun is not None:
        await _outcome(context.runs.launch(begun), mailbox.id)


def _extend(
    connection: Connection, context: Context, viewer: Viewer, mailbox_id: str, minutes: int | None
) -> Mailbox | Problem:
    """
    The mailbox, kept at least *minutes* from now; or why one that was over may not come back.

    Decided on what it is in this transaction: whoever else extends it at the same moment is not undone.
    """
    now = context.clock()
    was = mailboxes.find_to_change(connection, mailbox_id)
    if was is None or was.status not in _USABLE:
        return Problem("mailbox_taken", "Mailbox already exists")
    mailbox = was.extended_to(expiry(minutes, now))
    if mailbox == was:
        return mailbox
    refusal = None if was.receives_at(now) else _beyond(connection, context, mailbox)
    if refusal is not None:
        return refusal
    mailboxes.prolong(connection, mailbox)
    until = {"expiresAt": iso_or_none(mailbox.expires_at)}
    audit.add(
        connection,
        did(viewer, "mailbox.extend", now, mailbox.id, str(mailbox.address), owner_id=mailbox.user_id, **until),
    )
    return mailbox


async def destroy(context: Context, viewer: Viewer, mailbox_id: str) -> Mailbox:
    """
    The mailbox, destroyed: its rule at Cloudflare and its mails are gone, its address is free. Again changes nothing.

    Raises Problem as `find_mailbox`, `management_disabled` for one with a rule that may not be touched, and whatever
    Cloudflare refused; the mailbox is `destroying` then, and goes when it is asked for again or by itself within the
    hour.
    """
    mailbox = await find_mailbox(context, viewer, mailbox_id)
    if mailbox.status is MailboxStatus.DESTROYED:
        return mailbox
    if mailbox.routing_rule_id is not None:
        if not context.cloudflare.enabled:
            raise Problem(
                "management_disabled",
                "Its rule at Cloudflare can be removed only with EMAIL_ROUTING_MANAGEMENT_ENABLED",
            )
        context.cloudflare.client()
    await note(context, viewer, "mailbox.destroy", mailbox.id, str(mailbox.address), owner_id=mailbox.user_id)
    run = await context.runs.start(
        "destroy_mailbox", key=mailbox_id, mailbox_id=mailbox_id, operation="mailboxes.destroy"
    )
    try:
        await run.result()
    except CloudflareError as error:
        raise error.problem() from error
    except StillRunning as running:
        sentence = "This mailbox holds much; it receives nothing any more and will be gone soon"
        raise Problem(running.code, sentence, mailboxId=mailbox_id, **running.details) from None
    return await find_mailbox(context, viewer, mailbox_id)


async def request_for(context: Context, text: str, minutes: Minutes) -> MailboxRequest:
    """
    A whole address as a request.

    Raises Problem `invalid_mailbox_address` unless it lies under a domain of ours that is active or
    holds that very mailbox already.
    """
    ours = await context.database.read(domains.listed)
    address = parse_address(text, [domain.root_domain for domain in ours])
    active = [domain.root_domain for domain in ours if domain.is_active]
    if address is None or (address.root_domain not in active and await _live(context, str(address)) is None):
        raise Problem("invalid_mailbox_address", "Invalid mailbox address", address=text, activeRootDomains=active)
    return MailboxRequest(address.local_part, address.subdomain, address.root_domain, minutes)


async def find_mailbox(context: Context, viewer: Viewer, mailbox_id: str) -> Mailbox:
    """The mailbox in whatever state. Raises Problem `mailbox_not_found`, `forbidden` for somebody else's."""
    mailbox = await context.database.read(lambda connection: mailboxes.find(connection, mailbox_id))
    if mailbox is None or mailbox.status is MailboxStatus.PROVISIONING:
        raise Problem("mailbox_not_found", "Mailbox not found")
    if not viewer.may_open(mailbox):
        raise Problem("forbidden", "Forbidden")
    return mailbox


async def resolve(context: Context, viewer: Viewer, address: str) -> Mailbox:
    """The usable mailbox at *address* that the viewer may see. Raises Problem `mailbox_not_found`."""
    mailbox = await _live(context, address.strip().lower())
    if mailbox is None or mailbox.status not in _USABLE or not viewer.may_open(mailbox):
        raise Problem("mailbox_not_found", "Mailbox not found")
    return mailbox


async def list_mailboxes(
    context: Context, viewer: Viewer, *, workspace: bool = False, statuses: Sequence[MailboxStatus] = ()
) -> list[Mailbox]:
    """
    What the viewer may see, newest first; an admin sees everybody's.

    *workspace* keeps what is live now (active, or on its way out); *statuses*, if any, narrows further.
    """
    return (await page_of_mailboxes(context, viewer, workspace=workspace, statuses=statuses)).items


async def page_of_mailboxes(
    context: Context,
    viewer: Viewer,
    *,
    workspace: bool = False,
    statuses: Sequence[MailboxStatus] = (),
    end: PageEnd | None = None,
    limit: int | None = None,
) -> Page[Mailbox]:
    """The same by page: at most *limit* mailboxes, after *end*."""
    chosen = narrowed(statuses, workspace)
    if chosen == ():
        return Page([])
    wanted = mailboxes.MailboxFilter(chosen or (), context.clock(), end, one_more(limit))
    found = await context.database.read(lambda connection: mailboxes.listed(connection, viewer, wanted))
    return paged(found, limit, lambda mailbox: PageEnd(mailbox.created_at, mailbox.id))


def narrowed(statuses: Sequence[MailboxStatus], workspace: bool) -> Sequence[MailboxStatus] | None:
    """The states a list asked for with both holds; None for any, () when nothing can be in it."""
    if not workspace:
        return statuses or None
    return tuple(status for status in _LIVE if not statuses or status in statuses)


async def _domain_for(context: Context, viewer: Viewer, root_domain: str | None) -> Domain:
    if viewer.grant.mailbox_id is not None:
        raise Problem("forbidden", "This key is for one mailbox and makes no others")
    bound = viewer.grant.domain_id
    active = [domain for domain in await _active(context) if bound in (None, domain.id)]
    if root_domain is None:
        if not active:
            raise Problem("no_domains", "No mailbox domains are enabled")
        return secrets.choice(active)
    for domain in active:
        if domain.root_domain == root_domain:
            return domain
    raise Problem("domain_not_enabled", "Mailbox domain is not enabled", rootDomain=root_domain)


def _beyond(connection: Connection, context: Context, mailbox: Mailbox) -> Problem | None:
    quotas = context.policy.limits.quotas
    if not quotas.mailboxes:
        return None
    return quotas.refuse_mailbox_beyond(mailboxes.number_receiving(connection, mailbox.user_id, context.clock()))


def _proposed(context: Context, viewer: Viewer, domain: Domain, request: MailboxRequest) -> Mailbox:
    now = context.clock()
    return Mailbox(
        id=new_id("mbx"),
        user_id=viewer.id,
        domain_id=domain.id,
        address=Address(
            request.local_part or random_local_part(), request.subdomain or random_subdomain(), domain.root_domain
        ),
        status=MailboxStatus.PROVISIONING,
        created_at=now,
        expires_at=expiry(_minutes(context, request.minutes), now),
    )


async def _open(context: Context, mailbox_id: str, added: _NewRow) -> Mailbox:
    """The mailbox receiving mail: through Cloudflare, or at once where there is nothing to ask it."""
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
        sentence = "Cloudflare has not answered yet; asking for this address again waits for the same mailbox"
        raise Problem(running.code, sentence, mailboxId=mailbox_id, **running.details) from None


async def _existing(context: Context, viewer: Viewer, request: MailboxRequest) -> Mailbox | None:
    """The mailbox at the requested address that the viewer may use, made or being made; None if the address is free."""
    if request.leaves_a_choice:
        return None
    roots = [request.root_domain] if request.root_domain else [d.root_domain for d in await _active(context)]
    for root in roots:
        mailbox = await _live(context, f"{request.local_part}@{request.subdomain}.{root}")
        if mailbox is not None and mailbox.status in _KEPT and viewer.may_open(mailbox):
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
    """The address is taken by a mailbox the viewer may see; the door shows it in the details."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__("mailbox_exists", "Mailbox already exists")
        self.mailbox = mailbox


def _minutes(context: Context, asked: Minutes) -> int | None:
    return context.policy.limits.default_ttl_minutes if isinstance(asked, Default) else asked
