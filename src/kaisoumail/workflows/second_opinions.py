"""
Second opinions: a model of Workers AI picks one of several likely codes of a message.

It is asked after the message was accepted, so no message waits for it or is lost with it. It is best effort: an
opinion that cannot be had now (no answer, too many waiting, server shutdown) is not asked for again.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from kaisoumail.cloudflare import ai
from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.errors import CloudflareError, RateLimited
from kaisoumail.errors import Problem
from kaisoumail.model.clock import Clock
from kaisoumail.model.code import UncertainCode, Verification
from kaisoumail.model.message import Message
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import key_values, messages

_MOST_WAITING: Final = 100
_PATIENCE: Final = 60.0  # seconds for the whole answer, also one that trickles in: other messages wait
_PAUSE: Final = "workers_ai_pause"
_CONFIDENCE: Final = 0.5  # the model reports no confidence
_log = structlog.get_logger("kaisoumail.second_opinions")


class SecondOpinions:
    """Asks *model* of the Cloudflare account about one message after the other."""

    def __init__(self, database: Database, cloudflare: Cloudflare, account_id: str, model: str, clock: Clock) -> None:
        self._database = database
        self._cloudflare = cloudflare
        self._account_id = account_id
        self._model = model
        self._clock = clock
        self._waiting: deque[tuple[Message, Sequence[UncertainCode]]] = deque(maxlen=_MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    def ask(self, message: Message, codes: Sequence[UncertainCode]) -> None:
        """Queue *message*; returns immediately, never fails. When too many messages wait, the oldest is dropped."""
        self._waiting.append((message, codes))
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def wait_until_idle(self) -> None:
        """Returns when no message waits for an opinion."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Drop the queue, cancel the request in progress and close *cloudflare*."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._cloudflare.close()

    async def _run(self) -> None:
        try:
            while self._waiting:
                message, codes = self._waiting.popleft()
                try:
                    await self._resolve(message, codes)
                except Exception as error:  # noqa: BLE001 - a bug with one message must not end all opinions
                    _log.error("second_opinions.crash", message_id=message.id, exc_info=error)
        finally:
            self._task = None

    async def _resolve(self, message: Message, codes: Sequence[UncertainCode]) -> None:
        try:
            if await self._is_paused() or await self._is_gone(message):
                return
            async with asyncio.timeout(_PATIENCE):
                choice = await ai.choose(self._cloudflare, self._account_id, self._model, message.subject, codes)
            if choice is not None:
                await self._database.write(
                    partial(messages.add_verification, message_id=message.id, found=_verification(choice))
                )
        except RateLimited as limited:
            await self._pause(self._seconds(limited))
        except (CloudflareError, TimeoutError) as error:
            _log.warning("second_opinions.none", message_id=message.id, error=type(error).__name__)
        except Problem as problem:
            _log.warning("second_opinions.not_stored", message_id=message.id, reason=problem.message)

    async def _is_gone(self, message: Message) -> bool:
        """Whether *message* was deleted while it waited; it is then not sent to the model."""
        return await self._database.read(partial(messages.find, message_id=message.id)) is None

    async def _is_paused(self) -> bool:
        pause = await self._database.read(partial(key_values.find_timed, key=_PAUSE))
        if pause is None:
            return False
        left = pause.seconds_until(datetime.fromisoformat(pause.value).timestamp())
        if left > 0 and pause.clock_went_back:
            await self._database.write(partial(_note_pause, seconds=left))  # counted from now on, so that it ends
        return left > 0

    async def _pause(self, seconds: float) -> None:
        """Pause for *seconds* in every process: the allocation belongs to the account."""
        _log.warning("second_opinions.paused", seconds=round(seconds))
        try:
            await self._database.write(partial(_note_pause, seconds=seconds))
        except Problem as problem:
            _log.warning("second_opinions.pause_not_stored", reason=problem.message)

    def _seconds(self, limited: RateLimited) -> float:
        if not ai.is_used_up(limited):
            return limited.retry_after
        now = self._clock()  # the allocation is renewed at midnight UTC by the wall clock
        return (now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - now).total_seconds()


def _note_pause(connection: Connection, *, seconds: float) -> None:
    now = database_now(connection)
    key_values.put(connection, _PAUSE, (now + timedelta(seconds=seconds)).isoformat(), now)


def _verification(choice: UncertainCode) -> Verification:
    return Verification(choice.code, choice.source, "ai", choice.evidence, choice.word, _CONFIDENCE)
