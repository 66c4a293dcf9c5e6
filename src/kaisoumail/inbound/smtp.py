"""The SMTP door: one listener, how many may come in at once, and how it is closed."""

import asyncio
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Final

from kaisoumail.inbound.room import BYTES, Room
from kaisoumail.inbound.smtp_session import Manners, Session
from kaisoumail.inbound.smtp_wire import Wire
from kaisoumail.model.client_address import counted_as
from kaisoumail.operations.context import Context

_CLOSING_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many connections there may be at once: in all, and from one client; and bytes of mails in memory."""

    connections: int = 1000
    from_one: int = 100
    bytes_in_memory: int = BYTES


class Door:
    """One listener. `open` binds it; `close` refuses newcomers and lets go of who is connected."""

    def __init__(
        self, context: Context, host: str, port: int, manners: Manners | None = None, crowd: Crowd | None = None
    ) -> None:
        self._context = context
        self._host = host
        self._port = port
        self._manners = manners or Manners(socket.gethostname())
        self._crowd = crowd or Crowd()
        self._room = Room(self._crowd.bytes_in_memory)
        self._server: asyncio.Server | None = None
        self._talking: dict[asyncio.Task[None], Session] = {}
        self._clients: Counter[str] = Counter()

    async def open(self) -> int:
        """Start to listen; returns the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Visitor(self), self._host, self._port, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Let nobody in, answer the mails that are being stored, and hang up."""
        if self._server is None:
            return
        self._server.close()
        for session in self._talking.values():
            session.stop()
        if self._talking:
            await asyncio.wait(tuple(self._talking), timeout=_CLOSING_SECONDS)
        for task in tuple(self._talking):
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)
        await self._server.wait_closed()

    def welcome(self, visitor: "_Visitor", client: str) -> None:
        """Begin the dialogue, unless too many are here."""
        if len(self._talking) >= self._crowd.connections:
            visitor.hang_up(f"421 4.3.2 {self._manners.host_name} Too many connections, try again later")
        elif self._clients[client] >= self._crowd.from_one:
            visitor.hang_up(f"421 4.7.0 {self._manners.host_name} Too many connections from you")
        else:
            session = Session(self._context, visitor, self._room, self._manners)
            task = asyncio.create_task(session.converse())
            self._talking[task] = session
            self._clients[client] += 1
            task.add_done_callback(lambda _: self._farewell(task, client))

    def visitor_manners(self) -> tuple[Room, float]:
        return self._room, self._manners.patience

    def _farewell(self, task: "asyncio.Task[None]", client: str) -> None:
        del self._talking[task]
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]


class _Visitor(Wire):
    """A connection that presents itself at the door."""

    def __init__(self, door: Door) -> None:
        super().__init__(*door.visitor_manners())
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._door.welcome(self, _client(transport))


def _client(transport: asyncio.BaseTransport) -> str:
    """Who to count as one."""
    peer = transport.get_extra_info("peername")
    return counted_as(str(peer[0])) if peer else ""
