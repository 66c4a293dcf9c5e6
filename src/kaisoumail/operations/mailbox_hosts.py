"""Where a new mailbox can be: a domain of ours, and the subdomains that belong to it and to no domain inside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from kaisoumail.errors import Problem
from kaisoumail.model.address import innermost_root
from kaisoumail.model.alias_names import HOSTS
from kaisoumail.model.domain import Domain
from kaisoumail.model.user import Viewer


@dataclass(frozen=True, slots=True)
class MailboxHosts:
    """A domain and some *subdomains* of it, at least one."""

    domain: Domain
    subdomains: Sequence[str]


def hosts_for(
    ours: Sequence[Domain], viewer: Viewer, root_domain: str | None, subdomain: str | None
) -> list[MailboxHosts]:
    """
    The domain among *ours* called *root_domain*, or all possible ones, with *subdomain* or those that may be chosen.

    Raises Problem `forbidden`, `no_domains`, `domain_not_enabled`, or `invalid_mailbox_address` when the subdomain is a
    domain of ours itself or below one: the records of that host are in the other zone.
    """
    if viewer.grant.mailbox_id is not None:
        raise Problem("forbidden", "This key is bound to one mailbox and cannot create others")
    bound = viewer.grant.domain_id
    active = [domain for domain in ours if domain.is_active and bound in (None, domain.id)]
    named = [domain for domain in active if root_domain in (None, domain.root_domain)]
    if not named and root_domain is None:
        raise Problem("no_domains", "No mailbox domains are enabled")
    if not named:
        raise Problem("domain_not_enabled", "Mailbox domain is not enabled", rootDomain=root_domain)
    roots, wanted = [domain.root_domain for domain in ours], HOSTS if subdomain is None else (subdomain,)
    hosts = [MailboxHosts(domain, _own(domain.root_domain, wanted, roots)) for domain in named]
    possible = [each for each in hosts if each.subdomains]
    if not possible:
        raise Problem("invalid_mailbox_address", "Invalid mailbox address", subdomain=subdomain)
    return possible


def _own(root: str, subdomains: Sequence[str], roots: Sequence[str]) -> list[str]:
    """Those of *subdomains* of *root* that belong to no other of *roots*."""
    return [each for each in subdomains if innermost_root(f"{each}.{root}", roots) == root]
