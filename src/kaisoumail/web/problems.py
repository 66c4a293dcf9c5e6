"""Every refusal in people's words: what it is, what to do, and where the guide says more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from kaisoumail.errors import Problem
from kaisoumail.http.guide_links import guide_path, kind_of
from kaisoumail.web.languages import knows
from kaisoumail.web.render import page
from kaisoumail.web.session import to_login

_log = structlog.get_logger("kaisoumail.http")
# What the sentences name, for a problem read back from a row or a URL without its details.
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

    *kind* picks the words, *details* fill them in; *said* is the original sentence where it adds
    something, *told* Cloudflare's exact answer, for whoever wants to see it. *limit* is there while
    Cloudflare wants us to wait.
    """

    kind: str
    code: str
    details: dict[str, Any]
    guide: str | None = None
    said: str | None = None
    told: dict[str, Any] | None = None
    limit: "RateLimitView | None" = None


@dataclass(frozen=True, slots=True)
class RateLimitView:
    """
    A rate limit: until when, and what brought it about.

    *words* names the operation in the locale where it is one of those people start; *route* and *call*
    are as clients know them.
    """

    until: datetime
    words: str | None
    route: str
    call: str


def problem_view(problem: Problem, at: datetime | None = None) -> ProblemView:
    """How a page shows *problem*; one that happened *at* a moment and says how long to wait counts down from it."""
    kind = kind_of(problem) if words_exist(kind_of(problem)) else "other"
    fields = problem.details.get("fieldErrors", {})
    first = next((sentences[0] for sentences in fields.values()), None) if isinstance(fields, dict) else None
    details = {**_BLANKS, "seconds": problem.details.get("retryAfterSeconds", 0), **problem.details}
    return ProblemView(
        kind=kind,
        code=problem.code,
        details=details,
        guide=guide_path(problem),
        said=first or (problem.message if kind in ("other", "cloudflare_rejected") else None),
        told=problem.details.get("cloudflare"),
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
    if problem.code == "authentication_required":
        return to_login(request)
    headers = {"retry-after": str(problem.details["retryAfterSeconds"])} if _waits(problem) else {}
    status = problem.kind.status
    return page(request, "error/page.html", status=status, headers=headers, problem=problem_view(problem))


def on_http_exception(request: "Request[Any, Any, Any]", error: HTTPException) -> Response[Any]:
    """What the framework refuses by itself."""
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "invalid_request")
    return on_problem(request, Problem(code, error.detail))


def on_anything_else(request: "Request[Any, Any, Any]", error: Exception) -> Response[Any]:
    """A bug: logged whole with the request's id, told to the reader as that id and nothing more."""
    request_id = request.scope.get("state", {}).get("request_id")
    _log.error("http.crash", request_id=request_id, path=request.scope["path"], exc_info=error)
    return on_problem(request, Problem("internal", "Internal server error", requestId=request_id))


def _waits(problem: Problem) -> bool:
    return isinstance(problem.details.get("retryAfterSeconds"), int)


HANDLERS: Final[dict[Any, Any]] = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    Exception: on_anything_else,
}
