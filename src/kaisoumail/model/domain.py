"""
Apex domains: which names may be bound, and the states a bound one goes through.

    bind / enable ─► active ◄── retry ── provisioning_error
                       │                        │
                       └──────► disabled ◄──────┘        delete: soft-deleted, always disabled
"""

import ipaddress
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal, get_args

import idna
import tldextract

from kaisoumail.errors import InvalidValue, Problem
from kaisoumail.model.address import is_root_domain

_suffixes: Final = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


_MOST_CHARACTERS: Final = 1000  # of an input; a name has at most 253 once it is ASCII
LONGEST_CHECK_PAUSE: Final = timedelta(hours=1)
LOOK_PAUSE: Final = timedelta(days=1)
"""How long an active domain is not looked at."""
# The pause after fewer than so many checks: about the first minute, ten minutes, hour and day.
_LOOK_PAUSES: Final = (
    (12, timedelta(seconds=5)),
    (40, timedelta(seconds=20)),
    (65, timedelta(minutes=2)),
    (160, timedelta(minutes=15)),
)


# What can happen to a domain, by its name in the history.
EventKind = Literal[
    "zone_created",
    "zone_found",
    "zone_status",
    "ready",
    "routing_changed",
    "refused",
    "retry_refused",
    "delete_refused",
    "deleted",
]
EVENT_KINDS: Final[tuple[EventKind, ...]] = get_args(EventKind)


class DomainStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    PROVISIONING_ERROR = "provisioning_error"


class BindingSource(StrEnum):
    CATALOG = "catalog"  # a zone that was already at Cloudflare
    PROJECT_BIND = "project_bind"  # a zone we created

    @property
    def is_ours(self) -> bool:
        return self is BindingSource.PROJECT_BIND


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as Cloudflare last reported it. *status* is Cloudflare's own value, such as `pending`."""

    id: str
    name: str
    status: str
    name_servers: tuple[str, ...] = ()

    @property
    def is_active(self) -> bool:
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class Domain:
    """An apex domain of the operator. One row per name for ever; deleting only marks it."""

    id: str
    root_domain: str
    zone_id: str | None
    binding_source: BindingSource
    status: DomainStatus
    created_at: datetime
    updated_at: datetime
    zone_status: str | None = None
    zone_status_at: datetime | None = None
    """When Cloudflare reported *zone_status*, by the database's clock."""
    name_servers: tuple[str, ...] = ()
    catch_all_enabled: bool = False
    catch_all_owner_id: str | None = None
    last_provision_error: str | None = None
    last_provision_code: str | None = None
    last_provision_details: dict[str, Any] = field(default_factory=dict)
    """Cloudflare's exact answer behind the error."""
    next_look_at: datetime | None = None
    """When the watch looks at it again, by the database's clock; None for a domain that is disabled or beyond help."""
    looks: int = 0
    """How many times it checked since the domain began to wait."""
    activation_checked_at: datetime | None = None
    last_provisioned_at: datetime | None = None
    disabled_at: datetime | None = None
    deleted_at: datetime | None = None
    status_before_deletion: DomainStatus | None = None
    """The status that `hidden` replaced while the zone is being deleted."""

    @property
    def is_active(self) -> bool:
        """Whether mailboxes can be created on it: its status is active, and it was not deleted."""
        return self.status is DomainStatus.ACTIVE and self.deleted_at is None

    def seen_at_cloudflare(self, zone: Zone, now: datetime) -> "Domain":
        """
        This domain with what Cloudflare reports of its zone, so that it can be shown without another request.

        *now* is the database's time.
        """
        return replace(
            self,
            zone_id=zone.id,
            zone_status=zone.status,
            zone_status_at=now,
            name_servers=zone.name_servers,
            updated_at=now,
        )

    def without_zone_status(self) -> "Domain":
        """This domain, whose zone Cloudflare does not show any more: it has no status and no name servers."""
        return replace(self, zone_status=None, zone_status_at=None, name_servers=())

    def provisioned(self, now: datetime) -> "Domain":
        """This domain, active: earlier errors and an earlier switch-off are cleared."""
        return replace(
            self,
            status=DomainStatus.ACTIVE,
            last_provision_error=None,
            last_provision_code=None,
            last_provision_details={},
            last_provisioned_at=now,
            next_look_at=now + LOOK_PAUSE,
            looks=0,
            disabled_at=None,
            updated_at=now,
        )

    def not_provisioned(self, problem: Problem, now: datetime) -> "Domain":
        """
        This domain as `provisioning_error`, with the *problem* as the reason; *now* is the database's time.

        The activation watch checks it again after a pause if the problem may pass.
        """
        refused = replace(
            self,
            status=DomainStatus.PROVISIONING_ERROR,
            last_provision_error=problem.message,
            last_provision_code=problem.code,
            last_provision_details=problem.details,
            last_provisioned_at=None,
            disabled_at=None,
            next_look_at=None,
            updated_at=now,
        )
        return refused.looked_at(now) if problem.kind.retry else refused

    def looked_at(self, now: datetime) -> "Domain":
        """
        This domain, due for another check after a pause; *now* is the database's time.

        For one that waits it grows with each check. An active one was to be looked at, and Cloudflare did not answer.
        """
        if self.status is DomainStatus.ACTIVE:
            return replace(self, next_look_at=now + LONGEST_CHECK_PAUSE)
        return replace(self, next_look_at=now + check_pause(self.looks), looks=self.looks + 1)

    def hidden(self, now: datetime) -> "Domain":
        """This domain, marked as deleted while its zone is being deleted; unchanged if it is already."""
        if self.deleted_at is not None:
            return self
        return replace(
            self,
            status=DomainStatus.DISABLED,
            status_before_deletion=self.status,
            disabled_at=self.disabled_at or now,
            deleted_at=now,
            next_look_at=None,
            updated_at=now,
        )

    def brought_back(self, now: datetime) -> "Domain":
        """This domain as it was before `hidden`, unchanged if it was not hidden; *now* is the database's time."""
        if self.status_before_deletion is None:
            return self
        status = self.status_before_deletion
        restored = replace(
            self,
            status=status,
            status_before_deletion=None,
            disabled_at=self.disabled_at if status is DomainStatus.DISABLED else None,
            deleted_at=None,
            updated_at=now,
        )
        return restored if status is DomainStatus.DISABLED else replace(restored, next_look_at=now, looks=0)

    def switched_off(self, now: datetime) -> "Domain":
        """This domain, disabled: it offers no new mailboxes; existing ones stay."""
        return replace(self, status=DomainStatus.DISABLED, disabled_at=now, next_look_at=None, updated_at=now)


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """
    One line of the catalogue: our domain of a name and Cloudflare's zone of that name; either may be None.

    *is_missing* when Cloudflare listed its zones just now and this one was not among them.
    """

    root_domain: str
    domain: Domain | None
    zone: Zone | None
    is_missing: bool = False

    @property
    def zone_status(self) -> str | None:
        """Cloudflare's status of the zone: from the listed zone, else as last stored, None for a missing one."""
        return self.zone.status if self.zone else self._stored.zone_status if self._stored else None

    @property
    def _stored(self) -> Domain | None:
        return None if self.is_missing else self.domain

    @property
    def zone_id(self) -> str | None:
        """The zone's id: from the listed zone, else as last stored."""
        return self.zone.id if self.zone else self.domain.zone_id if self.domain else None

    @property
    def name_servers(self) -> tuple[str, ...]:
        """The name servers that Cloudflare assigned."""
        return self.zone.name_servers if self.zone else self._stored.name_servers if self._stored else ()


