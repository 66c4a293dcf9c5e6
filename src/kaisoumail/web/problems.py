"""Refusals as pages show them: what happened, what to do, and the section of the guide."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from kaisoumail.errors import Problem
from kaisoumail.http.form_errors import details_of
from kaisoumail.http.guide_links import guide_path, kind_of
from kaisoumail.web.languages import knows
from kaisoumail.web.render import page
from kaisoumail.web.session import to_login

_log = structlog.get_logger("kaisoumail.http")
# Placeholders of the texts, for a problem read back from a row or a URL without its details.
_BLANKS: Final = {
    "mailDomain": "…",
    "recommendedApex": "…",
    "recommendedMailboxSubdomain": "…",
    "requestId": None,
    "used": "…",
    "allowed": "…",
}


@dataclass(frozen=True, slots=True)
class ProblemView:
    """
    A problem as a page shows it.

    *kind* selects the texts, *details* fill their placeholders; *sentence* is the original one where it adds
    something. *limit* is present during a rate limit.
    """

    kind: str
    code: str
    details: dict[str, Any]
    guide: str | None = None
    sentence: str | None = None
    cloudflare_answer: dict[str, Any] | None = None
    limit: "RateLimitView | None" = None


@dataclass(frozen=True, slots=True)
class RateLimitView:
    """
    A rate limit: until when it lasts, and its cause.

    *words* is the locale key of the operation, None if users do not start it; *route* and *call* are as in the API.
    """

    until: datetime
    words: str | None
    route: str
    call: str


def problem_view(problem: Problem, at: datetime | None = None) -> ProblemView:
    """*problem* for a page. If it has a delay to wait and *at* is given, when it happened, the page counts down."""
    kind = kind_of(problem) if words_exist(kind_of(problem)) else "other"
    fields = details_of(problem).get("fieldErrors", {})
    field_error = next((sentences[0] for sentences in fields.values()), None) if isinstance(fields, dict) else None
    details = {**_BLANKS, "seconds": problem.details.get("retryAfterSeconds", 0), **problem.details}
    return ProblemView(
        kind=kind,
        code=problem.code,
        details=details,
        guide=guide_path(problem),
        sentence=field_error or (problem.message if kind in ("other", "cloudflare_rejected") else None),
        cloudflare_answer=problem.details.get("cloudflare"),
        limit=_limit(problem, at) if at else None,
    )


def _limit(problem: Problem, at: datetime) -> RateLimitView | None:
    seconds, cause = problem.details.get("retryAfterSeconds"), problem.details.get("rateLimitContext")
    if not isinstance(seconds, int):
        return None
    cause = cause if isinstance(cause, dict) else {}
    words = f"operation.{cause.get('projectOperation')}"
    call = f"{cause.get('cloudflareMethod', '')} {cause.get('cloudflarePath', '')}".strip()
    return RateLimitView(
        at + timedelta(seconds=seconds), words if knows(words) else None, cause.get("projectRoute", ""), call
    )


def words_exist(kind: str) -> bool:
    """Whether the pages have a title and a text for *kind*."""
    return knows(f"problem.{kind}.title") and knows(f"problem.{kind}.text")


def on_problem(request: "Request[Any, Any, Any]", problem: Problem) -> Response[Any]:
    """The error page with the status of *problem* and `retry-after`; for `authentication_required` the sign-in page."""
    if problem.code == "authentication_required":
        return to_login(request)
    headers = {"retry-after": str(problem.details["retryAfterSeconds"])} if _has_retry_after(problem) else {}
    status = problem.kind.status
    return page(request, "error/page.html", status=status, headers=headers, problem=problem_view(problem))


def on_http_exception(request: "Request[Any, Any, Any]", error: HTTPException) -> Response[Any]:
    """Render a refusal by the framework itself."""
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "invalid_request")
    return on_problem(request, Problem(code, error.detail))


def on_anything_else(request: "Request[Any, Any, Any]", error: Exception) -> Response[Any]:
    """Render a bug: it is logged in full with the request's id, and the page shows only that id."""
    request_id = request.scope.get("state", {}).get("request_id")
    _log.error("http.crash", request_id=request_id, path=request.scope["path"], exc_info=error)
    return on_problem(request, Problem("internal", "Internal server error", requestId=request_id))


def _has_retry_after(problem: Problem) -> bool:
    return isinstance(problem.details.get("retryAfterSeconds"), int)


HANDLERS: Final[dict[Any, Any]] = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    Exception: on_anything_else,
}
