"""All groups in one value, and all variables in one list."""

from dataclasses import dataclass, fields
from typing import Any, Final

from kaisoumail.settings.cloudflare_groups import CloudflareSettings, OutboundSettings
from kaisoumail.settings.groups import (
    AccessSettings,
    CleanupSettings,
    HttpSettings,
    InboundSettings,
    MailboxSettings,
    RateLimitSettings,
    StorageSettings,
)
from kaisoumail.settings.variable import REQUIRED, Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration of the operator, in the order of the reference page."""

    access: AccessSettings
    http: HttpSettings
    rate_limits: RateLimitSettings
    inbound: InboundSettings
    mailboxes: MailboxSettings
    cleanup: CleanupSettings
    storage: StorageSettings
    cloudflare: CloudflareSettings
    outbound: OutboundSettings


@dataclass(frozen=True, slots=True)
class Declaration:
    """A *variable*, the *group* and the *field* of `Settings` that hold its value, and its default."""

    group: str
    field: str
    default: Any
    variable: Variable

    @property
    def is_required(self) -> bool:
        return self.default is REQUIRED


GROUPS: Final[dict[str, Any]] = {field.name: field.type for field in fields(Settings)}
"""By its name in `Settings`, the class of each group."""

DECLARATIONS: Final = tuple(
    Declaration(name, field.name, field.default, field.metadata["variable"])
    for name, group in GROUPS.items()
    for field in fields(group)
)
