"""The HTTP listener and the application that answers its requests."""

import socket
from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from kaisoumail.api import app as api
from kaisoumail.http import problems, server
from kaisoumail.http.admission import RequestAdmission
from kaisoumail.http.cors import CorsRules
from kaisoumail.http.limits import HttpLimits
from kaisoumail.http.litestar_setup import LitestarWithoutPydantic
from kaisoumail.http.middleware import App, RequestMiddleware
from kaisoumail.http.requests_in_progress import RequestsInProgress
from kaisoumail.model.refusal_log import RefusalLog
from kaisoumail.model.token_bucket import Rate
from kaisoumail.network.connection_budget import ConnectionBudget, ConnectionLimits
from kaisoumail.operations.rate_limits import RateLimits, Rates
from kaisoumail.operations.readiness import Readiness
from kaisoumail.server.cannot_start import CannotStart
from kaisoumail.server.release import read_release, release_fields
from kaisoumail.settings import Settings
from kaisoumail.settings.groups import HttpSettings, RateLimitSettings
from kaisoumail.smtp import webhook
from kaisoumail.storage.tables.token_buckets import buckets_on
from kaisoumail.web import app as web
from kaisoumail.web import problems as web_problems
from kaisoumail.workflows.context import Context

_MAX_JSON_BYTES: Final = 1024 * 1024  # of a request to the API or a page; the hand-over has its own limit
_KNOWN_SHARE: Final = 4  # one HTTP connection in this many is reserved for authenticated clients


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotStart when the port cannot be used."""
    try:
        return server.listen(host, port)
    except OSError as error:
        raise CannotStart(f"HTTP port {port} on {host} cannot be used: {error.strerror}") from error


def http_limits(settings: HttpSettings, connections: int, refusals: RefusalLog) -> HttpLimits:
    """The limits of a listener with at most *connections* connections."""
    limits = ConnectionLimits(connections, settings.max_connections_per_client, connections // _KNOWN_SHARE)
    return HttpLimits(ConnectionBudget(limits), refusals, settings.trusted_proxies)


def application(context: Context, settings: Settings, refusals: RefusalLog, readiness: Readiness) -> RequestMiddleware:
    """The JSON API, the pages and the webhook endpoint as one ASGI application."""
    bodies = webhook.limits_for(settings.mailboxes.max_message_bytes)
    endpoint = webhook.handover_endpoint(context, settings.inbound.handover_secret, bodies, refusals)
    litestar = LitestarWithoutPydantic(
        route_handlers=[api.router(), web.router()],
        state=State({"context": context, "readiness": readiness, "release": release_fields(read_release())}),
        exception_handlers={HTTPException: _on_unrouted},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=_MAX_JSON_BYTES,
    )
    cors = CorsRules(settings.http.trusted_origins, allow_loopback=settings.http.trusts_loopback)
    limits = RateLimits(_rates(settings.rate_limits), buckets_on(context.database))
    app = _dispatched({webhook.PATH: problems.with_problem_answers(endpoint)}, litestar)
    in_progress = RequestsInProgress(settings.http.max_connections_per_client)
    return RequestMiddleware(app, cors, RequestAdmission(limits, cors), settings.http.trusted_proxies, in_progress)


def _dispatched(endpoints: Mapping[str, App], app: App) -> App:
    """*app*, but for the paths that one of *endpoints* answers: the hand-over reads its body as it arrives."""

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        await endpoints.get(scope["path"], app)(scope, receive, send)

    return dispatch


def _rates(settings: RateLimitSettings) -> Rates:
    return Rates(
        credential=Rate("credential", settings.per_credential),
        user=Rate("user", settings.per_user),
        address=Rate("address", settings.per_address),
        sign_in=Rate("sign-in", settings.sign_in),
    )


def _on_unrouted(request: "Request[Any, Any, Any]", error: HTTPException) -> Response[Any]:
    """The answer when no route matched or admission refused: JSON for programs, a page for browsers."""
    refusal, path = request.scope["state"].get("refusal"), request.scope["path"]
    if refusal is not None:
        on_problem = problems.on_problem if path.startswith("/api") else web_problems.on_problem
        return on_problem(request, refusal)
    is_program = path.startswith(("/api", "/health", "/readyz")) or "text/html" not in request.headers.get("accept", "")
    return problems.on_http_exception(request, error) if is_program else web_problems.on_http_exception(request, error)
