"""The state of the sandbox: plain values, and the one JSON file they are stored in."""

import os
import secrets
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from cloudflare_sandbox.switches import Switches

ACCOUNT_ID: Final = "5a4d2b0c9e8f41b7a6d3c2e1f0987654"
ACCOUNT_NAME: Final = "Sandbox account"


def new_id() -> str:
    """An identifier like those of zones, records, rules and tokens: 32 lower-case hexadecimal digits."""
    return secrets.token_hex(16)


def timestamp(moment: datetime) -> str:
    """*moment* as zones, DNS and Email Routing write it: six fractional digits and Z (recorded August 2025)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Token:
    """
    An API token. Only the SHA-256 digest of its secret is stored; *zones* None means all of the account.

    *blips_left* more calls are refused, because the token is too new to be known everywhere at Cloudflare.
    """

    id: str
    digest: str
    kind: str
    permissions: list[str]
    zones: list[str] | None
    status: str = "active"
    blips_left: int = 0

    def sees(self, zone_name: str) -> bool:
        return self.zones is None or zone_name in self.zones

    def may(self, permission: str) -> bool:
        """Whether *permission* was granted; Write includes Read (API reference, "Accepted Permissions")."""
        sufficient = (
            {permission, f"{permission.removesuffix(' Read')} Write"} if permission.endswith(" Read") else {permission}
        )
        return not sufficient.isdisjoint(self.permissions)


@dataclass
class Record:
    """A DNS record. *managed*: Email Routing added it; *locked*: it cannot be edited until unlocked."""

    id: str
    type: str
    name: str
    content: str
    created_on: str
    modified_on: str
    ttl: int = 1
    priority: int | None = None
    proxied: bool = False
    comment: str | None = None
    tags: list[str] = field(default_factory=list)
    managed: bool = False
    locked: bool = False


@dataclass
class Rule:
    """A routing rule; the catch-all is one too, with the highest possible priority number."""

    id: str
    name: str
    enabled: bool
    priority: int
    matchers: list[dict[str, str]]
    actions: list[dict[str, str | list[str]]]

    def literal(self) -> str | None:
        """The address this rule is for, lower-case; None for the catch-all."""
        return next((m["value"].lower() for m in self.matchers if m["type"] == "literal"), None)


@dataclass
class Subdomain:
    """A name below the apex that receives messages."""

    id: str
    name: str
    unlocked: bool = False


@dataclass
class EmailRouting:
    """One zone's Email Routing: settings, subdomains, rules, and the public DKIM key its DNS shows."""

    id: str
    created: str
    modified: str
    catch_all: Rule
    dkim_key: str
    enabled: bool = False
    unlocked: bool = False
    skip_wizard: bool = False
    support_subaddress: bool = False
    subdomains: list[Subdomain] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)


@dataclass
class SendingSubdomain:
    """A name that Email Sending was set up for."""

    id: str
    name: str
    created: str
    modified: str


@dataclass
class Zone:
    """A domain at Cloudflare; *checked_at* is when the last activation check was requested."""

    id: str
    name: str
    name_servers: list[str]
    created_on: str
    modified_on: str
    routing: EmailRouting
    status: str = "pending"
    activated_on: str | None = None
    checked_at: datetime | None = None
    records: list[Record] = field(default_factory=list)
    sending: list[SendingSubdomain] = field(default_factory=list)


@dataclass
class Destination:
    """An address that messages may be forwarded to once its owner has confirmed it."""

    id: str
    email: str
    created: str
    modified: str
    verified: str | None = None


@dataclass
class Worker:
    """An Email Worker, reduced to the URL that it hands messages over to and the secret it signs with."""

    target: str
    secret: str


@dataclass
class Script:
    """A script as it was uploaded; the bindings include their secrets, which no answer contains."""

    tag: str
    created_on: str
    modified_on: str
    etag: str
    main_module: str
    source: bytes
    compatibility_date: str
    compatibility_flags: list[str]
    bindings: list[dict[str, Any]]


@dataclass
class Forwarded:
    """A message that a rule forwarded."""

    envelope_from: str
    envelope_to: str
    destination: str
    size: int


@dataclass
class Run:
    """One run of a model: its name and the messages it received."""

    model: str
    messages: list[dict[str, Any]]


@dataclass
class Ai:
    """The answer of every model, whether the allowance of the day is used up, and the runs."""

    response: Any = field(default_factory=lambda: {"choice": 0})
    is_used_up: bool = False
    runs: list[Run] = field(default_factory=list)


@dataclass
class State:
    """Everything that survives a restart."""

    tokens: list[Token] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    destinations: list[Destination] = field(default_factory=list)
    workers: dict[str, Worker] = field(default_factory=dict)
    scripts: dict[str, Script] = field(default_factory=dict)
    forwarded: list[Forwarded] = field(default_factory=list)
    ai: Ai = field(default_factory=Ai)
    switches: Switches = field(default_factory=Switches)
    times_added: dict[str, int] = field(default_factory=dict)
    clock_ahead_seconds: float = 0.0

    def find_zone(self, zone_id: str) -> Zone | None:
        return next((zone for zone in self.zones if zone.id == zone_id), None)

    def find_zone_named(self, name: str) -> Zone | None:
        return next((zone for zone in self.zones if zone.name == name), None)

    def find_zone_of(self, host: str) -> Zone | None:
        """The zone that *host* is the apex of or lies below."""
        return next((zone for zone in self.zones if host == zone.name or host.endswith(f".{zone.name}")), None)


class StateFile:
    """The JSON file that a state is stored in; without a path nothing is stored."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self) -> State:
        """The stored state, or an empty one. Raises OSError, naming the file, when it cannot be read."""
        if self._path is None or not self._path.exists():
            return State()
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=State)
        except msgspec.MsgspecError as error:
            raise OSError(f"{self._path} is not a state of the pretend Cloudflare: {error}") from error

    def save(self, state: State) -> None:
        """Store *state*: the file is replaced atomically, so that a reader or a crash never sees half of it."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes the file readable by its owner only: it holds the Workers' secrets.
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(state))
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
