"""
Every variable of the environment: the reference, in the order of `docs/reference/environment.md`.

A variable is declared in one place, as a field of the group in which an operator would look for it. The docstring of a
group is its sentence on the page and in `config show`.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import ClassVar

from kaisoumail.model.client_address import find_address
from kaisoumail.model.mailbox import MAX_TTL_MINUTES, MIN_TTL_MINUTES
from kaisoumail.settings.readers import (
    boolean,
    email,
    millions,
    networks,
    origin,
    origins,
    secret,
    secrets,
    text,
    url_of,
    whole,
)
from kaisoumail.settings.variable import REQUIRED, SECRET, FormerName, SetWhen, variable

_rate = whole(0, 1_000_000)
_connections = whole(1, 100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """How users sign in, and who is the first admin."""

    TITLE: ClassVar = "Access"

    session_secret: str = variable(
        "SESSION_SECRET", REQUIRED, secret(16), "key of the sessions, a random text of at least 16 characters", SECRET
    )
    retired_secrets: tuple[str, ...] = variable(
        "SESSION_SECRETS_RETIRED",
        (),
        secrets(16),
        "earlier values of SESSION_SECRET, separated by spaces: sessions begun with them stay valid until they end",
        SECRET,
    )
    session_lifetime_minutes: int = variable(
        "SESSION_LIFETIME_MINUTES", 10_080, whole(5, 525_600), "longest life of a session, in minutes"
    )
    session_idle_minutes: int = variable(
        "SESSION_IDLE_MINUTES", 4_320, whole(5, 525_600), "time without a request that ends a session, in minutes"
    )
    bootstrap_email: str | None = variable(
        "BOOTSTRAP_ADMIN_EMAIL", None, email, "first admin, created when there is no user yet"
    )
    bootstrap_name: str = variable("BOOTSTRAP_ADMIN_NAME", "Owner", text, "name of that admin")
    bootstrap_key: str | None = variable(
        "BOOTSTRAP_ADMIN_API_KEY", None, secret(16), "API key of that admin, at least 16 characters", SECRET
    )
    meta_names_domains: bool = variable(
        "META_NAMES_DOMAINS",
        True,
        boolean,
        "whether `/api/meta` names the domains to every client, as existing clients expect; "
        "false: only to authenticated ones",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Where the API and the pages answer, and which web clients and proxies are trusted."""

    TITLE: ClassVar = "HTTP"

    app_env: str = variable(
        "APP_ENV",
        "development",
        text,
        "`production`, or a HOST that is not loopback, makes cookies Secure and rejects localhost origins",
    )
    host: str = variable("HOST", "127.0.0.1", text, "address of the HTTP listener")
    port: int = variable("PORT", 8787, whole(0, 65_535), "port of the HTTP listener")
    web_app_origin: str | None = variable(
        "WEB_APP_ORIGIN",
        None,
        origin,
        "address of the pages as browsers show it, or of a web client elsewhere; passkeys belong to its domain",
    )
    web_app_origins: tuple[str, ...] = variable(
        "WEB_APP_ORIGINS", (), origins, "more such origins, separated by commas"
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = variable(
        "TRUSTED_PROXIES",
        (),
        networks,
        "addresses or networks of reverse proxies, separated by commas: "
        "only their X-Forwarded-For and X-Forwarded-Proto count",
    )
    max_connections: int = variable(
        "HTTP_MAX_CONNECTIONS",
        2000,
        whole(16, 100_000),
        "HTTP connections at once, in all; a quarter is reserved for authenticated clients",
        SetWhen("more clients than that are connected or wait at the same time"),
    )
    max_connections_per_client: int = variable(
        "HTTP_MAX_CONNECTIONS_PER_CLIENT",
        200,
        _connections,
        "HTTP connections at once from one IPv4 address or IPv6 /64, of clients that have not authenticated",
    )

    @property
    def trusted_origins(self) -> tuple[str, ...]:
        """Every web origin that the operator configured, the primary one first."""
        primary = (self.web_app_origin,) if self.web_app_origin else ()
        return tuple(dict.fromkeys(primary + self.web_app_origins))

    @property
    def is_open_to_the_network(self) -> bool:
        """True unless only this machine can reach the HTTP listener."""
        address = find_address(self.host)
        return self.host != "localhost" if address is None else not address.is_loopback

    @property
    def cookies_are_secure(self) -> bool:
        """Whether cookies are marked Secure: browsers send them over TLS only."""
        return self.app_env == "production" or self.is_open_to_the_network

    @property
    def trusts_loopback(self) -> bool:
        """Whether pages of localhost origins, on a developer's machine, may act for their user."""
        return not self.cookies_are_secure


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitSettings:
    """How many requests are answered; those beyond get 429 `rate_limited`."""

    TITLE: ClassVar = "Rate limits"

    per_credential: int = variable(
        "RATE_LIMIT_PER_CREDENTIAL_MINUTE", 6000, _rate, "requests a minute with one API key or session; 0 is no limit"
    )
    per_user: int = variable(
        "RATE_LIMIT_PER_USER_MINUTE", 12_000, _rate, "requests a minute of one user, with all their keys; 0 is no limit"
    )
    per_address: int = variable(
        "RATE_LIMIT_PER_ADDRESS_MINUTE",
        3000,
        _rate,
        "requests a minute of clients that have not authenticated, from one IPv4 address or IPv6 /64; 0 is no limit",
    )
    sign_in: int = variable(
        "RATE_LIMIT_SIGN_IN_MINUTE",
        60,
        _rate,
        "failed attempts to sign in a minute, from one IPv4 address or IPv6 /64; 0 is no limit",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSettings:
    """How messages come in: by SMTP, and from the Email Worker."""

    TITLE: ClassVar = "Inbound messages"

    smtp_host: str = variable("SMTP_HOST", "127.0.0.1", text, "address of the SMTP listener")
    smtp_port: int = variable("SMTP_PORT", 2525, whole(0, 65_535), "port of the SMTP listener; 0 turns it off")
    smtp_tls_cert: str | None = variable(
        "SMTP_TLS_CERT",
        None,
        text,
        "PEM file with the certificate chain of the SMTP listener; with it STARTTLS is offered",
    )
    smtp_tls_key: str | None = variable(
        "SMTP_TLS_KEY", None, text, "PEM file with that certificate's key; default: in the same file"
    )
    smtp_max_connections: int = variable(
        "SMTP_MAX_CONNECTIONS",
        1000,
        _connections,
        "SMTP connections at once, in all",
        SetWhen("more mail servers than that send at the same time"),
    )
    smtp_max_connections_per_client: int = variable(
        "SMTP_MAX_CONNECTIONS_PER_CLIENT",
        100,
        _connections,
        "SMTP connections at once from one IPv4 address or IPv6 /64",
    )
    handover_secret: str | None = variable(
        "INBOUND_SECRET",
        None,
        secret(32),
        "shared with the Email Worker, at least 32 characters; unset: the hand-over is rejected",
        SECRET,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSettings:
    """How long mailboxes receive, and how much they and their owners may store."""

    TITLE: ClassVar = "Mailboxes"

    default_ttl_minutes: int = variable(
        "DEFAULT_MAILBOX_TTL_MINUTES",
        60,
        whole(MIN_TTL_MINUTES, MAX_TTL_MINUTES),
        "lifetime of a mailbox that is created without one, in minutes",
    )
    per_user: int = variable(
        "QUOTA_MAILBOXES_PER_USER",
        10_000,
        whole(0, 1_000_000),
        "mailboxes of one user that receive at the same time; 0 is no limit",
    )
    stored_bytes_per_user: int = variable(
        "QUOTA_STORED_PER_USER_BYTES",
        20_000_000_000,
        whole(0, 999_999_999_000_000),
        "size of all messages stored for one user, in bytes; 0 is no limit",
        FormerName("QUOTA_STORED_MEGABYTES_PER_USER", millions(0, 999_999_999), "millions of bytes"),
    )
    messages_per_mailbox: int = variable(
        "QUOTA_MESSAGES_PER_MAILBOX", 100_000, whole(0, 999_999_999), "messages stored in one mailbox; 0 is no limit"
    )
    max_message_bytes: int = variable(
        "MAX_MESSAGE_BYTES", 26_214_400, whole(1024, 104_857_600), "largest message accepted, in bytes"
    )
    reader_processes_enabled: bool = variable(
        "READER_PROCESSES_ENABLED",
        True,
        boolean,
        "whether messages are read by processes of their own, where a hostile one does no harm",
        SetWhen("the machine has too little memory for four small processes more"),
        FormerName("MAIL_READER_PROCESSES"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupSettings:
    """When expired mailboxes and subdomains without a mailbox go."""

    TITLE: ClassVar = "Clean-up"

    expired_grace_minutes: int = variable(
        "EXPIRED_MAILBOX_GRACE_MINUTES",
        1440,
        whole(0, MAX_TTL_MINUTES),
        "how long an expired mailbox can be revived before it is destroyed with its messages, in minutes",
    )
    idle_subdomain_grace_minutes: int = variable(
        "IDLE_SUBDOMAIN_GRACE_MINUTES",
        1440,
        whole(0, MAX_TTL_MINUTES),
        "how long a subdomain without a mailbox stays in Email Routing, which takes 29 in a zone, in minutes",
    )
    cleanup_batch_size: int = variable(
        "CLEANUP_BATCH_SIZE",
        3,
        whole(1, 20),
        "expired mailboxes whose routing rules are removed, or that are destroyed, at the same time",
        SetWhen("more mailboxes expire than are cleaned up in time, and Cloudflare's rate limit is not the reason"),
    )
    subdomain_cleanup_batch_size: int = variable(
        "SUBDOMAIN_CLEANUP_BATCH_SIZE",
        50,
        whole(0, 500),
        "subdomains without a mailbox that are taken out of Email Routing in a pass; 0 leaves all of them in",
        SetWhen("subdomains are to stay in Email Routing for ever: 0"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """Where everything is stored, and how long."""

    TITLE: ClassVar = "Storage"

    data_dir: str = variable("DATA_DIR", "./var", text, "folder of the embedded database and files")
    database_url: str | None = variable(
        "DATABASE_URL",
        None,
        url_of("sqlite", "postgresql"),
        "`sqlite:///path` or `postgresql://…`; default: a file in DATA_DIR",
        SECRET,  # it may hold a password
    )
    lock_timeout_seconds: int = variable(
        "DATABASE_PATIENCE_SECONDS",
        10,
        whole(1, 300),
        "how long to wait for what another process has locked in the database, in seconds",
        SetWhen("something else, such as a backup, locks the database for longer"),
    )
    blob_store_url: str | None = variable(
        "BLOB_STORE_URL", None, url_of("file"), "`file:///path` for large raw messages; default: a folder in DATA_DIR"
    )
    min_free_bytes: int = variable(
        "MIN_FREE_DISK_BYTES",
        67_108_864,
        whole(0, 999_999_999),
        "free disk below which no message is accepted, in bytes; senders are asked to try again",
        SetWhen("other programs on the same disk need more than that"),
    )
    audit_retention_days: int = variable(
        "AUDIT_RETENTION_DAYS",
        365,
        whole(1, 3650),
        "how long the audit log, the events of domains, and revoked or expired keys are stored, in days",
        FormerName("AUDIT_KEPT_DAYS"),
    )
    rejections_retention_days: int = variable(
        "REJECTIONS_RETENTION_DAYS",
        14,
        whole(1, 365),
        "how long rejected messages are listed, in days",
        FormerName("REJECTIONS_KEPT_DAYS"),
    )
    dead_after_seconds: int = variable(
        "PROCESS_DEAD_AFTER_SECONDS",
        10,
        whole(2, 600),
        "time without a heartbeat after which another process takes over the runs of one, in seconds",
        SetWhen("processes stand still for longer, such as on virtual machines that are moved"),
    )
