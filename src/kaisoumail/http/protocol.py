"""
uvicorn's HTTP protocol with limits on everything a client may send: sizes, counts and times.

uvicorn and httptools bound neither the request line nor the header fields, and no time but that between two requests
(uvicorn 0.54, `HttpToolsProtocol`). Here each connection is counted, a periodic `check` enforces a deadline for each
phase of a request, and a refusal is the API's JSON (RFC 9110 status codes, RFC 6585 for 429 and 431).
"""

import asyncio
from enum import Enum, auto
from functools import partial
from typing import Any, Final

import httptools
import msgspec
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from kaisoumail.http.answer_transport import AnswerTransport
from kaisoumail.http.limits import HttpLimits
from kaisoumail.http.unauthenticated_request import UnauthenticatedRequest, is_authenticated
from kaisoumail.http.violations import Violation, too_long_url, too_many_fields
from kaisoumail.model.client_address import client_key, is_within
from kaisoumail.model.ids import new_id
from kaisoumail.network.connection_budget import ConnectionAdmission, ConnectionVerdict

_REFUSALS: Final = (ConnectionVerdict.SERVER_FULL, ConnectionVerdict.CLIENT_FULL)
_MOST_REFUSED: Final = 64  # connections over the limit that get an answer; further ones are only closed
_DISCARDED_BYTES: Final = 1024 * 1024


