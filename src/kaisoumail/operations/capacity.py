"""
How much of its limits at Cloudflare a domain uses: our own part by our tables, that of others as of the last look.

Known before it fails: a mailbox is made on a domain that is not full, and a full one says so with its numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from kaisoumail.errors import Problem
from kaisoumail.mail_routing.capacity import HOSTS_PER_ZONE, RULES_PER_ZONE, Capacity
from kaisoumail.mail_routing.capacity import Use as Use
from kaisoumail.mail_routing.difference import Conflict
from kaisoumail.mail_routing.difference import ConflictKind as ConflictKind
from kaisoumail.model.domain import Domain
from kaisoumail.model.user import Viewer
from kaisoumail.storage.tables import domain_routing, domains, mailboxes, subdomains
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class DomainCapacity:
    """
    The *capacity* of a domain. *expired* of its rules are removed soon.

    *conflicts* and the part of others in *capacity* are as of *looked_at*; None if the zone was never looked at.
    """

    capacity: Capacity
    expired: int
    looked_at: datetime | None
    conflicts: tuple[Conflict, ...] = ()


async def read_capacity(context: Context, viewer: Viewer, domain_id: str) -> DomainCapacity:
    """Raises Problem `admin_required` or `domain_not_found`."""
    viewer.must_be_admin()
    found = await context.database.read(partial(_capacity, domain_id=domain_id, now=context.clock()))
    if found is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    return found


async def not_full(context: Context, candidates: Sequence[Domain]) -> list[Domain]:
    """
    Those of *candidates*, at least one, whose zone takes another rule.

    Raises Problem `domain_full` of the first if none has; without management none is full.
    """
    if not context.cloudflare.enabled:
        return list(candidates)
    routed = await context.database.read(mailboxes.routed_by_domain)
    foreign = await context.database.read(domain_routing.foreign_rules_by_domain)
    free = [each for each in candidates if routed.get(each.id, 0) + foreign.get(each.id, 0) < RULES_PER_ZONE]
    if not free:
        raise await full(context, candidates[0])
    return free


async def full(context: Context, domain: Domain) -> Problem:
    """The Problem `domain_full`, with the numbers, and how many rules are about to go."""
    found = await context.database.read(partial(_capacity, domain_id=domain.id, now=context.clock()))
    rules = found.capacity.rules if found is not None else Use(0, RULES_PER_ZONE)
    return Problem(
        "domain_full",
        f"{domain.root_domain} has {rules.used} of {rules.limit} routing rules at Cloudflare",
        domainId=domain.id,
        rootDomain=domain.root_domain,
        rules={"used": rules.used, "limit": rules.limit},
        freeing={"expired": found.expired if found is not None else 0},
    )


def _capacity(connection: Connection, domain_id: str, now: datetime) -> DomainCapacity | None:
    if domains.find(connection, domain_id) is None:
        return None
    look = domain_routing.find(connection, domain_id)
    foreign_rules, foreign_hosts = (look.capacity.rules.foreign, look.capacity.hosts.foreign) if look else (0, 1)
    rules = mailboxes.routed_by_domain(connection).get(domain_id, 0) + foreign_rules
    hosts = len(subdomains.our_names(connection, domain_id)) + foreign_hosts
    capacity = Capacity(Use(rules, RULES_PER_ZONE, foreign_rules), Use(hosts, HOSTS_PER_ZONE, foreign_hosts))
    expired = mailboxes.routed_but_expired(connection, domain_id, now)
    return DomainCapacity(capacity, expired, look.looked_at if look else None, look.conflicts if look else ())
