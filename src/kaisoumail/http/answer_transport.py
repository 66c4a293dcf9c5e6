"""The transport as uvicorn's answers see it: nothing is written to nobody, and the end lingers."""

import asyncio
from collections.abc import Callable


class AnswerTransport:
    """As much of *transport* as an answer uses. Its `close` is *end*, which may let the client read first."""

    def __init__(self, transport: asyncio.Transport, end: Callable[[], None]) -> None:
        self._transport = transport
        self._end = end

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():  # uvloop raises where asyncio says nothing
            self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        if not self._transport.is_closing():
            self._end()
