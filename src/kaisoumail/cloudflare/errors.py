"""
The errors of Cloudflare calls, by what we should do about them.

    CloudflareError (method, path, http status, code, message, ray id)
    ├─ CloudflareUnreachable  (Timeout, ConnectionLost)      retry; a write must first check whether it happened
    ├─ AccessRefused          (BadToken, MissingPermission)  stop; the admin must fix the token
    ├─ RateLimited            (retry_after)                  wait; never marks a domain as failed
    ├─ RequestRejected        (AlreadyExists, NotFound, ZoneNotActive, ForeignMx, QuotaReached,       decide by type
    │                          ZoneFull, DuplicateRule, ForeignRule, TryLater, NotAnApex, ZoneNotAccepted,
    │                          InvalidRecord, ManagedRecord)
    ├─ CloudflareFault        (5xx)                          retry with growing pauses
    └─ UnreadableAnswer       (not the envelope we know)     stop; the answer has an excerpt

Numbers and meanings: Cloudflare API reference (September 2026) and answers reported by projects that
call it; for a number that is not documented the HTTP status decides.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self

from kaisoumail.errors import Problem
from kaisoumail.mail_routing.capacity import HOSTS_PER_ZONE, RULES_PER_ZONE

# Permissions as Cloudflare's token form names them (dash.cloudflare.com, "Create Custom Token").
ZONE: Final = "Zone: Zone: Edit"
RULES: Final = "Zone: Email Routing Rules: Edit"
SETTINGS: Final = "Zone: Zone Settings: Edit"
DNS: Final = "Zone: DNS: Edit"
PENDING: Final = "Zone is pending activation: set the name servers Cloudflare assigned at the registrar"
WORKERS: Final = "Account: Workers Scripts: Edit"
AI: Final = "Account: Workers AI: Read"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    Cloudflare's answer to one call. *status* 0 means none was received; the token is never in here.

    *milliseconds* is the duration of the call; None for a call that was not made.
    """

    method: str
    path: str
    status: int = 0
    code: int | None = None
    message: str = ""
    ray_id: str | None = None
    milliseconds: int | None = None

    def as_details(self) -> dict[str, Any]:
        """This answer as JSON for clients and pages."""
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "rayId": self.ray_id,
            "milliseconds": self.milliseconds,
        }


class CloudflareError(Exception):
    """A call that did not succeed; *answer* is Cloudflare's own."""

    problem_code: ClassVar[str] = "cloudflare_rejected"

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer

    def __str__(self) -> str:
        reason = f"{self.answer.code}: {self.answer.message}" if self.answer.code is not None else self.answer.message
        return f"{self.answer.method} {self.answer.path} → {self.answer.status or 'no answer'} {reason}".strip()

    def problem(self) -> Problem:
        """This error as the Problem for our own clients, with the exact answer in `details.cloudflare`."""
        return Problem(self.problem_code, self.sentence(), source="cloudflare", cloudflare=self.answer.as_details())

    def sentence(self) -> str:
        """The sentence of the Problem, for people: Cloudflare's own message, where it gave one."""
        return self.answer.message or "Cloudflare API request failed"

    def after(self, milliseconds: int) -> Self:
        """This error, with the duration of its call."""
        self.answer = replace(self.answer, milliseconds=milliseconds)
        self.args = (self.answer, *self.args[1:])  # a run's error is stored and read back
        return self


class CloudflareUnreachable(CloudflareError):
    """No answer: whether the request was executed is unknown."""

    problem_code = "cloudflare_unreachable"

    def sentence(self) -> str:
        return f"Cloudflare did not answer ({self.answer.message})"


class Timeout(CloudflareUnreachable):
    pass


class ConnectionLost(CloudflareUnreachable):
    pass


class AccessRefused(CloudflareError):
    """The token is not sufficient; a retry does not help."""


class BadToken(AccessRefused):
    problem_code = "cloudflare_token_invalid"


