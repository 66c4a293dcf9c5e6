"""
Everything Cloudflare can answer that is not a yes, by what we should do about it.

    CloudflareError (method, path, http status, code, message, ray id)
    ├─ CloudflareUnreachable  (Timeout, ConnectionLost)      retry; a write must first look whether it happened
    ├─ AccessRefused          (BadToken, MissingPermission)  stop; the admin must mend the token
    ├─ RateLimited            (retry_after)                  wait; never marks a domain broken
    ├─ RequestRejected        (AlreadyExists, NotFound, ZoneNotActive, ForeignMx, QuotaReached, DuplicateRule,
    │                          TryLater, NotAnApex, ZoneNotAccepted, InvalidRecord, ManagedRecord)   decide by type
    ├─ CloudflareFault        (5xx)                          retry with growing pauses
    └─ UnreadableAnswer       (not the envelope we know)     stop; keep the bytes

Numbers and meanings: Cloudflare API reference (September 2026) and answers reported by projects that
call it; where a number is not documented the HTTP status decides.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self

from kaisoumail.errors import Problem

# Permissions as Cloudflare's token form names them (dash.cloudflare.com, "Create Custom Token").
ZONE: Final = "Zone: Zone: Edit"
RULES: Final = "Zone: Email Routing Rules: Edit"
SETTINGS: Final = "Zone: Zone Settings: Edit"
DNS: Final = "Zone: DNS: Edit"
WORKERS: Final = "Account: Workers Scripts: Edit"
AI: Final = "Account: Workers AI: Read"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came back, as far as something did. *status* 0 means no answer; the token is never in here.

    *milliseconds* is how long it took; None for a call that was not made.
    """

    method: str
    path: str
    status: int = 0
    code: int | None = None
    message: str = ""
    ray_id: str | None = None
    milliseconds: int | None = None

    def as_details(self) -> dict[str, Any]:
        """This answer as clients and pages get it."""
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
        told = f"{self.answer.code}: {self.answer.message}" if self.answer.code is not None else self.answer.message
        return f"{self.answer.method} {self.answer.path} → {self.answer.status or 'no answer'} {told}".strip()

    def problem(self) -> Problem:
        """This error as the Problem our own callers see, with the exact answer under `details.cloudflare`."""
        return Problem(self.problem_code, self.sentence(), source="cloudflare", cloudflare=self.answer.as_details())

    def sentence(self) -> str:
        return self.answer.message or "Cloudflare API request failed"

    def after(self, milliseconds: int) -> Self:
        """This error, which took *milliseconds* to come back."""
        self.answer = replace(self.answer, milliseconds=milliseconds)
        self.args = (self.answer, *self.args[1:])  # what is stored with a run, and read back
        return self


class CloudflareUnreachable(CloudflareError):
    """No answer: nobody knows whether it happened."""

    problem_code = "cloudflare_unreachable"

    def sentence(self) -> str:
        return f"Cloudflare did not answer ({self.answer.message})"


class Timeout(CloudflareUnreachable):
    pass


class ConnectionLost(CloudflareUnreachable):
    pass


class AccessRefused(CloudflareError):
    """The token will not do, now or on the next try."""


class BadToken(AccessRefused):
    problem_code = "cloudflare_token_invalid"


class MissingPermission(AccessRefused):
    """
    The token may not do this, or not with this zone.

    Cloudflare says "Authentication error" for all of it, so which permission it is, is told from the
    call that was refused: its product and whether it changes anything.
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
        codes = {
            RULES: "email_routing_permission_missing",
            SETTINGS: "email_routing_permission_missing",
            DNS: "dns_permission_missing",
            WORKERS: "worker_permission_missing",
        }
        creates = self.answer.method == "POST" and self.answer.path == "/zones"
        code = "zone_create_permission_missing" if creates else codes.get(self.permission, self.problem_code)
        told = {"source": "cloudflare", "permission": self.permission, "cloudflare": self.answer.as_details()}
        return Problem(code, self.sentence(), **told)


class RateLimited(CloudflareError):
    """
    Too many requests. *retry_after* is in seconds, already capped.

    *cause* says which request brought it about, in the contract's words, once the gate knows.
    """

    problem_code = "cloudflare_rate_limited"

    def __init__(self, answer: Answer, retry_after: int, cause: dict[str, Any] | None = None) -> None:
        super().__init__(answer)
        self.args = (answer, retry_after, cause)  # a run's error is stored and read back
        self.retry_after = retry_after
        self.cause = cause

    def problem(self) -> Problem:
        return Problem(
            self.problem_code,
            "Cloudflare API rate limit reached; retry later",
            source="cloudflare",
            retryAfterSeconds=self.retry_after,
            rateLimitContext=self.cause,
            cloudflare=self.answer.as_details(),
        )


class RequestRejected(CloudflareError):
    """Understood and turned down."""


class AlreadyExists(RequestRejected):
    problem_code = "cloudflare_zone_exists"


class NotFound(RequestRejected):
    pass


class ZoneNotActive(RequestRejected):
    """Email Routing needs an active zone; this one still waits for its name servers."""

    problem_code = "cloudflare_zone_not_active"

    def sentence(self) -> str:
        return (
            "Zone is pending activation: set the name servers Cloudflare assigned at the registrar "
            f"(Cloudflare: {self.answer.message})"
        )


class ForeignMx(RequestRejected):
    """The apex has mail servers elsewhere, which Email Routing will not share a name with."""

    problem_code = "cloudflare_foreign_mx"


class QuotaReached(RequestRejected):
    problem_code = "cloudflare_quota_reached"


class TryLater(RequestRejected):
    """Allowed only so often (activation check: once per hour on free zones); says nothing of other calls."""


class DuplicateRule(RequestRejected):
    """A routing rule for this address is there already."""


class NotAnApex(RequestRejected):
    pass


class ZoneNotAccepted(RequestRejected):
    """Cloudflare will not take this name: not registered, held, banned or restricted."""


class InvalidRecord(RequestRejected):
    pass


class ManagedRecord(RequestRejected):
    """A record that Email Routing locks."""


class CloudflareFault(CloudflareError):
    """Cloudflare's own trouble."""

    problem_code = "cloudflare_unreachable"


class UnreadableAnswer(CloudflareError):
    """An answer that is not the envelope, or a success that says it is none."""

    problem_code = "cloudflare_unreadable"


# Every number that the endpoints we use are documented or reported to answer with.
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

    A 429 is a rate limit and a 5xx is breakage whatever number it carries; then the number decides,
    then the status.
    """
    if answer.status == 429 and answer.code != 1224:
        return RateLimited(answer, retry_after)
    if answer.status >= 500:
        return CloudflareFault(answer)
    kind = BY_CODE.get(answer.code) if answer.code is not None else None
    if kind is None:
        kind = _BY_STATUS.get(answer.status, RequestRejected if 400 <= answer.status < 500 else UnreadableAnswer)
    return kind(answer)
