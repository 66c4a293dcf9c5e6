"""What operations and jobs work with: small frozen values, built by `server/context.py`."""

from dataclasses import dataclass, field
from datetime import timedelta

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.errors import Problem
from kaisoumail.mail_reading.processes import Readers
from kaisoumail.model.access import Grant
from kaisoumail.model.clock import Clock
from kaisoumail.model.credential import ApiKey, Session
from kaisoumail.model.quota import NO_QUOTAS, Quotas
from kaisoumail.model.user import User
from kaisoumail.public_dns.resolver import Resolver
from kaisoumail.storage.blobs import BlobStore
from kaisoumail.storage.disk_guard import DiskGuard
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.signals import Signals
from kaisoumail.storage.intake import Intake
from kaisoumail.storage.tables.rejections import RejectionLedger
from kaisoumail.storage.ttl_cache import TtlCache
from kaisoumail.storage.uncertain_blobs import UncertainBlobs
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.second_opinions import SecondOpinions


@dataclass(frozen=True, slots=True)
class CloudflareAccess:
    """What the operator configured about Cloudflare; *client_or_none* is None without a token."""

    enabled: bool = False
    client_or_none: Cloudflare | None = None
    account_id: str | None = None
    worker_name: str | None = None
    second_opinions: SecondOpinions | None = None
    """Picks one of several likely codes of a message; None leaves it to the rules."""

    @property
    def can_manage(self) -> bool:
        return self.enabled and self.client_or_none is not None

    @property
    def can_bind(self) -> bool:
        return self.can_manage and self.account_id is not None

    def client(self) -> Cloudflare:
        """The client. Raises Problem `token_missing`; existing clients match on its sentence."""
        if self.client_or_none is None:
            raise Problem(
                "token_missing",
                "Email Routing management is enabled but CLOUDFLARE_RUNTIME_API_TOKEN or "
                "CLOUDFLARE_API_TOKEN is not configured",
            )
        return self.client_or_none

    def account(self) -> str:
        """The account that owns new zones. Raises Problem `account_id_missing`."""
        if self.account_id is None:
            raise Problem(
                "account_id_missing", "Cloudflare domain binding requires CLOUDFLARE_ACCOUNT_ID to be configured"
            )
        return self.account_id

    def worker(self) -> str:
        """The Worker that rules target. Raises Problem `worker_name_missing`."""
        if self.worker_name is None:
            raise Problem(
                "worker_name_missing", "Email Routing management is enabled but EMAIL_WORKER_NAME is not configured"
            )
        return self.worker_name


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts, and how long one that is not used."""

    lifetime: timedelta = timedelta(days=7)
    idle: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class CleanupLimits:
    """
    *grace* is how long an expired mailbox can be revived before it is destroyed with its messages.

    *batch_size* is the number of mailboxes of each kind that are cleaned up at the same time. *host_grace* is how long
    a subdomain without a mailbox stays switched on, *hosts_batch_size* how many are switched off in a pass; 0 is none.
    """

    grace: timedelta = timedelta(days=1)
    batch_size: int = 3
    host_grace: timedelta = timedelta(days=1)
    hosts_batch_size: int = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits the operator can configure."""

    default_ttl_minutes: int
    max_message_bytes: int
    rejections_retention_days: int = 14
    sessions: SessionLimits = SessionLimits()
    audit_retention_days: int = 365
    quotas: Quotas = NO_QUOTAS
    heartbeat_seconds: float = 15.0
    """The longest pause in an event stream: proxies close a connection that is idle for a minute."""
    cleanup: CleanupLimits = CleanupLimits()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator decided."""

    limits: Limits
    session_secret: str
    retired_secrets: tuple[str, ...] = ()
    """Former values of `session_secret`: sessions and picture tickets made with them are still valid."""
    trusted_origins: tuple[str, ...] = ()
    names_domains: bool = True
    """Whether the names of the domains are visible without signing in."""
    cookies_are_secure: bool = False
    """Whether browsers connect over TLS; cookies are then marked Secure."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret whose signatures are valid, the current one first."""
        return (self.session_secret, *self.retired_secrets)


@dataclass(frozen=True, slots=True)
class ViewerCache:
    """Recently presented keys and sessions with their users. Cleared by any commit that changes a user's access."""

    by_key: TtlCache[tuple[ApiKey, User]] = field(default_factory=TtlCache)
    by_session: TtlCache[tuple[Session, User, Grant]] = field(default_factory=TtlCache)

    def forget(self) -> None:
        self.by_key.forget()
        self.by_session.forget()


@dataclass(frozen=True, slots=True)
class Stores:
    """Storage beside the tables of the database."""

    intake: Intake
    blobs: BlobStore
    uncertain_blobs: UncertainBlobs
    disk_guard: DiskGuard
    rejections: RejectionLedger
    signals: Signals
    viewers: ViewerCache = field(default_factory=ViewerCache)


@dataclass(frozen=True, slots=True)
class Context:
    """The first argument of every operation and job."""

    database: Database
    clock: Clock
    stores: Stores
    policy: Policy
    runs: Engine
    readers: Readers
    cloudflare: CloudflareAccess = field(default_factory=CloudflareAccess)
    resolver: Resolver | None = None
    """Looks names up in public DNS; None when that is switched off."""
