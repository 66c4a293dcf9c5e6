"""
The environment, read once into a frozen `Settings`.

Every variable is a field of `Settings` with its name, default, reader and meaning; the reference page
is checked against them. A blank value means unset. Invalid values stop the start with one error that
names them all. Only `server` and `cli` import this module; other packages receive values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final

from kaisoumail.model.client_address import find_address
from kaisoumail.model.mailbox import MAX_TTL_MINUTES, MIN_TTL_MINUTES
from kaisoumail.settings.readers import (
    InvalidValue,
    boolean,
    email,
    networks,
    origin,
    origins,
    resolver,
    secret,
    secrets,
    text,
    token,
    url_of,
    whole,
)

CLOUDFLARE_API: Final = "https://api.cloudflare.com/client/v4"


class BadEnvironment(Exception):
    """The environment is invalid. *faults* has one sentence for each invalid variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def _variable(name: str, default: Any, reader: Callable[[str], Any], meaning: str) -> Any:
    return field(default=default, metadata={"name": name, "reader": reader, "meaning": meaning})


# What nobody may read over a shoulder. A database URL may hold a password.
SECRETS: Final = frozenset(
    (
        "SESSION_SECRET",
        "SESSION_SECRETS_RETIRED",
        "INBOUND_SECRET",
        "CLOUDFLARE_RUNTIME_API_TOKEN",
        "CLOUDFLARE_API_TOKEN",
        "BOOTSTRAP_ADMIN_API_KEY",
        "DATABASE_URL",
    )
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable and its *value* as the environment would set it: "set" or empty for a secret, empty for none."""

    name: str
    value: str
    is_set: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration of the operator. Fields are in the order of the reference page."""

    app_env: str = _variable(
        "APP_ENV",
        "development",
        text,
        "`production`, or a HOST that is not loopback, makes cookies Secure and shuts out localhost origins",
    )
    session_secret: str = _variable(
        "SESSION_SECRET", None, secret(16), "key for sessions, at least 16 characters; required"
    )
    retired_secrets: tuple[str, ...] = _variable(
        "SESSION_SECRETS_RETIRED",
        (),
        secrets(16),
        "earlier values of SESSION_SECRET, separated by spaces: cookies made with them stay good until they end",
    )
    session_minutes: int = _variable(
        "SESSION_LIFETIME_MINUTES", 10_080, whole(5, 525_600), "longest life of a session, in minutes"
    )
    session_idle_minutes: int = _variable(
        "SESSION_IDLE_MINUTES", 4_320, whole(5, 525_600), "how long a session may be unused until it ends, in minutes"
    )
    meta_names_domains: bool = _variable(
        "META_NAMES_DOMAINS",
        True,
        boolean,
        "whether `/api/meta` names the domains to anybody, as existing clients expect; false: only to who is signed in",
    )
    audit_kept_days: int = _variable(
        "AUDIT_KEPT_DAYS",
        365,
        whole(1, 3650),
        "how long lines stay in the audit log, and with them what happened to a domain and revoked keys, in days",
    )
    host: str = _variable("HOST", "127.0.0.1", text, "address of the HTTP listener")
    port: int = _variable("PORT", 8787, whole(0, 65535), "port of the HTTP listener")
    http_max_connections: int = _variable(
        "HTTP_MAX_CONNECTIONS",
        2000,
        whole(16, 100_000),
        "HTTP connections at once, in all; a quarter is kept for who proves at once who it is",
    )
    http_max_connections_per_client: int = _variable(
        "HTTP_MAX_CONNECTIONS_PER_CLIENT",
        200,
        whole(1, 100_000),
        "HTTP connections at once from one IPv4 address or IPv6 /64 that has not proved who it is",
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = _variable(
        "TRUSTED_PROXIES",
        (),
        networks,
        "addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed",
    )
    rate_per_credential: int = _variable(
        "RATE_LIMIT_PER_CREDENTIAL_MINUTE",
        6000,
        whole(0, 1_000_000),
        "requests a minute with one API key or session; 0 is no limit",
    )
    rate_per_user: int = _variable(
        "RATE_LIMIT_PER_USER_MINUTE",
        12_000,
        whole(0, 1_000_000),
        "requests a minute by one user, whatever their keys; 0 is no limit",
    )
    rate_per_address: int = _variable(
        "RATE_LIMIT_PER_ADDRESS_MINUTE",
        3000,
        whole(0, 1_000_000),
        "requests a minute without a proven identity from one IPv4 address or IPv6 /64; 0 is no limit",
    )
    rate_of_sign_in: int = _variable(
        "RATE_LIMIT_SIGN_IN_MINUTE",
        60,
        whole(0, 1_000_000),
        "failed attempts to sign in a minute from one IPv4 address or IPv6 /64; 0 is no limit",
    )
    smtp_host: str = _variable("SMTP_HOST", "127.0.0.1", text, "address of the SMTP listener")
    smtp_port: int = _variable("SMTP_PORT", 2525, whole(0, 65535), "port of the SMTP listener; 0 turns it off")
    smtp_tls_cert: str | None = _variable(
        "SMTP_TLS_CERT",
        None,
        text,
        "PEM file with the certificate chain of the SMTP listener; with it STARTTLS is offered",
    )
    smtp_tls_key: str | None = _variable(
        "SMTP_TLS_KEY", None, text, "PEM file with that certificate's key; default: in the same file"
    )
    smtp_max_connections: int = _variable(
        "SMTP_MAX_CONNECTIONS", 1000, whole(1, 100_000), "SMTP connections at once, in all"
    )
    smtp_max_connections_per_client: int = _variable(
        "SMTP_MAX_CONNECTIONS_PER_CLIENT",
        100,
        whole(1, 100_000),
        "SMTP connections at once from one IPv4 address or IPv6 /64",
    )
    rejections_kept_days: int = _variable(
        "REJECTIONS_KEPT_DAYS", 14, whole(1, 365), "how long refused mail stays in the ledger, in days"
    )
    data_dir: str = _variable("DATA_DIR", "./var", text, "folder of the embedded database and files")
    database_url: str | None = _variable(
        "DATABASE_URL",
        None,
        url_of("sqlite", "postgresql"),
        "`sqlite:///path` or `postgresql://…`; default: a file in DATA_DIR",
    )
    database_patience: int = _variable(
        "DATABASE_PATIENCE_SECONDS",
        10,
        whole(1, 300),
        "how long to wait for what another process has locked in the database, in seconds",
    )
    blob_store_url: str | None = _variable(
        "BLOB_STORE_URL",
        None,
        url_of("file"),
        "`file:///path` for large raw messages; default: a folder in DATA_DIR",
    )
    inbound_secret: str | None = _variable(
        "INBOUND_SECRET",
        None,
        secret(32),
        "shared with the Email Worker, at least 32 characters; unset: the hand-over is refused",
    )
    max_message_bytes: int = _variable(
        "MAX_MESSAGE_BYTES", 26_214_400, whole(1024, 104_857_600), "largest mail taken, in bytes"
    )
    reader_processes: bool = _variable(
        "MAIL_READER_PROCESSES",
        True,
        boolean,
        "whether messages are read by processes of their own, where a hostile one does no harm; false saves memory",
    )
    min_free_bytes: int = _variable(
        "MIN_FREE_DISK_BYTES",
        67_108_864,
        whole(0, 999_999_999),
        "below this much free disk no mail is taken, in bytes; senders are asked to come back",
    )
    mailboxes_per_user: int = _variable(
        "QUOTA_MAILBOXES_PER_USER",
        10_000,
        whole(0, 1_000_000),
        "mailboxes of one user that receive mail at the same time; 0 is no limit",
    )
    stored_megabytes_per_user: int = _variable(
        "QUOTA_STORED_MEGABYTES_PER_USER",
        20_000,
        whole(0, 999_999_999),
        "mail kept for one user, in millions of bytes; 0 is no limit",
    )
    messages_per_mailbox: int = _variable(
        "QUOTA_MESSAGES_PER_MAILBOX", 100_000, whole(0, 999_999_999), "messages stored in one mailbox; 0 is no limit"
    )
    dead_after: int = _variable(
        "PROCESS_DEAD_AFTER_SECONDS",
        10,
        whole(2, 600),
        "how long a process is silent until another takes over its runs, in seconds",
    )
    management_enabled: bool = _variable(
        "EMAIL_ROUTING_MANAGEMENT_ENABLED",
        False,
        boolean,
        "whether anything at Cloudflare is read or changed",
    )
    runtime_api_token: str | None = _variable(
        "CLOUDFLARE_RUNTIME_API_TOKEN",
        None,
        token,
        "API token of the running service; wins over CLOUDFLARE_API_TOKEN",
    )
    shared_api_token: str | None = _variable(
        "CLOUDFLARE_API_TOKEN", None, token, "API token used when there is no runtime token"
    )
    account_id: str | None = _variable("CLOUDFLARE_ACCOUNT_ID", None, token, "account that owns the zones we create")
    worker_name: str | None = _variable(
        "EMAIL_WORKER_NAME", None, token, "Worker that every mailbox's routing rule targets"
    )
    cloudflare_api: str = _variable(
        "CLOUDFLARE_API_BASE_URL",
        CLOUDFLARE_API,
        url_of("http", "https"),
        "Cloudflare's API, a proxy, or the pretend one",
    )
    request_budget: int = _variable(
        "CLOUDFLARE_REQUEST_BUDGET",
        1100,
        whole(60, 60_000),
        "requests to Cloudflare in five minutes, over all processes; Cloudflare allows 1,200 for all one user does",
    )
    cloudflare_timeout: int = _variable(
        "CLOUDFLARE_TIMEOUT_SECONDS",
        30,
        whole(1, 300),
        "longest that one request to Cloudflare may take, to the last byte of its answer, in seconds",
    )
    max_retry_after: int = _variable(
        "CLOUDFLARE_MAX_RETRY_AFTER_SECONDS",
        900,
        whole(1, 86_400),
        "longest that Cloudflare may make us wait after a rate limit, in seconds",
    )
    asks_workers_ai: bool = _variable(
        "WORKERS_AI_ENABLED",
        False,
        boolean,
        "whether Workers AI is asked which of several likely codes is the code; it is sent the subject and what stands "
        "around each",
    )
    workers_ai_model: str = _variable(
        "WORKERS_AI_MODEL", "@cf/meta/llama-3.1-8b-instruct-fast", token, "model that is asked, by Cloudflare's name"
    )
    public_dns_resolver: tuple[str, int] | None = _variable(
        "PUBLIC_DNS_RESOLVER",
        None,
        resolver,
        "resolver asked for the present name servers of waiting domains, such as `1.1.1.1:53`; unset asks nobody",
    )
    default_ttl_minutes: int = _variable(
        "DEFAULT_MAILBOX_TTL_MINUTES",
        60,
        whole(MIN_TTL_MINUTES, MAX_TTL_MINUTES),
        "life of a mailbox made without saying how long, in minutes",
    )
    bootstrap_email: str | None = _variable(
        "BOOTSTRAP_ADMIN_EMAIL", None, email, "first admin, made when there is no user yet"
    )
    bootstrap_name: str = _variable("BOOTSTRAP_ADMIN_NAME", "Owner", text, "name of that admin")
    bootstrap_key: str | None = _variable(
        "BOOTSTRAP_ADMIN_API_KEY", None, secret(16), "API key of that admin, at least 16 characters"
    )
    web_app_origin: str | None = _variable(
        "WEB_APP_ORIGIN",
        None,
        origin,
        "address of the pages as browsers show it, or of a web client elsewhere; passkeys belong to its domain",
    )
    web_app_origins: tuple[str, ...] = _variable(
        "WEB_APP_ORIGINS", (), origins, "more such origins, separated by commas"
    )

    @property
    def cloudflare_token(self) -> str | None:
        return self.runtime_api_token or self.shared_api_token

    @property
    def trusted_origins(self) -> tuple[str, ...]:
        """Every web origin that the operator configured, the primary one first."""
        primary = (self.web_app_origin,) if self.web_app_origin else ()
        return tuple(dict.fromkeys(primary + self.web_app_origins))

    @property
    def is_production(self) -> bool:
        return self.app_env == "production"

    @property
    def is_open_to_the_network(self) -> bool:
        """True unless only this machine can reach the HTTP listener."""
        address = find_address(self.host)
        return self.host != "localhost" if address is None else not address.is_loopback

    @property
    def cookies_are_secure(self) -> bool:
        """Whether cookies are marked Secure: browsers send them over TLS only."""
        return self.is_production or self.is_open_to_the_network

    @property
    def trusts_loopback(self) -> bool:
        """Whether pages of localhost origins, on a developer's machine, may act for their user."""
        return not self.cookies_are_secure


def settings_from(environment: Mapping[str, str]) -> Settings:
    """
    The settings in *environment*.

    Raises BadEnvironment with every invalid variable and what is expected of it.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for variable in fields(Settings):
        name = variable.metadata["name"]
        value = environment.get(name, "").strip(" \t")
        if not value.strip():
            continue
        try:
            values[variable.name] = variable.metadata["reader"](value)
        except InvalidValue as error:
            faults.append(f"{name} {error}")
    if "session_secret" not in values and not any(fault.startswith("SESSION_SECRET") for fault in faults):
        faults.append("SESSION_SECRET is required: a random text of at least 16 characters")
    if faults:
        raise BadEnvironment(faults)
    settings = Settings(**values)
    if settings.asks_workers_ai and not (settings.account_id and settings.cloudflare_token):
        raise BadEnvironment(["WORKERS_AI_ENABLED needs CLOUDFLARE_ACCOUNT_ID and an API token"])
    return settings


def describe(settings: Settings, environment: Mapping[str, str]) -> list[Variable]:
    """Every variable with its value in *settings*, in the order of the reference page; no secret is in it."""
    described = []
    for variable in fields(Settings):
        name = variable.metadata["name"]
        is_set = bool(environment.get(name, "").strip())
        if name in SECRETS:
            value = "set" if is_set else ""
        elif is_set:
            value = environment[name].strip()
        else:
            value = _as_variable(getattr(settings, variable.name))
        described.append(Variable(name, value, is_set))
    return described


def _as_variable(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or value == () else str(value)
