"""The transport for uvicorn's answers: no writes after it is closing, and a close that can linger."""

import asyncio
from collections.abc import Callable


class AnswerTransport:
    """The part of *transport* that an answer uses. `close` calls *end*, which may let the client read first."""

    def __init__(self, transport: asyncio.Transport, end: Callable[[], None]) -> None:
        self._transport = transport
        self._end = end

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():  # uvloop raises where asyncio ignores it
            self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        if not self._transport.is_closing():
            self._end()
