"""One call to Cloudflare's v4 API: timeouts, envelope, typed errors, pages. Never logs or keeps the token."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, Final

import httpx
import structlog

from kaisoumail.cloudflare.calls import record
from kaisoumail.cloudflare.errors import (
    Answer,
    CloudflareError,
    ConnectionLost,
    RateLimited,
    Timeout,
    Unreadable,
    error_for,
)
from kaisoumail.cloudflare.pace import Gate, OpenGate, current_asker
from kaisoumail.model.clock import utc_now

PAGE_SIZE: Final = 50  # the documented maximum of GET /zones and of routing rules
# File name, content, content type; one part of a form by its name.
FormPart = tuple[str | None, bytes, str]
_log = structlog.get_logger("kaisoumail.cloudflare")


class Cloudflare:
    """
    Cloudflare's API under one token. Every call goes through `call`; none waits longer than *timeout* seconds.

    One that *sends_mail* may be answered with pieces of it: what its errors say is then not logged.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        gate: Gate | None = None,
        timeout: float = 30.0,
        max_retry_after: int = 900,
        sends_mail: bool = False,
    ) -> None:
        self._sends_mail = sends_mail
        self._gate = gate or OpenGate()
        self._max_retry_after = max_retry_after
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            headers={"authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        form: Mapping[str, FormPart] | None = None,
    ) -> Any:
        """
        The `result` of a successful answer. Raises the CloudflareError that fits anything else.

        *body* goes out as JSON, *form* as a multipart form.
        """
        return (await self._envelope(method, path, body, query, form))["result"]

    async def pages(self, path: str, query: Mapping[str, str | int] | None = None) -> list[Any]:
        """All rows of a paged list, whatever its length."""
        rows: list[Any] = []
        page = 1
        while True:
            asked = {**(query or {}), "page": page, "per_page": PAGE_SIZE}
            envelope = await self._envelope("GET", path, None, asked)
            rows += envelope["result"]
            info = envelope.get("result_info") or {}
            if not envelope["result"] or page >= int(info.get("total_pages", 1)):
                return rows
            page += 1

    async def _envelope(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str | int] | None,
        form: Mapping[str, FormPart] | None = None,
    ) -> dict[str, Any]:
        asker = current_asker()
        await self._gate.admit(asker, method, path)
        began = monotonic()
        try:
            response = await self._send(method, path, body, query, form)
            envelope = _read(response, method, path, self._max_retry_after)
        except CloudflareError as error:
            told = error.after(_milliseconds_since(began)).answer
            record(told)
            _log.warning(
                "cloudflare.request.failed",
                method=method,
                path=path,
                status=told.status,
                code=told.code,
                message=None if self._sends_mail else told.message,
                ray_id=told.ray_id,
                error=type(error).__name__,
                operation=asker.operation,
                milliseconds=told.milliseconds,
            )
            if isinstance(error, RateLimited):
                raise await self._gate.close_for(error, asker) from None
            raise
        took = _milliseconds_since(began)
        ray_id = response.headers.get("cf-ray")
        record(Answer(method, path, response.status_code, ray_id=ray_id, milliseconds=took))
        if method != "GET":
            _log.info("cloudflare.request.succeeded", method=method, path=path, ray_id=ray_id, milliseconds=took)
        return envelope

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str | int] | None,
        form: Mapping[str, FormPart] | None,
    ) -> httpx.Response:
        try:
            return await self._http.request(method, path, json=body, params=query, files=form)
        except httpx.TimeoutException as error:
            raise Timeout(Answer(method, path, message=_reason(error))) from error
        except httpx.HTTPError as error:
            raise ConnectionLost(Answer(method, path, message=_reason(error))) from error


def _read(response: httpx.Response, method: str, path: str, max_retry_after: int) -> dict[str, Any]:
    """The envelope of *response* if it says success; raises the error that fits otherwise."""
    answer = Answer(method, path, response.status_code, ray_id=response.headers.get("cf-ray"))
    try:
        envelope = response.json()
    except (ValueError, RecursionError):  # the second for what is nested too deep
        envelope = None
    if not isinstance(envelope, dict) or "success" not in envelope:
        answer = Answer(method, path, answer.status, message=_excerpt(response), ray_id=answer.ray_id)
        if answer.status in (429, 401, 403) or answer.status >= 500:
            raise error_for(answer, _retry_after(response, max_retry_after))
        raise Unreadable(answer)
    if response.is_success and envelope["success"] is True:
        if "result" not in envelope:
            raise Unreadable(Answer(method, path, answer.status, message="no result", ray_id=answer.ray_id))
        return envelope
    raise error_for(_with_first_error(answer, envelope), _retry_after(response, max_retry_after))


def _with_first_error(answer: Answer, envelope: dict[str, Any]) -> Answer:
    errors = envelope.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code = first.get("code")
    return Answer(
        answer.method,
        answer.path,
        answer.status,
        code if isinstance(code, int) else None,
        str(first.get("message", "")),
        answer.ray_id,
    )


def _excerpt(response: httpx.Response) -> str:
    """The beginning of a body that is not the envelope: an edge page, mostly."""
    return " ".join(response.text[:200].split())


def _retry_after(response: httpx.Response, at_most: int) -> int:
    """
    Seconds to wait: whole seconds or an HTTP date, *at_most*, which is also the answer to nonsense.

    A date is one of the clock that also wrote `Date` (RFC 9110, 6.6.1); ours may be another.
    """
    given = response.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return min(int(given[:9]), at_most)
    try:
        said_at = parsedate_to_datetime(response.headers["date"]) if "date" in response.headers else utc_now()
        wait = parsedate_to_datetime(given) - said_at
    except (TypeError, ValueError):
        return at_most
    return min(max(math.ceil(wait.total_seconds()), 0), at_most)


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__


def _milliseconds_since(began: float) -> int:
    return round((monotonic() - began) * 1000)
