"""Faults on demand: failing, late or cut-off answers in place of the real one, or after its effect."""

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Final, Literal

import msgspec

from cloudflare_sandbox.answers import HttpAnswer, Product, Refusal, failure
from cloudflare_sandbox.rate_limit import MESSAGE

PREFIX: Final = "/client/v4"
FOR_EVER: Final = -1
_PIECE: Final = 65_536
_ECHO: Final = "{authorization}"
_BROKEN: Final = (
    "An error(-502) has occurred and it has been logged. "
    "We will fix this problem promptly. We apologize for the inconvenience"
)
# Code and message for a fault with only a status: 971 and 1052 as recorded, 10000 as quoted most often.
_DEFAULTS: Final = {429: (971, MESSAGE), 401: (10000, "Authentication error"), 403: (10000, "Authentication error")}


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """Which calls a fault is for. The path may contain `*`; its prefix /client/v4 is optional."""

    method: str = "*"
    path: str = "*"


class Fault(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """
    A fault for *times* calls; -1 is until it is removed.

    *drop* cuts the connection in the middle of the answer: "before" the call has its effect, or "after".
    A fault with a status or a body prevents any effect of the call, unless *takes_effect*: then the call has its
    effect and only its answer is replaced. One with only a delay lets the call through; with *takes_effect* the
    answer is late. With *probability* below 1 calls are spared at random; the same *seed* spares the same ones.

    *content* replaces the body, *headers* are added; `{authorization}` in either, and in *message*, is that header
    of the call. *trickle_ms* pass before each byte of the body, and *fill_bytes* spaces are sent before the first;
    -1 is without end. These two apply to any answer, the real one too.
    """

    match: Match = msgspec.field(default_factory=Match)
    times: int = 1
    status: int | None = None
    code: int | None = None
    message: str | None = None
    retry_after: int | None = None
    delay_ms: int = 0
    drop: Literal["before", "after"] | None = None
    body: Literal["html", "text", "success_false_200", "not_json_200"] | None = None
    content: str | None = None
    headers: dict[str, str] = {}
    trickle_ms: int = 0
    fill_bytes: int = 0
    takes_effect: bool = False
    probability: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.times < 1 and self.times != FOR_EVER:
            raise ValueError("times is at least 1, or -1 for until it is removed")
        if not 0 < self.probability <= 1:
            raise ValueError("probability is above 0 and at most 1")
        if self.delay_ms < 0:
            raise ValueError("delayMs is at least 0")
        if self.trickle_ms < 0:
            raise ValueError("trickleMs is at least 0")
        if self.fill_bytes < 0 and self.fill_bytes != FOR_EVER:
            raise ValueError("fillBytes is at least 0, or -1 for without end")
        if self.takes_effect and self.drop == "before":
            raise ValueError('drop "before" means that it takes no effect')

    def fits(self, method: str, path: str) -> bool:
        pattern = self.match.path.removeprefix(PREFIX)
        return self.match.method.upper() in ("*", method) and fnmatchcase(path, pattern)

    def answer(self, authorization: str) -> HttpAnswer | None:
        """The answer that replaces the real one for a call with this *authorization*; None lets it through."""
        wire = self._answer()
        if wire is None:
            return None
        body = wire.body.replace(_ECHO.encode(), authorization.encode("latin-1"))
        more = [(name, value.replace(_ECHO, authorization)) for name, value in self.headers.items()]
        return replace(wire, body=body, headers=wire.headers + more)

    def pieces(self, body: bytes) -> Iterator[bytes]:
        """*body* after its *fill_bytes* spaces, in the pieces to send: single bytes with *trickle_ms*."""
        size = 1 if self.trickle_ms else _PIECE
        left = self.fill_bytes
        while left:
            piece = size if left == FOR_EVER else min(size, left)
            yield b" " * piece
            left -= 0 if left == FOR_EVER else piece
        yield from (body[at : at + size] for at in range(0, len(body), size))

    def _answer(self) -> HttpAnswer | None:
        if self.content is not None:
            return self._with_retry(HttpAnswer(self.status or 200, self.content.encode()))
        if self.body == "html":
            return self._with_retry(_page(self.status or 502))
        if self.body == "text":
            status = self.status or 500
            text = self.message or _phrase(status)
            return self._with_retry(HttpAnswer(status, text.encode(), "text/plain; charset=UTF-8"))
        if self.body == "not_json_200":
            return HttpAnswer(200, b"<!DOCTYPE html><title>Maintenance</title>", "text/html; charset=UTF-8")
        if self.body == "success_false_200":
            return failure(self._refusal(200), Product.EDGE)
        return failure(self._refusal(self.status), Product.EDGE) if self.status is not None else None

    def _refusal(self, status: int) -> Refusal:
        code, message = _DEFAULTS.get(status, (1052, _BROKEN))
        return Refusal(
            status,
            code if self.code is None else self.code,
            message if self.message is None else self.message,
            retry_after=self.retry_after,
        )

    def _with_retry(self, wire: HttpAnswer) -> HttpAnswer:
        if self.retry_after is not None:
            wire.headers.append(("retry-after", str(self.retry_after)))
        return wire


@dataclass
class _PendingFault:
    """A fault still to come, with its random numbers."""

    fault: Fault
    numbers: random.Random

    def hits(self) -> bool:
        return self.fault.probability >= 1 or self.numbers.random() < self.fault.probability


@dataclass
class Faults:
    """The faults still to come, oldest first."""

    _pending: list[_PendingFault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """A random fault without a seed gets one, which the list shows, so that it can be repeated."""
        if fault.seed is None and fault.probability < 1:
            fault.seed = secrets.randbits(32)
        self._pending.append(_PendingFault(fault, random.Random(fault.seed)))  # noqa: S311 - no secret

    def listed(self) -> list[Fault]:
        return [pending.fault for pending in self._pending]

    def clear(self) -> None:
        self._pending.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that fits and hits this call; one of its *times* is used."""
        for pending in self._pending:
            fault = pending.fault
            if fault.fits(method, path) and pending.hits():
                if fault.times != FOR_EVER:
                    fault.times -= 1
                if fault.times == 0:
                    self._pending.remove(pending)
                return fault
        return None


def _page(status: int) -> HttpAnswer:
    """An error page like those of the edge: `502 Bad Gateway`, `504 Gateway Time-out` and its own 52x."""
    title = f"{status} {_phrase(status)}"
    body = f"<center><h1>{title}</h1></center>\r\n<hr><center>cloudflare</center>"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n{body}\r\n</body>\r\n</html>\r\n"
    return HttpAnswer(status, page.encode(), "text/html; charset=UTF-8")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"error code: {status}"
