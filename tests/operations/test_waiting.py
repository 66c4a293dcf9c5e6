"""What a wait returns is not returned again by the wait that continues from its cursor."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import zstandard
from sqlalchemy import Connection

from kaisoumail.model.feed import BEGINNING
from kaisoumail.model.message import Matcher
from kaisoumail.model.user import Viewer
from kaisoumail.operations.wait import WaitOutcome, WaitRequest, wait
from kaisoumail.storage.engine.database import Database
from kaisoumail.storage.intake import IncomingMessage
from kaisoumail.workflows.context import Context
from tests.builders import a_mailbox, a_message
from tests.contexts import a_context
from tests.people import ROOT

T = TypeVar("T")
MAILBOX = a_mailbox()
RAW = b"Subject: x\r\n\r\nhello\r\n"
MESSAGE = a_message(MAILBOX, RAW)


class Between:
    """The database, which stores a message right after the first read."""

    def __init__(self, database: Database, context: Context) -> None:
        self._database, self._context = database, context
        self._is_first = True

    async def read(self, work: Callable[[Connection], T]) -> T:
        value = await self._database.read(work)
        if self._is_first:
            self._is_first = False
            await self._context.stores.intake.store(IncomingMessage(MESSAGE, zstandard.compress(RAW)))
        return value

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)


async def _root() -> Viewer:
    return ROOT


def test_a_message_that_comes_between_the_two_looks_of_a_wait_is_returned_once(tmp_path: Path) -> None:
    async def story() -> tuple[WaitOutcome, WaitOutcome]:
        async with a_context(tmp_path, MAILBOX) as context:
            between: Database = Between(context.database, context)  # type: ignore[assignment]
            awaited = WaitRequest((MAILBOX.id,), Matcher(), BEGINNING)
            first = await wait(replace(context, database=between), ROOT, awaited, 0, _root)
            again = await wait(context, ROOT, replace(awaited, since=first.cursor), 0, _root)
            return first, again

    first, again = asyncio.run(story())

    assert first.opened is not None
    assert first.opened.message.id == MESSAGE.id
    assert again.opened is None