def check_pause(looks: int) -> timedelta:
    """
    How long to wait before the next check of a pending zone that was checked *looks* times already.

    Registrars take minutes to hours; in the first minutes a person watches the page. The pause depends on the number of
    checks and not on how long the domain has waited: that would be measured by the clock of the process that bound it.
    """
    for most, pause in _LOOK_PAUSES:
        if looks < most:
            return pause
    return LONGEST_CHECK_PAUSE


def normalised(text: str) -> str:
    """
    *text* as a domain name in the form we store: lower-case ASCII (IDN as `xn--…`).

    Raises InvalidValue with a sentence that helps when it is not a dotted host name.
    """
    if len(text) > _MOST_CHARACTERS:  # before NFKC, which may be slow and make the text longer
        raise _unfit(text, f"a domain name has at most {_MOST_CHARACTERS} characters")
    name = unicodedata.normalize("NFKC", text).strip().lower()
    if "://" in name or "/" in name:
        raise _unfit(text, "enter the name alone, without https:// or a path")
    if "@" in name:
        raise _unfit(text, "enter the domain, not an e-mail address")
    if name.endswith(".") or name.startswith("."):
        raise _unfit(text, "leave out the dot at its edge")
    if _is_ip(name):
        raise _unfit(text, "an IP address cannot be bound")
    if not name.isascii():
        name = _to_ascii(name, text)
    if not is_root_domain(name):
        raise _unfit(text, "it is not a dotted host name such as customer.com")
    return name


def registrable(name: str) -> str | None:
    """
    The apex that *name* belongs to: its public suffix and one label more; None for a bare suffix.

    Follows the Public Suffix List with its private section (publicsuffix.org, the copy tldextract
    bundles). A top-level name the list does not know counts as a suffix of one label.
    """
    parts = _suffixes(name)
    if parts.suffix:
        return f"{parts.domain}.{parts.suffix}" if parts.domain else None
    labels = name.split(".")
    return ".".join(labels[-2:]) if len(labels) >= 2 else None


def refuse_unless_apex(name: str) -> None:
    """
    Raises Problem unless *name* (normalised) can be bound as a zone: `not_an_apex` for a public suffix.

    For a subdomain it is `subdomain_direct_bind_not_supported`, and the details have the apex to bind instead, and the
    mailbox subdomain to use with it.
    """
    apex = registrable(name)
    if apex is None:
        raise Problem(
            "not_an_apex",
            f"{name} is a public suffix; bind a domain registered under it, such as customer.{name}",
            mailDomain=name,
        )
    if apex != name:
        raise Problem(
            "subdomain_direct_bind_not_supported",
            "Direct subdomain binding is not supported",
            mailDomain=name,
            recommendedApex=apex,
            recommendedMailboxSubdomain=name.removesuffix("." + apex),
        )


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _to_ascii(name: str, text: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise _unfit(text, "it is not a valid host name") from None


def _unfit(text: str, reason: str) -> InvalidValue:
    return InvalidValue("domain name", f"“{text.strip()[:80]}” cannot be used: {reason}")
