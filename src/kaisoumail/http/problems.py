"""Renders every refusal as `{"error": sentence, "details": object or null}` with `details.code`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from kaisoumail.errors import Problem
from kaisoumail.http.form_errors import details_of
from kaisoumail.http.guide_links import guide_path
from kaisoumail.model.clock import iso

_log = structlog.get_logger("kaisoumail.http")

_BY_STATUS: Final = {
    400: ("invalid_request", "Invalid request"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    413: ("too_large", "The request body is too large"),
    415: ("unsupported_media_type", "Unsupported media type"),
}


def problem_shape(problem: Problem, **more: Any) -> dict[str, Any]:
    """
    The JSON body: `error`, and `details` with the code and the problem's own details.

    `details.guide` is present where the guide has a section; *more* are details of this answer only.
    """
    guide = guide_path(problem)
    details = {"code": problem.code, **({"guide": guide} if guide else {}), **details_of(problem), **more}
    return {"error": problem.message, "details": details}


def render(problem: Problem, headers: Mapping[str, str] | None = None, **more: Any) -> Response[Any]:
    """The answer for *problem*, with `retry-after` if it has `retryAfterSeconds`, and *more* details."""
    sent = {"cache-control": "no-store", **(headers or {})}
    seconds = problem.details.get("retryAfterSeconds")
    if isinstance(seconds, int):
        sent["retry-after"] = str(seconds)
        more["retryAfter"] = iso(datetime.now(UTC) + timedelta(seconds=seconds))
    content = problem_shape(problem, **more)
    return Response(content, status_code=problem.kind.status, headers=sent, media_type="application/json")


def on_problem(_: "Request[Any, Any, Any]", problem: Problem) -> Response[Any]:
    return render(problem)


def on_http_exception(_: "Request[Any, Any, Any]", error: HTTPException) -> Response[Any]:
    """The answer to refusals by the framework: unknown paths, wrong methods, bodies beyond the limit."""
    code, sentence = _BY_STATUS.get(error.status_code, _BY_STATUS[400])
    allow = {"allow": error.headers["allow"]} if error.headers and "allow" in error.headers else None
    return render(Problem(code, sentence), allow)


def on_anything_else(request: "Request[Any, Any, Any]", error: Exception) -> Response[Any]:
    """The answer to a bug: it is logged with its traceback and the request's id; the client gets only that id."""
    request_id = request.scope.get("state", {}).get("request_id")
    _log.error("http.crash", request_id=request_id, path=request.scope["path"], exc_info=error)
    return render(Problem("internal", "Internal server error", requestId=request_id))


HANDLERS: Final[dict[Any, Any]] = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    Exception: on_anything_else,
}


def with_problem_answers(app: Callable[[Any, Any, Any], Awaitable[None]]) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """*app*, an ASGI application outside the framework; what it raises before its answer is rendered like elsewhere."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)

        async def send_error(error: Exception) -> None:
            handler = next(handler for kind, handler in HANDLERS.items() if isinstance(error, kind))
            await handler(request, error).to_asgi_response(None, request)(scope, receive, send)

        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            await send_error(Problem("overloaded", "The server is stopping"))
            raise
        except Exception as error:  # noqa: BLE001 - answered, and logged if it is a bug
            await send_error(error)

    return wrapped
