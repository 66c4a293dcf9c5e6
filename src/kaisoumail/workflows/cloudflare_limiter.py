"""
The rate limiter for Cloudflare that all processes share, through two rows in the database.

A request reserves the next free slot and sleeps until that slot is due. Urgent requests queue; background requests
wait until the queue is empty. After a 429 no request is sent until the cooldown ends: a caller that tries gets
RateLimited immediately, with the request that caused it.

The database's clock decides. The process's clock is used only for instants shown to people.
"""

import asyncio
import math
from datetime import timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from kaisoumail.cloudflare.errors import Answer, RateLimited
from kaisoumail.cloudflare.limiter import Caller
from kaisoumail.model.clock import Clock, iso
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import key_values

PACE: Final = "cloudflare_pace"
COOLDOWN: Final = "cloudflare_cooldown"
_BURST_SECONDS: Final = 5.0  # a burst after an idle time is as large as this many seconds of the rate


class CloudflareLimiter:
    """At most *per_second* requests on average, over all processes that share *database*."""

    def __init__(self, database: Database, clock: Clock, per_second: float) -> None:
        self._database = database
        self._clock = clock
        self._interval = 1 / per_second
        self._burst = max(1, round(per_second * _BURST_SECONDS))

    async def admit(self, caller: Caller, method: str, path: str) -> None:
        """Returns when the request may be sent. Raises RateLimited during a cooldown, and Problem of the database."""
        await self._refuse_in_cooldown(caller, method, path)
        while not caller.is_urgent and await self._is_busy():  # noqa: ASYNC110 - other processes reserve slots too
            await asyncio.sleep(self._interval)
        wait = await self._database.write(
            partial(key_values.reserve, key=PACE, interval=self._interval, burst=self._burst)
        )
        if wait > 0:
            await asyncio.sleep(wait)
            await self._refuse_in_cooldown(caller, method, path)

    async def begin_cooldown(self, error: RateLimited, caller: Caller) -> RateLimited:
        """Begin a cooldown of *error*'s `retry_after` seconds; returns *error* with the request that caused it."""
        cause = {
            "triggeredAt": iso(self._clock()),
            "projectOperation": caller.operation,
            "projectRoute": caller.route,
            "cloudflareMethod": error.answer.method,
            "cloudflarePath": error.answer.path,
            "lastBlockedAt": None,
            "lastBlockedBy": None,
        }
        await self._database.write(partial(_close, cause=cause, seconds=error.retry_after))
        return RateLimited(error.answer, error.retry_after, self._with_retry_after(cause, error.retry_after))

    async def cooldown(self) -> RateLimited | None:
        """The error that every request would get now; None when requests may be sent."""
        known = await self._database.read(partial(key_values.find_timed, key=COOLDOWN))
        if known is None:
            return None
        left = math.ceil(known.seconds_until(known.value["until"]))
        if left <= 0:
            return None
        cause = known.value["cause"]
        answer = Answer(cause["cloudflareMethod"], cause["cloudflarePath"], 429, message="cooling down")
        return RateLimited(answer, left, self._with_retry_after(cause, left))

    async def _is_busy(self) -> bool:
        """True unless half a burst would remain for urgent requests after one more request."""
        pace = await self._database.read(partial(key_values.find_timed, key=PACE))
        if pace is None or pace.clock_went_back:  # the next reservation corrects it
            return False
        return pace.seconds_until(float(pace.value)) > -(self._burst // 2) * self._interval

    async def _refuse_in_cooldown(self, caller: Caller, method: str, path: str) -> None:
        refusal = await self.cooldown()
        if refusal is None or refusal.cause is None:
            return
        blocked = {"projectOperation": caller.operation, "projectRoute": caller.route}
        cause = {**refusal.cause, "lastBlockedAt": iso(self._clock()), "lastBlockedBy": blocked}
        stored = {name: value for name, value in cause.items() if not name.startswith("retryAfter")}
        await self._database.write(partial(_note_blocked, cause=stored))
        answer = Answer(method, path, 429, message="not asked: Cloudflare told us to wait")
        raise RateLimited(answer, refusal.retry_after, cause)

    def _with_retry_after(self, cause: dict[str, Any], seconds: int) -> dict[str, Any]:
        until = self._clock() + timedelta(seconds=seconds)
        return {**cause, "retryAfter": iso(until), "retryAfterSeconds": seconds}


def _close(connection: Connection, *, cause: dict[str, Any], seconds: float) -> None:
    now = database_now(connection)
    key_values.put(connection, COOLDOWN, {"until": now.timestamp() + seconds, "cause": cause}, now)


def _note_blocked(connection: Connection, *, cause: dict[str, Any]) -> None:
    """Store the last blocked caller. The end is computed again, so it still comes if the clock was set back."""
    known = key_values.find_timed_to_change(connection, COOLDOWN)
    if known is not None:
        until = known.now.timestamp() + known.seconds_until(known.value["until"])
        key_values.put(connection, COOLDOWN, {"until": until, "cause": cause}, known.now)
