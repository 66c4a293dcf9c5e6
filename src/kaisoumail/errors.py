"""
Every refusal of the product, with its code, HTTP status and SMTP reply in one table.

A refusal is a `Problem` with a stable code. `CODES` has for each code its HTTP status, its SMTP reply,
and whether the same request can succeed later. `http/problems.py`, `web` and `smtp/session.py` render
it; no other code decides a status.

An exception that is not a Problem is "internal": logged with a reference, never shown.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """How a code is answered: *status* over HTTP, *smtp* over SMTP; *retry* if the same request may succeed later."""

    status: int
    smtp: str = "451 4.3.0 Temporary failure, try again later"
    retry: bool = False


CODES: Final[dict[str, ProblemKind]] = {
    # the request itself
    "invalid_request": ProblemKind(400),
    "malformed_json": ProblemKind(400),
    "unsupported_media_type": ProblemKind(415),
    "not_found": ProblemKind(404),
    "method_not_allowed": ProblemKind(405),
    "too_large": ProblemKind(413, "552 5.3.4 Message size exceeds limit"),
    "rate_limited": ProblemKind(429, retry=True),
    "uri_too_long": ProblemKind(414),
    "header_fields_too_large": ProblemKind(431),
    "request_timeout": ProblemKind(408, retry=True),
    "cross_site_request": ProblemKind(403),
    "two_sessions": ProblemKind(401),
    # authentication, users and credentials
    "authentication_required": ProblemKind(401),
    "invalid_api_key": ProblemKind(401),
    "invalid_signature": ProblemKind(401),
    "insufficient_scope": ProblemKind(403),
    "scope_unknown": ProblemKind(400),
    "grant_too_wide": ProblemKind(403),
    "user_exists": ProblemKind(409),
    "user_not_found": ProblemKind(404),
    "user_has_mailboxes": ProblemKind(409),
    "last_admin": ProblemKind(409),
    "api_key_not_found": ProblemKind(404),
    "session_not_found": ProblemKind(404),
    "admin_required": ProblemKind(403),
    "forbidden": ProblemKind(403),
    # passkeys
    "invalid_passkey": ProblemKind(401),
    "passkey_challenge_missing": ProblemKind(400),
    "passkey_exists": ProblemKind(409),
    "passkey_not_configured": ProblemKind(503),
    "passkey_not_found": ProblemKind(404),
    "passkey_origin_not_allowed": ProblemKind(400),
    "passkey_registration_failed": ProblemKind(400),
    # domains
    "subdomain_direct_bind_not_supported": ProblemKind(400),
    "not_an_apex": ProblemKind(400),
    "zone_not_in_cloudflare": ProblemKind(400),
    "domain_not_found": ProblemKind(404),
    "domain_exists": ProblemKind(409),
    "domain_disabled": ProblemKind(409),
    "domain_in_use": ProblemKind(409),
    "name_not_typed": ProblemKind(400),
    "domain_not_ours_to_delete": ProblemKind(409),
    "management_disabled": ProblemKind(409),
    "account_id_missing": ProblemKind(500),
    "token_missing": ProblemKind(500),
    "worker_name_missing": ProblemKind(500),
    "zone_id_missing": ProblemKind(500),
    "zone_gone": ProblemKind(502, retry=True),
    "zone_moved": ProblemKind(502, retry=True),
    # mailboxes and messages
    "no_domains": ProblemKind(400),
    "domain_not_enabled": ProblemKind(400),
    "domain_gone": ProblemKind(409),
    "invalid_mailbox_address": ProblemKind(400),
    "mailbox_exists": ProblemKind(409),
    "mailbox_taken": ProblemKind(409),
    "mailbox_not_found": ProblemKind(404),
    "message_not_found": ProblemKind(404),
    "raw_message_missing": ProblemKind(404),
    "attachment_not_found": ProblemKind(404),
    "html_body_missing": ProblemKind(404),
    "quota_reached": ProblemKind(409),
    "mailbox_full": ProblemKind(503, "452 4.2.2 Mailbox full, try again later", retry=True),
    "mailbox_unavailable": ProblemKind(422, "550 5.1.1 Mailbox unavailable"),
    # refusals by Cloudflare, whose 401 and 403 are never sent on as ours
    "cloudflare_rate_limited": ProblemKind(429, retry=True),
    "cloudflare_unreachable": ProblemKind(502, retry=True),
    "still_working": ProblemKind(504, retry=True),
    "cloudflare_token_invalid": ProblemKind(502),
    "zone_create_permission_missing": ProblemKind(502),
    "zone_permission_missing": ProblemKind(502),
    "email_routing_permission_missing": ProblemKind(502),
    "dns_permission_missing": ProblemKind(502),
    "worker_permission_missing": ProblemKind(502),
    "account_not_reachable": ProblemKind(502),
    "cloudflare_zone_exists": ProblemKind(502),
    "cloudflare_zone_not_active": ProblemKind(502, retry=True),
    "cloudflare_foreign_mx": ProblemKind(502),
    "cloudflare_foreign_rule": ProblemKind(409),
    "domain_full": ProblemKind(409),
    "cloudflare_quota_reached": ProblemKind(502),
    "cloudflare_rejected": ProblemKind(502),
    "cloudflare_unreadable": ProblemKind(502, retry=True),
    # our own failures
    "not_ready": ProblemKind(503, retry=True),
    "inbound_closed": ProblemKind(503),
    "storage_unavailable": ProblemKind(503, retry=True),
    "storage_locked": ProblemKind(503, retry=True),
    "storage_full": ProblemKind(503, "452 4.3.1 Insufficient system storage", retry=True),
    "overloaded": ProblemKind(503, "452 4.3.1 Server busy, try again later", retry=True),
    "internal": ProblemKind(500, retry=True),
}


class Problem(Exception):
    """
    A refusal: a stable *code*, a sentence for people, and *details* for programs.

    *details* must be plain JSON values. They are sent to clients with the code, so they hold no
    secrets and no content of messages.
    """

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(code, message, details)
        self.code = code
        self.message = message
        self.details = details

    @property
    def kind(self) -> ProblemKind:
        """How this problem is answered; an unknown code is a bug and raises KeyError."""
        return CODES[self.code]

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    def __reduce__(self) -> tuple[Any, ...]:
        # The workflow engine stores runs: a problem must be read back as it was written.
        return (_problem, (self.code, self.message, self.details))


ValueName = Literal["domain name", "passkey name", "page end", "text"]


class InvalidValue(Problem):
    """
    Problem `invalid_request` because of one *value*, for this *reason*, a sentence for people.

    The value has its name in our own words; `http/form_errors.py` knows the field of a request in which it comes.
    """

    def __init__(self, value: ValueName, reason: str) -> None:
        super().__init__("invalid_request", "Invalid request")
        self.value = value
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return (InvalidValue, (self.value, self.reason))


def _problem(code: str, message: str, details: dict[str, Any]) -> Problem:
    return Problem(code, message, **details)
