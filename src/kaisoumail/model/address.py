"""
Mailbox addresses: `localPart@subdomain.rootDomain`, and the rules for each part.

An address always has a subdomain; nothing directly at an apex is ever a mailbox, so that the
operator's own addresses there are never touched.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LOCAL_PART_PATTERN: Final = r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$"
SUBDOMAIN_PATTERN: Final = (
    r"^(?=.{1,190}$)[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)*$"
)
ROOT_DOMAIN_PATTERN: Final = (
    r"^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)"
    r"(?:\.(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?))+$"
)

# What existing clients accept as an e-mail address (the zod 4 rule they re-validate every answer with).
EMAIL_PATTERN: Final = (
    r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$"
)

_local_part = re.compile(LOCAL_PART_PATTERN.removesuffix("$") + r"\Z", re.ASCII)
_subdomain = re.compile(SUBDOMAIN_PATTERN.replace("$", r"\Z"), re.ASCII)
_root_domain = re.compile(ROOT_DOMAIN_PATTERN.replace("$", r"\Z"), re.ASCII)
_email = re.compile(EMAIL_PATTERN.removesuffix("$") + r"\Z", re.ASCII)


def is_local_part(text: str) -> bool:
    """True for 1 to 32 lower-case letters, digits and hyphens, with no hyphen at either end."""
    return _local_part.match(text) is not None


def is_subdomain(text: str) -> bool:
    """True for one or more labels like local parts, joined by dots, of at most 190 characters in all."""
    return _subdomain.match(text) is not None


def is_root_domain(text: str) -> bool:
    """True for a host name with a dot, of at most 253 lower-case ASCII characters."""
    return _root_domain.match(text) is not None


def is_email(text: str) -> bool:
    """True when existing clients accept *text* in the field of an e-mail address."""
    return len(text) <= 998 and _email.match(text) is not None


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox address in its parts, all lower-case."""

    local_part: str
    subdomain: str
    root_domain: str

    def __str__(self) -> str:
        return f"{self.local_part}@{self.host}"

    @property
    def host(self) -> str:
        """The name that needs MX records: `subdomain.rootDomain`."""
        return f"{self.subdomain}.{self.root_domain}"


def innermost_root(host: str, root_domains: Iterable[str]) -> str | None:
    """The longest of *root_domains* that *host* is or ends with, or None."""
    return max((root for root in root_domains if f".{host}".endswith("." + root)), key=len, default=None)


def parse_address(text: str, root_domains: Iterable[str]) -> Address | None:
    """
    *text* as an address under one of *root_domains*, or None if it is not one.

    The longest root that the host is or ends with is its root: with `b.a.example` among them, `ada@b.a.example` is at
    an apex, and no address under `a.example`. Text with more than one `@` is no address.
    """
    local_part, at, host = text.strip().lower().partition("@")
    if not at or "@" in host or not is_local_part(local_part):
        return None
    root = innermost_root(host, root_domains)
    if root is None or root == host:
        return None
    subdomain = host.removesuffix("." + root)
    return Address(local_part, subdomain, root) if is_subdomain(subdomain) else None
