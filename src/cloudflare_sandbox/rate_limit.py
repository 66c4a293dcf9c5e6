"""
The rate limit of a user: 1200 calls in five minutes over all tokens.

Cloudflare's "API limits" page (April 2026): above it, all calls are blocked for the next five minutes.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloudflare_sandbox.answers import Refusal

WINDOW: Final = timedelta(minutes=5)
MESSAGE: Final = "Please wait and consider throttling your request speed"
_MESSAGES: Final = {
    10100: f"More than 1200 requests per 300 seconds reached. {MESSAGE}",
    10429: f"Rate limited. {MESSAGE}",
    10500: f"More than 1200 requests per 300 seconds reached. {MESSAGE}",
}


@dataclass
class RateLimit:
    """Calls counted since the window began, and until when everything is blocked."""

    began: datetime | None = None
    calls: int = 0
    blocked_until: datetime | None = None

    def count(self, now: datetime, allowed: int, code: int = 971) -> None:
        """Count one call. Raises Refusal (429 with *code*) for a call above *allowed* and for five minutes after it."""
        if self.blocked_until is not None and now < self.blocked_until:
            raise _refusal(code, now, self.blocked_until)
        if self.began is None or now >= self.began + WINDOW:
            self.began, self.calls = now, 0
        self.calls += 1
        if self.calls > allowed:
            self.began, self.blocked_until = None, now + WINDOW
            raise _refusal(code, now, self.blocked_until)


def _refusal(code: int, now: datetime, until: datetime) -> Refusal:
    wait = math.ceil((until - now).total_seconds())
    return Refusal(429, code, _MESSAGES.get(code, MESSAGE), retry_after=wait, edge=True)
