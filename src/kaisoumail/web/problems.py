"""Every refusal in people's words: what it is, what to do, and where the guide says more."""

from dataclasses import dataclass
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from kaisoumail.errors import Problem
from kaisoumail.web.guide import guide_url
from kaisoumail.web.languages import knows
from kaisoumail.web.render import page
from kaisoumail.web.session import to_login

_log = structlog.get_logger("kaisoumail.http")
_BIND: Final = "project-domain-binding"
_CATALOG: Final = "domain-catalog-enablement"

# What a page says -> where the guide explains it. Its words are `problem.<kind>.title` and `.text`.
KINDS: Final[dict[str, tuple[str, str] | None]] = {
    "subdomain_direct_bind_not_supported": (_BIND, "bind-apex-only"),
    "not_an_apex": (_BIND, "bind-apex-only"),
    "not_a_domain": (_BIND, "bind-apex-only"),
    "domain_exists": (_CATALOG, "zone-already-exists-in-project"),
    "cloudflare_zone_exists": (_CATALOG, "bind-domain-in-cloudflare"),
    "cloudflare_rate_limited": None,
    "zone_create_permission_missing": (_BIND, "missing-zone-create-permission"),
    "email_routing_permission_missing": (_BIND, "email-routing-auth-or-permission-failure"),
    "zone_permission_missing": (_BIND, "missing-zone-binding-permission"),
    "dns_permission_missing": (_BIND, "missing-zone-binding-permission"),
    "worker_permission_missing": ("cloudflare-token-permissions", "permissions"),
    "account_not_reachable": (_BIND, "missing-zone-binding-permission"),
    "cloudflare_token_invalid": (_BIND, "missing-zone-binding-permission"),
    "account_id_missing": (_BIND, "missing-cloudflare-account-id"),
    "token_missing": (_BIND, "email-routing-runtime-config-missing"),
    "worker_name_missing": (_BIND, "email-routing-runtime-config-missing"),
    "management_disabled": (_BIND, "feature-enablement"),
    "cloudflare_zone_not_active": (_BIND, "zone-pending-or-nameserver-not-delegated"),
    "cloudflare_foreign_mx": (_BIND, "troubleshooting"),
    "cloudflare_quota_reached": (_BIND, "troubleshooting"),
    "cloudflare_unreachable": (_BIND, "generic-bind-failure"),
    "cloudflare_unreadable": (_BIND, "generic-bind-failure"),
    "cloudflare_rejected": (_BIND, "generic-bind-failure"),
    "zone_id_missing": (_CATALOG, "provisioning-error-after-enable"),
    "domain_disabled": None,
    "domain_in_use": None,
    "domain_not_ours_to_delete": None,
    "name_not_typed": None,
    "still_working": None,
    "zone_not_in_cloudflare": (_CATALOG, "catalog-zone-not-visible"),
    "domain_busy": None,
    "domain_not_found": None,
    "no_domains": None,
    "domain_not_enabled": None,
    "domain_gone": None,
    "invalid_mailbox_address": None,
    "mailbox_taken": None,
    "mailbox_not_found": None,
    "message_not_found": None,
    "raw_message_missing": None,
    "attachment_not_found": None,
    "html_body_missing": None,
    "invalid_api_key": None,
    "admin_required": None,
    "forbidden": None,
    "not_found": None,
    "too_large": None,
    "invalid_request": None,
    "storage_unavailable": None,
    "internal": None,
    "other": (_BIND, "generic-bind-failure"),
}

# What the sentences name, for a problem read back from a row or a URL without its details.
_BLANKS: Final = {
    "mailDomain": "…",
    "recommendedApex": "…",
    "recommendedMailboxSubdomain": "…",
    "requestId": None,
}


@dataclass(frozen=True, slots=True)
class Explained:
    """
    A problem as a page shows it.

    *kind* picks the words, *details* fill them in; *said* is the original sentence where it adds
    something, *told* Cloudflare's exact answer, for whoever wants to see it.
    """

    kind: str
    code: str
    details: dict[str, Any]
    guide: str | None = None
    said: str | None = None
    told: dict[str, Any] | None = None


def explained(problem: Problem) -> Explained:
    """How a page shows *problem*."""
    kind = _kind(problem)
    place = KINDS[kind]
    fields = problem.details.get("fieldErrors", {})
    first = next((sentences[0] for sentences in fields.values()), None) if isinstance(fields, dict) else None
    details = {**_BLANKS, "seconds": problem.details.get("retryAfterSeconds", 0), **problem.details}
    return Explained(
        kind=kind,
        code=problem.code,
        details=details,
        guide=None if place is None else guide_url(*place),
        said=first or (problem.message if kind in ("other", "cloudflare_rejected") else None),
        told=problem.details.get("cloudflare"),
    )


def _kind(problem: Problem) -> str:
    if problem.code == "invalid_request" and "mailDomain" in problem.details.get("fieldErrors", {}):
        return "not_a_domain"
    return problem.code if problem.code in KINDS else "other"


def words_exist(kind: str) -> bool:
    return knows(f"problem.{kind}.title") and knows(f"problem.{kind}.text")


def on_problem(request: "Request[Any, Any, Any]", problem: Problem) -> Response[Any]:
    if problem.code == "authentication_required":
        return to_login(request)
    headers = {"retry-after": str(problem.details["retryAfterSeconds"])} if _waits(problem) else {}
    status = problem.kind.status
    return page(request, "error/page.html", status=status, headers=headers, problem=explained(problem))


def on_http_exception(request: "Request[Any, Any, Any]", error: HTTPException) -> Response[Any]:
    """What the framework refuses by itself."""
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "invalid_request")
    return on_problem(request, Problem(code, error.detail))


def on_anything_else(request: "Request[Any, Any, Any]", error: Exception) -> Response[Any]:
    """A bug: logged whole with the request's id, told to the reader as that id and nothing more."""
    request_id = request.scope.get("state", {}).get("request_id")
    _log.error("http.crash", request_id=request_id, path=request.url.path, exc_info=error)
    return on_problem(request, Problem("internal", "Internal server error", requestId=request_id))


def _waits(problem: Problem) -> bool:
    return isinstance(problem.details.get("retryAfterSeconds"), int)


HANDLERS: Final[dict[Any, Any]] = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    Exception: on_anything_else,
}
