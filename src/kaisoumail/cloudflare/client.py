"""One call to Cloudflare's v4 API: timeouts, envelope, typed errors, pages. Never logs or keeps the token."""

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
from kaisoumail.cloudflare.limiter import Limiter, Unlimited, current_caller
from kaisoumail.cloudflare.redaction import Redaction
from kaisoumail.cloudflare.retry_after import seconds_to_wait

LARGEST_ANSWER: Final = 8 * 1024 * 1024  # a page of 50 zones is about 100 KB
# 50,000 rows: a zone has 200 rules, and a list of a thousand pages takes the budget of five minutes.
MOST_PAGES: Final = 1000
_CALLS_PER_LIST: Final = 10  # a whole list may take the time of so many calls
_EXCERPT: Final = 200

# File name, content, content type; one part of a form by its name.
FormPart = tuple[str | None, bytes, str]
T = TypeVar("T")
R = TypeVar("R", bound=Row)
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


@dataclass(frozen=True, slots=True)
class _Success(Generic[T]):
    """A result of the shape that was asked for, how many *pages* of it are announced, and what it took."""

    result: T
    pages: int
    milliseconds: int


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
        limiter: Limiter | None = None,
        timeout: float = 30.0,
        max_retry_after: int = 900,
        sends_mail: bool = False,
    ) -> None:
        self._sends_mail = sends_mail
        self._limiter = limiter or Unlimited()
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
        shape: type[T],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        form: Mapping[str, FormPart] | None = None,
    ) -> T:
        """
        The `result` of a successful answer. Raises the CloudflareError that fits anything else.

        That is Unreadable for one that is not of this *shape*. *body* goes out as JSON, *form* as a multipart form.
        """
        return (await self._exchange(method, path, shape, body, query, form)).result

    async def pages(self, path: str, row: type[R], query: Mapping[str, str | int] | None = None) -> list[R]:
        """
        All rows of a paged list, each once: as many pages as the first one announced.

        Raises Unreadable for more than a thousand pages, and for one that has only what came before: half a list is
        never taken for the whole.
        """
        shape: type[list[R]] = list[row]  # type: ignore[valid-type]
        rows: dict[str, R] = {}
        announced, spent = 1, 0
        for page in count(1):
            asked = {**(query or {}), "page": page, "per_page": PAGE_SIZE}
            got = await self._exchange("GET", path, shape, None, asked)
            announced = got.pages if page == 1 else announced
            known = len(rows)
            rows |= {each.id: each for each in got.result if each.id not in rows}
            if not got.result or page >= announced:
                break
            if len(rows) == known:
                raise self.unreadable("GET", path, f"page {page} of the list repeats what came before")
            if page == MOST_PAGES or len(rows) > MOST_PAGES * PAGE_SIZE:
                raise self.unreadable("GET", path, f"a list of more than {MOST_PAGES} pages")
            spent += got.milliseconds
            if spent > self._timeout * _CALLS_PER_LIST * 1000:
                raise Timeout(self._answer("GET", path, message="no whole list in time"))
        return list(rows.values())

    def unreadable(self, method: str, path: str, reason: str) -> UnreadableAnswer:
        """The error for an answer that came, and whose content will not do."""
        return UnreadableAnswer(self._answer(method, path, _Reply(200), message=reason))

    async def _exchange(
        self,
        method: str,
        path: str,
        shape: type[T],
        body: Mapping[str, Any] | None,
        query: Mapping[str, str | int] | None,
        form: Mapping[str, FormPart] | None = None,
    ) -> _Success[T]:
        caller = current_caller()
        await self._limiter.admit(caller, method, self._redaction.text(path))
        began = monotonic()
        try:
            reply = await self._send(method, path, body, query, form)
            envelope = self._envelope(method, path, reply)
            result, pages = self._decoded(method, path, reply, envelope, shape)
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
                operation=caller.operation,
                milliseconds=told.milliseconds,
            )
            if isinstance(error, RateLimited):
                raise await self._limiter.close_for(error, caller) from None
            raise
        took = _milliseconds_since(began)
        told = replace(self._answer(method, path, reply), milliseconds=took)
        record(told)
        if method != "GET":
            _log.info(
                "cloudflare.request.succeeded", method=method, path=told.path, ray_id=told.ray_id, milliseconds=took
            )
        return _Success(result, pages, took)

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

    def _envelope(self, method: str, path: str, reply: _Reply) -> Envelope:
        """The envelope of *reply* if it says success; raises the error that fits otherwise."""
        envelope = envelope_in(reply.body)
        if envelope is None:
            excerpt = self._redaction.text(reply.body.decode(errors="replace"))[:_EXCERPT]
            answer = self._answer(method, path, reply, message=reply.flaw or excerpt)
            if reply.status in (429, 401, 403) or reply.status >= 500:
                raise error_for(answer, reply.retry_after)
            raise UnreadableAnswer(answer)
        if reply.is_success and envelope.is_success:
            return envelope
        code, message = envelope.first_error()
        raise error_for(self._answer(method, path, reply, code=code, message=message), reply.retry_after)

    def _decoded(self, method: str, path: str, reply: _Reply, envelope: Envelope, shape: type[T]) -> tuple[T, int]:
        """The result as *shape*, and the pages announced. Raises Unreadable, which says where it is not so."""
        try:
            return msgspec.json.decode(envelope.result, type=shape), envelope.pages()
        except msgspec.ValidationError as error:
            reason = str(error)
        except ValueError:
            reason = "none, or not JSON"
        except RecursionError:
            reason = "nested too deep"
        raise UnreadableAnswer(
            self._answer(method, path, reply, message=f"a result that is not as documented: {reason}")
        )

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


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__


def _milliseconds_since(began: float) -> int:
    return round((monotonic() - began) * 1000)