class MissingPermission(AccessRefused):
    """
    The token may not do this, or not with this zone.

    Cloudflare answers "Authentication error" for all of these, so the missing permission is derived from the refused
    call: its product, and whether it creates a zone.
    """

    problem_code = "zone_permission_missing"

    @property
    def permission(self) -> str:
        """The permission to add, as Cloudflare's token form names it."""
        path = self.answer.path
        if "/workers/scripts" in path:
            return WORKERS
        if "/ai/run/" in path:
            return AI
        if "/email/routing/rules" in path:
            return RULES
        if "/email/routing" in path:
            return SETTINGS
        return DNS if "/dns_records" in path else ZONE

    def problem(self) -> Problem:
        """As for any error; the code is that of the missing permission, which `details.permission` names."""
        codes = {
            RULES: "email_routing_permission_missing",
            SETTINGS: "email_routing_permission_missing",
            DNS: "dns_permission_missing",
            WORKERS: "worker_permission_missing",
        }
        creates = self.answer.method == "POST" and self.answer.path == "/zones"
        code = "zone_create_permission_missing" if creates else codes.get(self.permission, self.problem_code)
        details = {"source": "cloudflare", "permission": self.permission, "cloudflare": self.answer.as_details()}
        return Problem(code, self.sentence(), **details)

    def sentence(self) -> str:
        """Cloudflare's message, which existing clients match on, and the permission unless it names one (code 0)."""
        if self.answer.code == 0:
            return super().sentence()
        return f"{super().sentence()} (add to the token: {self.permission})"


class RateLimited(CloudflareError):
    """
    Too many requests. *retry_after* is in seconds, already capped.

    *cause* is the request that caused it, with the field names of the API, once the limiter has added it.
    """

    problem_code = "cloudflare_rate_limited"

    def __init__(self, answer: Answer, retry_after: int, cause: dict[str, Any] | None = None) -> None:
        super().__init__(answer)
        self.args = (answer, retry_after, cause)  # a run's error is stored and read back
        self.retry_after = retry_after
        self.cause = cause

    def problem(self) -> Problem:
        """As for any error, with `details.retryAfterSeconds`, and the cause in `details.rateLimitContext`."""
        return Problem(
            self.problem_code,
            "Cloudflare API rate limit reached; retry later",
            source="cloudflare",
            retryAfterSeconds=self.retry_after,
            rateLimitContext=self.cause,
            cloudflare=self.answer.as_details(),
        )


class RequestRejected(CloudflareError):
    """Cloudflare understood the request and refused it."""


class AlreadyExists(RequestRejected):
    problem_code = "cloudflare_zone_exists"


class NotFound(RequestRejected):
    pass


class ZoneNotActive(RequestRejected):
    """Email Routing needs an active zone; this one still waits for its name servers."""

    problem_code = "cloudflare_zone_not_active"

    def sentence(self) -> str:
        return f"{PENDING} (Cloudflare: {self.answer.message})"


class ForeignMx(RequestRejected):
    """The apex has MX records of other mail servers, which Email Routing does not accept beside its own."""

    problem_code = "cloudflare_foreign_mx"


class QuotaReached(RequestRejected):
    problem_code = "cloudflare_quota_reached"


class ZoneFull(QuotaReached):
    """The zone has as many routing rules, or as many hosts, as Cloudflare allows; which of them, the path says."""

    problem_code = "domain_full"

    def problem(self) -> Problem:
        """As for any error, with the numbers in `details.rules` or `details.hosts`."""
        is_rule = self.answer.path.endswith("/rules")
        what, limit = ("rules", RULES_PER_ZONE) if is_rule else ("hosts", HOSTS_PER_ZONE)
        details = {what: {"used": limit, "limit": limit}, "cloudflare": self.answer.as_details()}
        return Problem(self.problem_code, self.sentence(), source="cloudflare", **details)

    def sentence(self) -> str:
        if self.answer.path.endswith("/rules"):
            return f"The domain has all {RULES_PER_ZONE} routing rules that Cloudflare allows"
        return f"The domain has all {HOSTS_PER_ZONE} hosts in Email Routing that Cloudflare allows, its apex included"


class TryLater(RequestRejected):
    """This call is rate limited (activation check: once per hour on free zones); other calls are not affected."""


