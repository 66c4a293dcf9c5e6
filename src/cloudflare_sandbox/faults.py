"""Trouble on demand: answers that Cloudflare gives on a bad day, in place of or after the real one."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal

import msgspec

from cloudflare_sandbox.answers import Product, Refusal, Wire, failure
from cloudflare_sandbox.rate_limit import MESSAGE

PREFIX: Final = "/client/v4"
_BROKEN: Final = (
    "An error(-502) has occurred and it has been logged. "
    "We will fix this problem promptly. We apologize for the inconvenience"
)
# What stands in the body when a fault names only a status: 971 and 1052 as recorded, 10000 as most quoted.
_USUAL: Final = {429: (971, MESSAGE), 401: (10000, "Authentication error"), 403: (10000, "Authentication error")}


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """Which calls a fault is for. The path may hold `*` and may carry the /client/v4 prefix or not."""

    method: str = "*"
    path: str = "*"


class Fault(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """
    What goes wrong, *times* times.

    *drop* cuts the connection in the middle of the answer: "before" the call had its effect, or "after".
    A fault with a status or a body keeps the call from having any effect; one with only a delay does not.
    """

    match: Match = msgspec.field(default_factory=Match)
    times: int = 1
    status: int | None = None
    code: int | None = None
    message: str | None = None
    retry_after: int | None = None
    delay_ms: int = 0
    drop: Literal["before", "after"] | None = None
    body: Literal["html", "success_false_200", "not_json_200"] | None = None

    def fits(self, method: str, path: str) -> bool:
        wanted = self.match.path.removeprefix(PREFIX)
        return self.match.method.upper() in ("*", method) and fnmatchcase(path, wanted)

    def answer(self) -> Wire | None:
        """What is answered instead of the real thing; None lets the call through."""
        if self.body == "html":
            status = self.status or 502
            page = f"<html>\r\n<head><title>{status}</title></head>\r\n<body>cloudflare</body>\r\n</html>\r\n"
            return self._with_retry(Wire(status, page.encode(), "text/html; charset=UTF-8"))
        if self.body == "not_json_200":
            return Wire(200, b"<!DOCTYPE html><title>Maintenance</title>", "text/html; charset=UTF-8")
        if self.body == "success_false_200":
            return failure(self._refusal(200), Product.EDGE)
        return failure(self._refusal(self.status), Product.EDGE) if self.status is not None else None

    def _refusal(self, status: int) -> Refusal:
        code, message = _USUAL.get(status, (1052, _BROKEN))
        return Refusal(
            status,
            code if self.code is None else self.code,
            message if self.message is None else self.message,
            retry_after=self.retry_after,
        )

    def _with_retry(self, wire: Wire) -> Wire:
        if self.retry_after is not None:
            wire.headers.append(("retry-after", str(self.retry_after)))
        return wire


@dataclass
class Faults:
    """The faults still to come, oldest first."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that fits this call, used up by one."""
        for fault in self.waiting:
            if fault.fits(method, path):
                fault.times -= 1
                if fault.times < 1:
                    self.waiting.remove(fault)
                return fault
        return None
