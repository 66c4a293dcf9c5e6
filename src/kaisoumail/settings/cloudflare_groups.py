"""The variables about Cloudflare and other outbound requests; `groups.py` has the others."""

from dataclasses import dataclass
from typing import ClassVar, Final

from kaisoumail.settings.readers import boolean, resolver, token, url_of, whole
from kaisoumail.settings.variable import SECRET, SetWhen, variable

CLOUDFLARE_API: Final = "https://api.cloudflare.com/client/v4"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudflareSettings:
    """What may be done at Cloudflare, and as whom."""

    TITLE: ClassVar = "Cloudflare"

    management_enabled: bool = variable(
        "EMAIL_ROUTING_MANAGEMENT_ENABLED", False, boolean, "whether anything at Cloudflare is read or changed"
    )
    runtime_api_token: str | None = variable(
        "CLOUDFLARE_RUNTIME_API_TOKEN",
        None,
        token,
        "API token of the running service; wins over CLOUDFLARE_API_TOKEN",
        SECRET,
    )
    shared_api_token: str | None = variable(
        "CLOUDFLARE_API_TOKEN", None, token, "API token used when there is no runtime token", SECRET
    )
    account_id: str | None = variable("CLOUDFLARE_ACCOUNT_ID", None, token, "account that owns the zones we create")
    worker_name: str | None = variable(
        "EMAIL_WORKER_NAME", None, token, "Worker that every mailbox's routing rule targets"
    )
    workers_ai_enabled: bool = variable(
        "WORKERS_AI_ENABLED",
        False,
        boolean,
        "whether Workers AI chooses among several candidates for the code of a message; "
        "it is sent the subject and the words around each",
    )
    workers_ai_model: str = variable(
        "WORKERS_AI_MODEL", "@cf/meta/llama-3.1-8b-instruct-fast", token, "model that is asked, by Cloudflare's name"
    )

    @property
    def api_token(self) -> str | None:
        """The token of the running service."""
        return self.runtime_api_token or self.shared_api_token


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSettings:
    """How Cloudflare's API and public name servers are asked."""

    TITLE: ClassVar = "Outbound requests"

    request_budget: int = variable(
        "CLOUDFLARE_REQUEST_BUDGET",
        1100,
        whole(60, 60_000),
        "requests to Cloudflare in five minutes, over all processes; Cloudflare allows 1,200 for all one user does",
    )
    api_url: str = variable(
        "CLOUDFLARE_API_BASE_URL",
        CLOUDFLARE_API,
        url_of("http", "https"),
        "Cloudflare's API",
        SetWhen("a proxy stands between, or the sandbox answers"),
    )
    timeout_seconds: int = variable(
        "CLOUDFLARE_TIMEOUT_SECONDS",
        30,
        whole(1, 300),
        "longest that one request to Cloudflare may take, to the last byte of its answer, in seconds",
        SetWhen("the network is so slow that answers come later"),
    )
    max_retry_after_seconds: int = variable(
        "CLOUDFLARE_MAX_RETRY_AFTER_SECONDS",
        900,
        whole(1, 86_400),
        "longest that Cloudflare may make us wait after a rate limit, in seconds",
        SetWhen("Cloudflare asks for longer pauses and rejects what comes before they end"),
    )
    dns_resolver: tuple[str, int] | None = variable(
        "PUBLIC_DNS_RESOLVER",
        None,
        resolver,
        "resolver asked for the present name servers of waiting domains, such as `1.1.1.1:53`; unset: nobody",
    )
