"""
Bring a zone's Email Routing in line with our tables: look at all of it, take the difference, apply it.

The rule of a mailbox is made or removed by the job of that mailbox (`route_mailbox.py`): nothing else changes it at the
same time. The difference is stored in the domain's history, and what of others is in the way with its capacity.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from kaisoumail.cloudflare import email_routing
from kaisoumail.cloudflare.errors import CloudflareError, CloudflareUnreachable, RateLimited
from kaisoumail.cloudflare.limiter import current_caller
from kaisoumail.errors import Problem
from kaisoumail.mail_routing.capacity import Capacity, capacity_of
from kaisoumail.mail_routing.desired import desired_routing
from kaisoumail.mail_routing.difference import Change, ChangeKind, Difference, difference
from kaisoumail.mail_routing.ownership import ownership_of
from kaisoumail.storage.tables import domain_events, domain_routing, domains, mailbox_cleanup, mailboxes, subdomains
from kaisoumail.storage.tables.domain_events import DomainEvent
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.engine import StillRunning
from kaisoumail.workflows.engine.results import RunFailed
from kaisoumail.workflows.engine.steps import Retry, id_in_step, step

_AT_ONCE: Final = 5
_MOST_NAMED: Final = 10
_log = structlog.get_logger("kaisoumail.domains")


@dataclass(frozen=True, slots=True)
class RoutingPlan:
    """What is to be done in a zone, and how much of its limits was used when it was looked at."""

    difference: Difference
    capacity: Capacity


async def reconcile(context: Context, domain_id: str, zone_id: str, patience: Retry) -> None:
    """
    The steps, within the job of a domain. A zone without hosts or mailboxes of ours, which we made, is not looked at.

    Raises CloudflareError when it cannot be looked at, or no change was answered.
    """
    plan = await step("plan_routing", plan_routing, context, domain_id, zone_id, retry=patience)
    if plan is None:
        return
    changes = plan.difference.changes
    hosts = tuple(change.subject for change in changes if change.kind is ChangeKind.ENABLE_HOST)
    if hosts:
        await step("enable_hosts", enable_hosts, context, domain_id, zone_id, hosts, retry=patience)
    of_rules = tuple(change for change in changes if change.kind is not ChangeKind.ENABLE_HOST)
    if of_rules:
        await step("apply_rule_changes", apply_rule_changes, context, zone_id, of_rules, retry=patience)
    await step("save_routing", save_routing, context, domain_id, plan)


async def plan_routing(context: Context, domain_id: str, zone_id: str) -> RoutingPlan | None:
    """What is to be done, by our tables and by what Cloudflare has now; None if there is nothing to look for."""
    domain = await context.database.read(lambda connection: domains.find(connection, domain_id))
    if domain is None or context.cloudflare.worker_name is None:
        return None
    worker = context.cloudflare.worker_name
    now, names = context.clock(), await context.database.read(partial(subdomains.names, domain_id=domain_id))
    wanting = await context.database.read(partial(mailboxes.wanting_rules, domain_id=domain_id, now=now))
    if not names and not wanting and domain.binding_source.is_ours:
        return None
    hosts = [f"{name}.{domain.root_domain}" for name in names]
    ours = await context.database.read(partial(subdomains.our_names, domain_id=domain_id))
    desired = desired_routing(worker, wanting, now, hosts)
    observed = await email_routing.read_routing(context.cloudflare.client(), zone_id, desired.hosts)
    addresses = [rule.address for rule in observed.rules if rule.address is not None]
    known = await context.database.read(partial(mailboxes.at_addresses, addresses=addresses))
    ownership = ownership_of(worker, (*wanting, *known), [f"{name}.{domain.root_domain}" for name in ours])
    routed = [rule.address for rule in observed.rules if rule.address is not None and rule.routes_to(worker)]
    await context.database.write(partial(mailbox_cleanup.note_rules_seen, addresses=routed))
    return RoutingPlan(difference(desired, observed, ownership), capacity_of(observed, ownership))


async def enable_hosts(context: Context, domain_id: str, zone_id: str, hosts: tuple[str, ...]) -> None:
    """Make *hosts* receive again."""
    domain = await context.database.read(lambda connection: domains.find_any(connection, domain_id))
    if domain is None:
        return
    for host in hosts:
        await email_routing.enable_subdomain(context.cloudflare.client(), zone_id, host)
        name, now = host.removesuffix(f".{domain.root_domain}"), context.clock()
        note = partial(subdomains.note_enabled, domain_id=domain_id, name=name, now=now, is_ours=True)
        await context.database.write(note)


async def apply_rule_changes(context: Context, zone_id: str, changes: tuple[Change, ...]) -> None:
    """
    Apply each of *changes*, several at a time; one that is refused does not prevent the others.

    Raises the CloudflareError of one that was not answered, or RateLimited: the next attempt applies what is left.
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def apply(change: Change) -> None:
        async with limit:
            await _apply_rule_change(context, zone_id, change)

    outcomes = await asyncio.gather(*map(apply, changes), return_exceptions=True)
    for change, outcome in zip(changes, outcomes, strict=True):
        if isinstance(outcome, RateLimited | CloudflareUnreachable):
            raise outcome
        if isinstance(outcome, CloudflareError | Problem | RunFailed) and not isinstance(outcome, StillRunning):
            _log.warning("domains.change_refused", change=change.kind, subject=change.subject, error=str(outcome))
        elif isinstance(outcome, BaseException) and not isinstance(outcome, StillRunning):
            raise outcome


async def _apply_rule_change(context: Context, zone_id: str, change: Change) -> None:
    """By the job of the mailbox, which decides by its row; a rule that no mailbox has is removed here."""
    mailbox = await context.database.read(partial(mailboxes.find_live, address=change.subject))
    if mailbox is not None:
        if change.kind is not ChangeKind.REMOVE_RULE or mailbox.routing_rule_id != change.rule_id:
            await context.database.write(partial(mailbox_cleanup.doubt_rule, mailbox_id=mailbox.id))
        arguments = {"mailbox_id": mailbox.id, "operation": current_caller().operation}
        await (await context.runs.start("route_mailbox", key=mailbox.id, **arguments)).result()
    elif change.kind is ChangeKind.REMOVE_RULE and change.rule_id is not None:
        await email_routing.delete_rule(context.cloudflare.client(), zone_id, change.rule_id)


async def save_routing(context: Context, domain_id: str, plan: RoutingPlan) -> None:
    """Store the capacity and the conflicts, and the changes as an event of the domain's history."""
    changes = plan.difference.changes
    details = {"changes": [{"kind": change.kind.value, "subject": change.subject} for change in changes]}
    event = DomainEvent(
        domain_id, context.clock(), "routing_changed", message=_summary(changes), details=details, id=id_in_step("evt")
    )

    def save(connection: Connection) -> None:
        domain_routing.save(connection, domain_id, plan.capacity, plan.difference.conflicts)
        if changes:
            domain_events.add(connection, event)

    await context.database.write(save)


def _summary(changes: tuple[Change, ...]) -> str:
    named = [f"{change.kind.value} {change.subject}" for change in changes[:_MOST_NAMED]]
    more = len(changes) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
