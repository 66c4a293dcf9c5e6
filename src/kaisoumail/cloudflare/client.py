"""One call to Cloudflare's v4 API: timeouts, envelope, typed errors, pages. Never logs or stores the token."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic
from typing import Any, Final, Generic, TypeVar

import httpx
import msgspec
import structlog

from kaisoumail.cloudflare.calls import record
from kaisoumail.cloudflare.envelope import PAGE_SIZE, Envelope, Row, envelope_in
from kaisoumail.cloudflare.errors import (
    Answer,
    CloudflareError,
    ConnectionLost,
    RateLimited,
    Timeout,
    UnreadableAnswer,
    error_for,
)
from kaisoumail.cloudflare.limiter import Caller, Limiter, Unlimited, current_caller
from kaisoumail.cloudflare.redaction import Redaction
from kaisoumail.cloudflare.retry_after import seconds_to_wait

LARGEST_ANSWER: Final = 8 * 1024 * 1024  # a page of 50 zones is about 100 KB
# 50,000 rows: a zone has at most 200 rules, and a thousand pages use up the rate limit of five minutes.
MOST_PAGES: Final = 1000
_CALLS_PER_LIST: Final = 10  # a whole list may take as long as this many calls
_EXCERPT: Final = 200

# One part of a form: file name, content, content type.
FormPart = tuple[str | None, bytes, str]
T = TypeVar("T")
R = TypeVar("R", bound=Row)
_log = structlog.get_logger("kaisoumail.cloudflare")


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """The longest waits in seconds: for a whole *answer*, and of a cooldown, whatever Retry-After has."""

    answer: float = 30.0
    retry_after: int = 900


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form, the body of an upload."""

    parts: Mapping[str, FormPart]


Body = Mapping[str, Any] | Form


