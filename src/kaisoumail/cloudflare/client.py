"""One call to Cloudflare's v4 API: timeouts, envelope, typed errors, pages. Never logs or keeps the token."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from kaisoumail.cloudflare.redaction import Redaction
from kaisoumail.cloudflare.retry_after import seconds_to_wait

LARGEST_ANSWER: Final = 8 * 1024 * 1024  # a page of 50 zones is about 100 KB
PAGE_SIZE: Final = 50  # the documented maximum of GET /zones and of routing rules
# File name, content, content type; one part of a form by its name.
FormPart = tuple[str | None, bytes, str]
_log = structlog.get_logger("kaisoumail.cloudflare")


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer as it came; *flaw* says why its body was not read, or not to its end."""

    status: int
    body: bytes = b""
    flaw: str | None = None
    ray_id: str | None = None
    retry_after: int = 0

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Cloudflare:
    """
    Cloudflare's API under one token. Every call goes through `call`; none takes longer than *timeout* seconds.

    That is for the whole answer, which may have 8 MB. The token is blanked in everything that is made of an answer.
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
        self._timeout = timeout
        self._redaction = Redaction(token)
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            # Nothing compressed: a few bytes could become gigabytes while they are unpacked.
            headers={"authorization": f"Bearer {token}", "accept-encoding": "identity"},
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
        await self._gate.admit(asker, method, self._redaction.text(path))
        began = monotonic()
        try:
            reply = await self._send(method, path, body, query, form)
            envelope = self._read(reply, method, path)
        except CloudflareError as error:
            told = error.after(_milliseconds_since(began)).answer
            record(told)
            _log.warning(
                "cloudflare.request.failed",
                method=method,
                path=told.path,
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
        told = replace(self._answer(method, path, reply), milliseconds=_milliseconds_since(began))
        record(told)
        if method != "GET":
            _log.info(
                "cloudflare.request.succeeded",
                method=method,
                path=told.path,
                ray_id=told.ray_id,
                milliseconds=told.milliseconds,
            )
        return envelope

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str | int] | None,
        form: Mapping[str, FormPart] | None,
    ) -> _Reply:
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.stream(method, path, json=body, params=query, files=form) as response,
            ):
                return await self._received(response)
        # Not `from error`: what a library says of an answer, or of our headers, may repeat the token.
        except TimeoutError:
            raise Timeout(self._answer(method, path, message="no whole answer in time")) from None
        except httpx.TimeoutException as error:
            raise Timeout(self._answer(method, path, message=_reason(error))) from None
        except httpx.HTTPError as error:
            raise ConnectionLost(self._answer(method, path, message=_reason(error))) from None

    async def _received(self, response: httpx.Response) -> _Reply:
        """What came, up to the largest answer: the connection is closed upon the rest, which nobody reads."""
        reply = _Reply(
            response.status_code,
            ray_id=response.headers.get("cf-ray"),
            retry_after=seconds_to_wait(response.headers, self._max_retry_after),
        )
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            return replace(reply, flaw="an answer that is compressed, unasked")
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > LARGEST_ANSWER:
                return replace(reply, flaw=f"an answer that is too large: more than {LARGEST_ANSWER} bytes")
        return replace(reply, body=self._redaction.body(bytes(body)))

    def _read(self, reply: _Reply, method: str, path: str) -> dict[str, Any]:
        """The envelope of *reply* if it says success; raises the error that fits otherwise."""
        envelope = _envelope_in(reply.body)
        if envelope is None:
            answer = self._answer(method, path, reply, message=reply.flaw or reply.body.decode(errors="replace"))
            if reply.status in (429, 401, 403) or reply.status >= 500:
                raise error_for(answer, reply.retry_after)
            raise Unreadable(answer)
        if reply.is_success and envelope["success"] is True:
            if "result" not in envelope:
                raise Unreadable(self._answer(method, path, reply, message="no result"))
            return envelope
        code, message = _first_error(envelope)
        raise error_for(self._answer(method, path, reply, code=code, message=message), reply.retry_after)

    def _answer(
        self, method: str, path: str, reply: _Reply | None = None, *, code: int | None = None, message: str = ""
    ) -> Answer:
        """The one place where answers are made: none has the token in it, or more of a text than a line."""
        ray_id = reply.ray_id if reply is not None else None
        return Answer(
            method,
            self._redaction.text(path),
            reply.status if reply is not None else 0,
            code,
            self._redaction.text(message),
            self._redaction.text(ray_id) if ray_id is not None else None,
        )


def _envelope_in(body: bytes) -> dict[str, Any] | None:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):  # the second for what is nested too deep
        return None
    return envelope if isinstance(envelope, dict) and "success" in envelope else None


def _first_error(envelope: dict[str, Any]) -> tuple[int | None, str]:
    errors = envelope.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code = first.get("code")
    return code if isinstance(code, int) else None, str(first.get("message", ""))


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__


def _milliseconds_since(began: float) -> int:
    return round((monotonic() - began) * 1000)