class DuplicateRule(RequestRejected):
    """A routing rule for this address exists already."""


class ForeignRule(DuplicateRule):
    """A routing rule that we did not make sends messages for this address elsewhere."""

    problem_code = "cloudflare_foreign_rule"

    def sentence(self) -> str:
        return "Another routing rule at Cloudflare has this address; remove it there or choose another address"


class NotAnApex(RequestRejected):
    pass


class ZoneNotAccepted(RequestRejected):
    """Cloudflare does not accept this name: not registered, held, banned or restricted."""


class InvalidRecord(RequestRejected):
    pass


class ManagedRecord(RequestRejected):
    """A DNS record that Email Routing has locked."""


class CloudflareFault(CloudflareError):
    """An error inside Cloudflare (5xx)."""

    problem_code = "cloudflare_unreachable"


class UnreadableAnswer(CloudflareError):
    """An answer that is not the envelope, or a 2xx status whose envelope reports no success."""

    problem_code = "cloudflare_unreadable"


# Every error code that is documented or reported for the endpoints we use.
BY_CODE: Final[dict[int, type[CloudflareError]]] = {
    0: MissingPermission,  # Requires permission "com.cloudflare.api.account.zone.create" …
    1000: BadToken,  # Invalid API Token
    1001: BadToken,  # no credentials, on token verify
    1003: NotFound,  # invalid zone, on dns_records
    1004: InvalidRecord,  # DNS Validation Error, the older form
    1046: ManagedRecord,  # the older number of 890190
    1049: ZoneNotAccepted,  # not a registered domain
    1061: AlreadyExists,
    1093: ZoneNotAccepted,
    1097: ZoneNotAccepted,  # banned
    1099: NotAnApex,
    1104: ZoneNotAccepted,  # partial zones
    1105: ZoneNotAccepted,  # restricted for a while: too many attempts
    1110: ZoneNotAccepted,  # registrar could not be looked up
    1116: NotAnApex,
    1118: QuotaReached,  # too many pending zones
    1224: TryLater,  # activation check: once per hour
    2007: InvalidRecord,  # Invalid Input
    2008: ForeignMx,
    2009: ZoneNotActive,
    2014: DuplicateRule,
    2015: NotFound,  # rule
    2016: NotFound,  # Worker
    2020: RequestRejected,  # Invalid rule operation
    2036: MissingPermission,
    2054: RequestRejected,  # destination address is not verified
    6003: BadToken,  # Invalid request headers
    6111: BadToken,
    7000: NotFound,
    7003: NotFound,
    9005: InvalidRecord,
    9101: InvalidRecord,
    9103: BadToken,
    9106: BadToken,
    9109: MissingPermission,  # a zone or a /user route that this token cannot see
    9300: QuotaReached,
    10000: MissingPermission,  # Authentication error
    10007: NotFound,  # Worker
    10021: InvalidRecord,  # or a Worker's script that cannot be used
    81044: NotFound,
    81053: InvalidRecord,
    81054: InvalidRecord,
    81057: AlreadyExists,
    81058: AlreadyExists,
    890190: ManagedRecord,
}

_BY_STATUS: Final[dict[int, type[CloudflareError]]] = {
    401: BadToken,
    403: MissingPermission,
    404: NotFound,
    409: RequestRejected,
    410: NotFound,
}


def error_for(answer: Answer, retry_after: int) -> CloudflareError:
    """
    The typed error of an unsuccessful *answer* in Cloudflare's envelope.

    A 429 is a rate limit (except code 1224: TryLater) and a 5xx a fault of Cloudflare, whatever the code; otherwise
    the code decides, then the status.
    """
    if answer.status == 429 and answer.code != 1224:
        return RateLimited(answer, retry_after)
    if answer.status >= 500:
        return CloudflareFault(answer)
    kind = BY_CODE.get(answer.code) if answer.code is not None else None
    if kind is None:
        kind = _BY_STATUS.get(answer.status, RequestRejected if 400 <= answer.status < 500 else UnreadableAnswer)
    return kind(answer)
