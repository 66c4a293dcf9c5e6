"""
The gate before Cloudflare that all processes share, through two rows in the database.

A request takes the next free place and sleeps until it is due. Urgent ones queue; background ones
wait until nobody queues. After a 429 nobody passes until its time is over, and whoever tries is told
at once who brought it about, without a request being made.
"""

import asyncio
import math
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from kaisoumail.cloudflare.errors import Answer, RateLimited
from kaisoumail.cloudflare.pace import Asker
from kaisoumail.model.clock import Clock, iso
from kaisoumail.storage import facts
from kaisoumail.storage.database import Database

PACE: Final = "cloudflare_pace"
COOLDOWN: Final = "cloudflare_cooldown"
_BURST_SECONDS: Final = 5.0  # what may go out at once after a quiet time: this many seconds' worth


class SharedGate:
    """At most *per_second* requests in the long run, over every process that shares *database*."""

    def __init__(self, database: Database, clock: Clock, per_second: float) -> None:
        self._database = database
        self._clock = clock
        self._interval = 1 / per_second
        self._burst = max(1, round(per_second * _BURST_SECONDS))

    async def admit(self, asker: Asker, method: str, path: str) -> None:
        """Returns when the request may go out. Raises RateLimited while Cloudflare told us to stay away."""
        await self._refuse_in_cooldown(asker, method, path)
        while not asker.is_urgent and await self._is_busy():  # noqa: ASYNC110 - other processes take places too
            await asyncio.sleep(self._interval)
        wait = await self._database.write(
            partial(facts.reserve, key=PACE, now=self._clock(), interval=self._interval, burst=self._burst)
        )
        if wait > 0:
            await asyncio.sleep(wait)
            await self._refuse_in_cooldown(asker, method, path)

    async def close_for(self, error: RateLimited, asker: Asker) -> RateLimited:
        """Let nobody pass until *error*'s time is over; the first to be told off stays named as the cause."""
        now = self._clock()
        until = now + timedelta(seconds=error.retry_after)
        cause = {
            "triggeredAt": iso(now),
            "projectOperation": asker.operation,
            "projectRoute": asker.route,
            "cloudflareMethod": error.answer.method,
            "cloudflarePath": error.answer.path,
            "lastBlockedAt": None,
            "lastBlockedBy": None,
        }
        value = {"until": until.timestamp(), "cause": cause}
        await self._database.write(partial(facts.put, key=COOLDOWN, value=value, now=now))
        return RateLimited(error.answer, error.retry_after, _told(cause, until, error.retry_after))

    async def cooldown(self) -> RateLimited | None:
        """The refusal everybody would get now; None when requests may go out."""
        known = await self._database.read(partial(facts.find, key=COOLDOWN))
        if known is None:
            return None
        value, now = known[0], self._clock()
        left = math.ceil(value["until"] - now.timestamp())
        if left <= 0:
            return None
        cause = value["cause"]
        answer = Answer(cause["cloudflareMethod"], cause["cloudflarePath"], 429, message="cooling down")
        until = datetime.fromtimestamp(value["until"], now.tzinfo)
        return RateLimited(answer, left, _told(cause, until, left))

    async def _is_busy(self) -> bool:
        """True unless half a burst would be left for people after one more request."""
        ahead = await self._database.read(partial(facts.backlog, key=PACE, now=self._clock()))
        return ahead > -(self._burst // 2) * self._interval

    async def _refuse_in_cooldown(self, asker: Asker, method: str, path: str) -> None:
        refusal = await self.cooldown()
        if refusal is None or refusal.cause is None:
            return
        now = self._clock()
        blocked = {"projectOperation": asker.operation, "projectRoute": asker.route}
        cause = {**refusal.cause, "lastBlockedAt": iso(now), "lastBlockedBy": blocked}
        stored = {name: value for name, value in cause.items() if not name.startswith("retryAfter")}
        await self._database.write(partial(_note_blocked, cause=stored, now=now))
        answer = Answer(method, path, 429, message="not asked: Cloudflare told us to wait")
        raise RateLimited(answer, refusal.retry_after, cause)


def _note_blocked(connection: Connection, *, cause: dict[str, Any], now: datetime) -> None:
    known = facts.find(connection, COOLDOWN)
    if known is not None:
        facts.put(connection, COOLDOWN, {**known[0], "cause": cause}, now)


def _told(cause: dict[str, Any], until: datetime, seconds: int) -> dict[str, Any]:
    return {**cause, "retryAfter": iso(until), "retryAfterSeconds": seconds}
