"""
What can go wrong, once.

Everything the product refuses is a `Problem` with a stable code. `CODES` says for each code which
HTTP status it is, which SMTP reply, and whether trying the same thing again can help. Doors render
it (`http/problems.py`, `web`, `smtp/listener.py`); nobody else decides a status.

Anything raised that is not a Problem is "internal": logged with a reference, never shown.
"""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Kind:
    """How one code of Problem is answered: *status* over HTTP, *smtp* over SMTP; *retry* if it may pass later."""

    status: int
    smtp: str = "451 4.3.0 Temporary trouble on our side, try again later"
    retry: bool = False


CODES: Final[dict[str, Kind]] = {
    # the request itself
    "invalid_request": Kind(400),
    "malformed_json": Kind(400),
    "unsupported_media_type": Kind(415),
    "not_found": Kind(404),
    "method_not_allowed": Kind(405),
    "too_large": Kind(413, "552 5.3.4 Message too big for us"),
    "rate_limited": Kind(429, retry=True),
    "uri_too_long": Kind(414),
    "header_fields_too_large": Kind(431),
    "request_timeout": Kind(408, retry=True),
    "cross_site_request": Kind(403),
    "two_sessions": Kind(401),
    # who asks
    "authentication_required": Kind(401),
    "invalid_api_key": Kind(401),
    "invalid_signature": Kind(401),
    "insufficient_scope": Kind(403),
    "scope_unknown": Kind(400),
    "grant_too_wide": Kind(403),
    "user_exists": Kind(409),
    "user_not_found": Kind(404),
    "user_has_mailboxes": Kind(409),
    "last_admin": Kind(409),
    "api_key_not_found": Kind(404),
    "session_not_found": Kind(404),
    "admin_required": Kind(403),
    "forbidden": Kind(403),
    # passkeys
    "invalid_passkey": Kind(401),
    "passkey_challenge_missing": Kind(400),
    "passkey_exists": Kind(409),
    "passkey_not_configured": Kind(503),
    "passkey_not_found": Kind(404),
    "passkey_origin_not_allowed": Kind(400),
    "passkey_registration_failed": Kind(400),
    # domains
    "subdomain_direct_bind_not_supported": Kind(400),
    "not_an_apex": Kind(400),
    "zone_not_in_cloudflare": Kind(400),
    "domain_not_found": Kind(404),
    "domain_exists": Kind(409),
    "domain_disabled": Kind(409),
    "domain_busy": Kind(409, retry=True),
    "domain_in_use": Kind(409),
    "name_not_typed": Kind(400),
    "domain_not_ours_to_delete": Kind(409),
    "management_disabled": Kind(409),
    "account_id_missing": Kind(500),
    "token_missing": Kind(500),
    "worker_name_missing": Kind(500),
    "zone_id_missing": Kind(500),
    # mailboxes and messages
    "no_domains": Kind(400),
    "domain_not_enabled": Kind(400),
    "domain_gone": Kind(409),
    "invalid_mailbox_address": Kind(400),
    "mailbox_exists": Kind(409),
    "mailbox_taken": Kind(409),
    "mailbox_not_found": Kind(404),
    "message_not_found": Kind(404),
    "raw_message_missing": Kind(404),
    "attachment_not_found": Kind(404),
    "html_body_missing": Kind(404),
    "quota_reached": Kind(409),
    "mailbox_full": Kind(503, "452 4.2.2 Mailbox full, try again later", retry=True),
    "mailbox_unavailable": Kind(422, "550 5.1.1 Mailbox unavailable"),
    # Cloudflare's answers, never mistaken for ours
    "cloudflare_rate_limited": Kind(429, retry=True),
    "cloudflare_unreachable": Kind(502, retry=True),
    "still_working": Kind(504, retry=True),
    "cloudflare_token_invalid": Kind(502),
    "zone_create_permission_missing": Kind(502),
    "zone_permission_missing": Kind(502),
    "email_routing_permission_missing": Kind(502),
    "dns_permission_missing": Kind(502),
    "worker_permission_missing": Kind(502),
    "account_not_reachable": Kind(502),
    "cloudflare_zone_exists": Kind(502),
    "cloudflare_zone_not_active": Kind(502, retry=True),
    "cloudflare_foreign_mx": Kind(502),
    "cloudflare_quota_reached": Kind(502),
    "cloudflare_rejected": Kind(502),
    "cloudflare_unreadable": Kind(502, retry=True),
    # our own weakness
    "not_ready": Kind(503, retry=True),
    "inbound_closed": Kind(503),
    "storage_unavailable": Kind(503, retry=True),
    "storage_locked": Kind(503, retry=True),
    "storage_full": Kind(503, "452 4.3.1 Insufficient storage on our side, try again later", retry=True),
    "overloaded": Kind(503, "452 4.3.1 Too busy just now, try again later", retry=True),
    "internal": Kind(500, retry=True),
}


class Problem(Exception):
    """
    A refusal with a stable *code*, a sentence for people, and *details* for programs.

    *details* must be plain JSON values. They are sent to clients beside the code, so nothing secret
    and no mail content may be put there.
    """

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(code, message, details)
        self.code = code
        self.message = message
        self.details = details

    @property
    def kind(self) -> Kind:
        """How this problem is answered; an unknown code is a bug and raises KeyError."""
        return CODES[self.code]

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Runs are stored: a problem must come back from the workflow engine as it went in.
        return (_problem, (self.code, self.message, self.details))


def _problem(code: str, message: str, details: dict[str, Any]) -> Problem:
    return Problem(code, message, **details)
