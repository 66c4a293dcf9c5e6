"""
A second opinion on mails with several likely codes: which of them is it?

Asked after the mail was answered, never before: no mail waits for it, and none is lost with it. It is an opinion and
no duty: what cannot be had now (no answer, too many waiting, the server stops) is not asked for again.
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
from kaisoumail.model.code import Doubt, Verification
from kaisoumail.model.message import Message
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import key_values, messages

_MOST_WAITING: Final = 100
_PATIENCE: Final = 60.0  # for a whole answer, however slowly it trickles in: others wait
_PAUSE: Final = "workers_ai_pause"
_CONFIDENCE: Final = 0.5  # a model says nothing of how sure it is
_log = structlog.get_logger("kaisoumail.second_opinions")


class SecondOpinions:
    """Asks *model* of the account, one mail after the other."""

    def __init__(self, database: Database, cloudflare: Cloudflare, account_id: str, model: str, clock: Clock) -> None:
        self._database = database
        self._cloudflare = cloudflare
        self._account_id = account_id
        self._model = model
        self._clock = clock
        self._waiting: deque[tuple[Message, Sequence[Doubt]]] = deque(maxlen=_MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    def ask(self, message: Message, doubts: Sequence[Doubt]) -> None:
        """Have one asked for *message*; returns at once, never fails. When too many wait, the oldest goes without."""
        self._waiting.append((message, doubts))
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def wait_until_idle(self) -> None:
        """Returns when nobody waits for an opinion any more."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Ask no more, and let go of *cloudflare*."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._cloudflare.close()

    async def _run(self) -> None:
        try:
            while self._waiting:
                message, doubts = self._waiting.popleft()
                try:
                    await self._resolve(message, doubts)
                except Exception as error:  # noqa: BLE001 - a bug with one mail must not be the end of all opinions
                    _log.error("second_opinions.crash", message_id=message.id, exc_info=error)
        finally:
            self._task = None

    async def _resolve(self, message: Message, doubts: Sequence[Doubt]) -> None:
        try:
            if await self._is_paused() or await self._is_gone(message):
                return
            async with asyncio.timeout(_PATIENCE):
                choice = await ai.chosen(self._cloudflare, self._account_id, self._model, message.subject, doubts)
            if choice is not None:
                await self._database.write(
                    partial(messages.add_verification, message_id=message.id, found=_verification(choice))
                )
        except RateLimited as limited:
            await self._pause(self._seconds(limited))
        except (CloudflareError, TimeoutError) as error:
            _log.warning("second_opinions.none", message_id=message.id, error=type(error).__name__)
        except Problem as problem:
            _log.warning("second_opinions.not_kept", message_id=message.id, reason=problem.message)

    async def _is_gone(self, message: Message) -> bool:
        """Whether it was deleted while it waited: nobody is told of it any more."""
        return await self._database.read(partial(messages.find, message_id=message.id)) is None

    async def _is_paused(self) -> bool:
        pause = await self._database.read(partial(key_values.find_timed, key=_PAUSE))
        if pause is None:
            return False
        left = pause.seconds_until(datetime.fromisoformat(pause.value).timestamp())
        if left > 0 and pause.clock_went_back:
            await self._database.write(partial(_note_pause, seconds=left))  # it passes from here on
        return left > 0

    async def _pause(self, seconds: float) -> None:
        """For every process: the allowance is the account's."""
        _log.warning("second_opinions.paused", seconds=round(seconds))
        try:
            await self._database.write(partial(_note_pause, seconds=seconds))
        except Problem as problem:
            _log.warning("second_opinions.pause_not_kept", reason=problem.message)

    def _seconds(self, limited: RateLimited) -> float:
        if not ai.is_used_up(limited):
            return limited.retry_after
        now = self._clock()  # a day begins by the wall clock
        return (now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - now).total_seconds()


def _note_pause(connection: Connection, *, seconds: float) -> None:
    now = database_now(connection)
    key_values.put(connection, _PAUSE, (now + timedelta(seconds=seconds)).isoformat(), now)


def _verification(choice: Doubt) -> Verification:
    return Verification(choice.code, choice.source, "ai", choice.evidence, choice.word, _CONFIDENCE)