class _Phase(Enum):
    """What the client is sending."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()
    REFUSED = auto()  # too many connections: answered when the first bytes arrive
    DISCARDED = auto()  # what still arrives is discarded until the client has read the answer
    CLOSED = auto()


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. Its deadlines are enforced by `check`, which must be called about once a second."""

    def __init__(
        self,
        limits: HttpLimits,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url, self.headers = b"", []
        self._limits = limits
        self._bounds = limits.bounds
        self._phase = _Phase.HEAD
        self._admission: ConnectionAdmission | None = None
        self._began = self._last_byte = self.loop.time()
        self._head_bytes = self._field_bytes = self._field_count = self._framing_bytes = self._body_bytes = (
            self._discarded
        ) = 0
        self._running: RequestResponseCycle | None = None
        self._unwritten: tuple[float, int] | None = None  # when so many bytes were waiting for the client to read

    # called by the event loop

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = self.client[0] if self.client else ""
        client = "" if is_within(peer, self._limits.proxies) else client_key(peer)
        self._admission = self._limits.budget.admit(client, self._evict)
        if not self._admission.is_counted:
            self._note(self._admission.outcome.name.lower())
            self._limits.refused += 1
            self._phase = _Phase.REFUSED
            if self._limits.refused > _MOST_REFUSED:
                transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._admission is not None and self._admission.outcome in _REFUSALS:
            self._limits.refused -= 1
        elif self._admission is not None:
            self._limits.budget.release(self._admission)
        self._admission, self._phase = None, _Phase.CLOSED
        self._disconnect(self._running)
        self.pipeline.clear()  # no client is left to answer
        super().connection_lost(exc)
        # Ends the reference cycle with the last request: the memory is free now, not when the collector runs.
        self.cycle = self._running = None  # type: ignore[assignment]
        self._limits.queue.advance()

    def data_received(self, data: bytes) -> None:
        self._last_byte = self.loop.time()
        if self._phase is _Phase.DISCARDED:
            self._discard(len(data))
            return
        if self._phase is _Phase.REFUSED:
            self._refuse_connection()
            return
        self._unset_keepalive_if_required()
        while data and self._phase not in (_Phase.DISCARDED, _Phase.CLOSED):
            data = data[self._feed_some(data) :]

    def resume_writing(self) -> None:
        self._unwritten = None
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: requests in progress may finish, an unauthenticated upload only within a short time."""
        self._bounds = self._limits.bounds_at_end if self._is_authenticated() else self._limits.strangers_bounds_at_end
        self._began = self._last_byte = self.loop.time()
        super().shutdown()

    # called by the parser

    def on_message_begin(self) -> None:
        if self._phase is not _Phase.HEAD:
            self._begin_head()
        super().on_message_begin()
        self._field_bytes = self._field_count = 0

    def on_url(self, url: bytes) -> None:
        """Raises Violation (414) for a URL longer than `head_bytes`."""
        super().on_url(url)
        if len(self.url) > self._bounds.head_bytes:
            raise too_long_url(self._bounds)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Raises Violation (431) for too many fields, or too many bytes in them; a trailer is dropped."""
        self._field_count += 1
        self._field_bytes += len(name) + len(value)
        if self._field_count > self._bounds.fields or self._field_bytes > self._bounds.head_bytes:
            raise too_many_fields(self._bounds)
        if self._phase is not _Phase.BODY:  # a trailer is no header (RFC 9110, 6.5.1): authentication came before it
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Raises Violation (429) when too many requests wait on this connection."""
        if len(self.pipeline) >= self._bounds.pipelined:
            raise Violation(429, "rate_limited", "Too many requests are waiting on this connection")
        super().on_headers_complete()  # raises for a target that is no URL
        self.cycle.transport = AnswerTransport(self.transport, self._end_after_answer)  # type: ignore[assignment]
        self._phase = _Phase.BODY
        self._began = self._last_byte
        self._framing_bytes = self._body_bytes = 0

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        if self._is_authenticated():
            super()._start_asgi_task(cycle, app)
        else:
            request = UnauthenticatedRequest(cycle, app, partial(super()._start_asgi_task, cycle))
            self._limits.queue.add(request.client(self._limits.proxies), request)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._phase = _Phase.NOTHING
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._last_byte = self.loop.time()
        if self._phase is _Phase.BODY:
            self._began = self._last_byte  # answered before the rest of the body, which may linger
        is_stranger = not self._is_authenticated()
        if self._is_revoked or (self._is_on_probation and is_stranger):
            self.cycle.keep_alive = False
            self._end_after_answer()
        super().on_response_complete()
        self._limits.queue.advance()

    # the deadlines

    def check(self, now: float) -> None:
        """Enforce the deadlines of this connection; *now* is the loop's time."""
        if self.transport is None or self._phase is _Phase.CLOSED:
            return
        self._is_authenticated()
        if self._is_stalled(now):
            self._note("answer_not_read")
            self.transport.abort()
        elif self._phase is _Phase.REFUSED and now - self._began > 1.0:
            self._refuse_connection()
        elif self._phase is _Phase.DISCARDED:
            self._check_discarded(now)
        elif self.transport.is_closing() or self.flow.read_paused:
            self._last_byte = now  # we do not read, so the client is not late
        elif self._phase is _Phase.HEAD and now - self._began > self._head_seconds():
            self._refuse_head()
        elif self._phase is _Phase.BODY and self._is_body_late(now):
            self._refuse_body()
        elif self._phase is _Phase.NOTHING and self._is_idle() and now - self._last_byte > self._idle_seconds():
            self.transport.close()

    def _check_discarded(self, now: float) -> None:
        if self._is_answering():
            self._began = now
        elif self._is_lingering_over(now):
            self.transport.abort()

    def _is_authenticated(self) -> bool:
        """Whether a request on this connection was authenticated; the budget then counts it as known."""
        if self._admission is None or self.cycle is None:
            return False
        if not self._admission.is_authenticated and is_authenticated(self.cycle):
            self._limits.budget.authenticate(self._admission)
        return self._admission.is_authenticated

    @property
    def _is_revoked(self) -> bool:
        """Whether the reason why this connection is known is void: a ticket without the message it was made for."""
        was_authenticated = self._admission is not None and self._admission.is_authenticated
        return was_authenticated and self.cycle.scope.get("state", {}).get("is_signed") is False

    @property
    def _is_on_probation(self) -> bool:
        return self._admission is not None and self._admission.outcome is ConnectionVerdict.ON_PROBATION

    def _evict(self) -> None:
        """End this connection because a client with fewer needs a place."""
        self._note("evicted")
        self.transport.abort()

    def _head_seconds(self) -> float:
        if self._is_on_probation and not self._is_authenticated():
            return self._bounds.probation
        return min(self._bounds.head, self._bounds.stressed) if self._limits.budget.is_stressed else self._bounds.head

    def _idle_seconds(self) -> float:
        """uvicorn has a timer for this too, but forgets it when a body ends after its answer."""
        return 1.0 if self._limits.budget.is_stressed else self.timeout_keep_alive + 1.0

    def _is_body_late(self, now: float) -> bool:
        if self.cycle.response_complete:
            return self._is_lingering_over(now)
        silence, whole = self._bounds.silence, self._bounds.body
        if self._is_on_probation and not self._is_authenticated():
            silence = whole = self._bounds.probation
        elif self._limits.budget.is_stressed and not self._is_authenticated():
            silence, whole = min(silence, self._bounds.stressed), min(whole, self._bounds.stressed_body)
        return now - self._last_byte > silence or now - self._began > whole

    def _is_lingering_over(self, now: float) -> bool:
        """Whether a client that was answered before it sent everything has had its time to read the answer."""
        longest = self._bounds.linger if self._limits.budget.is_stressed else self._bounds.linger_total
        return now - max(self._last_byte, self._began) > self._bounds.linger or now - self._began > longest

    def _is_answering(self) -> bool:
        """Whether an answer is in progress and the client is still connected."""
        running = self._running
        return running is not None and not running.response_complete and not running.disconnected

    def _is_idle(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete and not self.pipeline

    def _is_stalled(self, now: float) -> bool:
        """Whether the client reads its answer more slowly than `answer_bytes_per_second`."""
        size = self.transport.get_write_buffer_size()
        if size == 0:
            self._unwritten = None
            return False
        since, size_before = self._unwritten = self._unwritten or (now, size)
        if now - since < self._bounds.answer_stall:
            return False
        self._unwritten = (now, size)
        return size > size_before - self._bounds.answer_bytes_per_second * self._bounds.answer_stall

    # how a request is refused

    def _feed_some(self, data: bytes) -> int:
        """Feed the parser, with at most the allowed size of one head. Returns how many bytes of *data* were used."""
        if self._phase is _Phase.NOTHING:
            self._begin_head()
        if self._phase is _Phase.BODY:
            self._framing_bytes += len(data)
            self._parse(data)
            if self._phase is _Phase.BODY and self._framing_bytes - 2 * self._body_bytes > self._bounds.framing_bytes:
                self._refuse(Violation(400, "invalid_request", "The body is mostly chunk sizes"))
            return len(data)
        size = min(len(data), self._bounds.head_bytes - self._head_bytes)
        self._head_bytes += size
        self._parse(data[:size])
        if self._phase is _Phase.HEAD and self._head_bytes >= self._bounds.head_bytes:
            is_url = not self.headers and 2 * len(self.url) > self._head_bytes
            self._refuse(too_long_url(self._bounds) if is_url else too_many_fields(self._bounds))
        return size

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Answered as if no upgrade was requested (RFC 9110, 7.8); what follows would be another protocol.
            self.cycle.keep_alive = False
            self._start_discarding()
        except httptools.HttpParserError as error:
            violation = error.__context__ if isinstance(error.__context__, Violation) else None
            self._refuse(violation or Violation(400, "invalid_request", "This is no HTTP request"))

    def _refuse_head(self) -> None:
        if self._is_answering():
            self._refuse(Violation(408, "request_timeout", "The next request arrived too slowly"))
        elif self._head_bytes:
            self._refuse(Violation(408, "request_timeout", "The header of the request arrived too slowly"))
        else:
            self._note("idle")
            self.transport.close()

    def _refuse_body(self) -> None:
        if self.cycle.response_complete:
            self._note("body_not_wanted")
            self.transport.abort()
        else:
            self._refuse(Violation(408, "request_timeout", "The body of the request arrived too slowly"))

    def _refuse_connection(self) -> None:
        if self._admission is not None and self._admission.outcome is ConnectionVerdict.CLIENT_FULL:
            self._answer(Violation(429, "rate_limited", "Too many connections from your address"))
        else:
            self._answer(Violation(503, "overloaded", "Too many connections, try again later"))

    def _refuse(self, violation: Violation) -> None:
        """Answer with *violation*, unless an earlier answer is in progress: then that is the last one."""
        self._note(violation.code)
        running = self._running
        if running is None or running.response_complete:
            self._answer(violation)
        elif running is self.cycle and self._phase is _Phase.BODY:
            self._disconnect(running)
            if running.response_started:
                self.transport.close()
            else:
                self._answer(violation)
        else:
            # The requests before this one are still answered; those are the last answers.
            if self._phase is _Phase.BODY:
                self.pipeline.popleft()
            last = self.pipeline[0][0] if self.pipeline else running
            last.keep_alive = False
            self._start_discarding()

    @staticmethod
    def _disconnect(cycle: RequestResponseCycle | None) -> None:
        """Signal the application that answers *cycle* that the client is gone."""
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()

    def _end_after_answer(self) -> None:
        """Close after the last answer, once a client that is still sending has had time to read it."""
        if self._phase in (_Phase.BODY, _Phase.HEAD, _Phase.DISCARDED) and self.transport.can_write_eof():
            self.transport.write_eof()
            self._start_discarding()
        else:
            self.transport.close()

    def _answer(self, violation: Violation) -> None:
        if self.transport.is_closing():
            return
        body = msgspec.json.encode({"error": violation.sentence, "details": {"code": violation.code}})
        fields = [
            b"content-type: application/json",
            b"content-length: " + str(len(body)).encode(),
            b"cache-control: no-store",
            b"x-request-id: " + new_id("req").encode(),
            b"connection: close",
        ]
        if violation.status in (429, 503):
            fields.append(b"retry-after: 5")
        self.transport.write(STATUS_LINE[violation.status] + b"\r\n".join(fields) + b"\r\n\r\n" + body)
        self._start_discarding()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _start_discarding(self) -> None:
        """Discard what still arrives: on a close now the kernel would reset the connection and lose the answer."""
        self._phase = _Phase.DISCARDED
        self._began = self.loop.time()
        self.flow.resume_reading()

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > _DISCARDED_BYTES:
            self.transport.abort()

    def _begin_head(self) -> None:
        self._phase = _Phase.HEAD
        self._began = self._last_byte
        self._head_bytes = 0
        self.url, self.headers = b"", []

    def _note(self, kind: str) -> None:
        self._limits.refusals.note(f"http.{kind}", self.client[0] if self.client else None)