@dataclass(frozen=True, slots=True)
class _Request:
    """A request before it is sent. *path* is below the base URL; a mapping as *body* is sent as JSON."""

    method: str
    path: str
    body: Body | None = None
    query: Mapping[str, str | int] | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer as received; *flaw* is the reason why its body was not read, or not to the end."""

    status: int
    body: bytes = b""
    flaw: str | None = None
    ray_id: str | None = None
    retry_after: int = 0

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class _Success(Generic[T]):
    """A result of the requested shape, the number of *pages* announced with it, and the duration of the call."""

    result: T
    pages: int
    milliseconds: int


class Cloudflare:
    """
    Cloudflare's API with one token. Every request takes at most as long as *wait_limits* allow.

    That includes the whole answer, at most 8 MB. The token is blanked in everything that comes from an answer. With
    *sends_message_text* errors may repeat what messages contain, so the texts of errors are not logged.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        limiter: Limiter | None = None,
        wait_limits: WaitLimits = WaitLimits(),
        sends_message_text: bool = False,
    ) -> None:
        self._sends_message_text = sends_message_text
        self._limiter = limiter or Unlimited()
        self._wait_limits = wait_limits
        self._redaction = Redaction(token)
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            # No compression: a few bytes could be unpacked to gigabytes.
            headers={"authorization": f"Bearer {token}", "accept-encoding": "identity"},
            timeout=httpx.Timeout(wait_limits.answer, connect=min(wait_limits.answer, 5.0)),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        shape: type[T],
        *,
        body: Body | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> T:
        """
        The `result` of a successful answer, decoded as *shape*. Raises the fitting CloudflareError otherwise.

        For a result that is not of this *shape* that is UnreadableAnswer. A mapping as *body* is sent as JSON. Raises
        RateLimited without a request during a cooldown, and what else the limiter raises.
        """
        return (await self._exchange(_Request(method, path, body, query), shape)).result

    async def pages(self, path: str, row: type[R], query: Mapping[str, str | int] | None = None) -> list[R]:
        """
        All rows of a paged list, each once: as many pages as the first page announced.

        Raises UnreadableAnswer for more than a thousand pages and for a page without new rows: a partial list is never
        returned as the whole. Raises Timeout when all pages together take longer than ten calls may.
        """
        shape: type[list[R]] = list[row]  # type: ignore[valid-type]
        rows: dict[str, R] = {}
        announced, spent = 1, 0
        for page in count(1):
            page_query = {**(query or {}), "page": page, "per_page": PAGE_SIZE}
            success = await self._exchange(_Request("GET", path, query=page_query), shape)
            announced = success.pages if page == 1 else announced
            count_before = len(rows)
            rows |= {each.id: each for each in success.result if each.id not in rows}
            if not success.result or page >= announced:
                break
            if len(rows) == count_before:
                raise self.unreadable("GET", path, f"page {page} of the list repeats what came before")
            if page == MOST_PAGES or len(rows) > MOST_PAGES * PAGE_SIZE:
                raise self.unreadable("GET", path, f"a list of more than {MOST_PAGES} pages")
            spent += success.milliseconds
            if spent > self._wait_limits.answer * _CALLS_PER_LIST * 1000:
                raise Timeout(self._answer(_Request("GET", path), message="no whole list in time"))
        return list(rows.values())

    def unreadable(self, method: str, path: str, reason: str) -> UnreadableAnswer:
        """The error for an answer that was received but whose content is unusable."""
        return UnreadableAnswer(self._answer(_Request(method, path), _Reply(200), message=reason))

    async def _exchange(self, request: _Request, shape: type[T]) -> _Success[T]:
        caller = current_caller()
        await self._limiter.admit(caller, request.method, self._redaction.text(request.path))
        began = monotonic()
        try:
            reply = await self._send(request)
            envelope = self._envelope(request, reply)
            result, pages = self._decoded(request, reply, envelope, shape)
        except CloudflareError as error:
            self._note_failure(error.after(_milliseconds_since(began)).answer, error, caller)
            if isinstance(error, RateLimited):
                raise await self._limiter.begin_cooldown(error, caller) from None
            raise
        milliseconds = _milliseconds_since(began)
        answer = replace(self._answer(request, reply), milliseconds=milliseconds)
        record(answer)
        if request.method != "GET":
            _log.info(
                "cloudflare.request.succeeded",
                method=request.method,
                path=answer.path,
                ray_id=answer.ray_id,
                milliseconds=milliseconds,
            )
        return _Success(result, pages, milliseconds)

    def _note_failure(self, answer: Answer, error: CloudflareError, caller: Caller) -> None:
        record(answer)
        _log.warning(
            "cloudflare.request.failed",
            method=answer.method,
            path=answer.path,
            status=answer.status,
            code=answer.code,
            message=None if self._sends_message_text else answer.message,
            ray_id=answer.ray_id,
            error=type(error).__name__,
            operation=caller.operation,
            milliseconds=answer.milliseconds,
        )

    async def _send(self, request: _Request) -> _Reply:
        body = request.body
        content = {"files": body.parts} if isinstance(body, Form) else {"json": body}
        try:
            async with (
                asyncio.timeout(self._wait_limits.answer),
                self._http.stream(request.method, request.path, params=request.query, **content) as response,
            ):
                return await self._read(response)
        # Not `from error`: the text of a library's exception may contain our headers, and so the token.
        except TimeoutError:
            raise Timeout(self._answer(request, message="no whole answer in time")) from None
        except httpx.TimeoutException as error:
            raise Timeout(self._answer(request, message=_reason(error))) from None
        except httpx.HTTPError as error:
            raise ConnectionLost(self._answer(request, message=_reason(error))) from None

    async def _read(self, response: httpx.Response) -> _Reply:
        """The reply with its body. Reading stops at LARGEST_ANSWER bytes, and the connection is closed."""
        reply = _Reply(
            response.status_code,
            ray_id=response.headers.get("cf-ray"),
            retry_after=seconds_to_wait(response.headers, self._wait_limits.retry_after),
        )
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            return replace(reply, flaw="an answer that is compressed, unasked")
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > LARGEST_ANSWER:
                return replace(reply, flaw=f"an answer that is too large: more than {LARGEST_ANSWER} bytes")
        return replace(reply, body=self._redaction.body(bytes(body)))

    def _envelope(self, request: _Request, reply: _Reply) -> Envelope:
        """The envelope of *reply* if it is a success. Raises the fitting CloudflareError otherwise."""
        envelope = envelope_in(reply.body)
        if envelope is None:
            excerpt = self._redaction.text(reply.body.decode(errors="replace"))[:_EXCERPT]
            answer = self._answer(request, reply, message=reply.flaw or excerpt)
            if reply.status in (429, 401, 403) or reply.status >= 500:
                raise error_for(answer, reply.retry_after)
            raise UnreadableAnswer(answer)
        if reply.is_success and envelope.is_success:
            return envelope
        code, message = envelope.first_error()
        raise error_for(self._answer(request, reply, code=code, message=message), reply.retry_after)

    def _decoded(self, request: _Request, reply: _Reply, envelope: Envelope, shape: type[T]) -> tuple[T, int]:
        """The result as *shape*, and the number of pages. Raises UnreadableAnswer, which names the wrong place."""
        try:
            return msgspec.json.decode(envelope.result, type=shape), envelope.pages()
        except msgspec.ValidationError as error:
            reason = str(error)
        except ValueError:
            reason = "none, or not JSON"
        except RecursionError:
            reason = "nested too deep"
        raise UnreadableAnswer(self._answer(request, reply, message=f"a result that is not as documented: {reason}"))

    def _answer(
        self, request: _Request, reply: _Reply | None = None, *, code: int | None = None, message: str = ""
    ) -> Answer:
        """The only place that creates an Answer: without the token, and each text cut to one line."""
        ray_id = reply.ray_id if reply is not None else None
        return Answer(
            request.method,
            self._redaction.text(request.path),
            reply.status if reply is not None else 0,
            code,
            self._redaction.text(message),
            self._redaction.text(ray_id) if ray_id is not None else None,
        )


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__


def _milliseconds_since(began: float) -> int:
    return round((monotonic() - began) * 1000)
