"""The SMTP door: one listener, how many may come in at once, and how it is closed."""

import asyncio
import socket
from typing import Final

from kaisoumail.model.client_address import counted_as
from kaisoumail.network.connection_budget import Admission, ConnectionBudget, ConnectionLimits, ConnectionVerdict
from kaisoumail.operations.context import Context
from kaisoumail.smtp.protocol import SmtpProtocol
from kaisoumail.smtp.session import SharedLimits, SmtpConfig, SmtpSession

_CLOSING_SECONDS: Final = 10.0


class SmtpListener:
    """One listener. `open` binds it; `close` refuses newcomers and lets go of who is connected."""

    def __init__(
        self,
        context: Context,
        host: str,
        port: int,
        manners: SmtpConfig | None = None,
        limits: ConnectionLimits | None = None,
        shared: SharedLimits | None = None,
    ) -> None:
        self._context = context
        self._host = host
        self._port = port
        self._manners = manners or SmtpConfig(socket.gethostname())
        self._connections = ConnectionBudget(limits or ConnectionLimits())
        self._shared = shared or SharedLimits()
        self._server: asyncio.Server | None = None
        self._talking: dict[asyncio.Task[None], SmtpSession] = {}

    async def open(self) -> int:
        """Start to listen; returns the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _SmtpConnection(self), self._host, self._port, backlog=1024)
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

    @property
    def manners(self) -> SmtpConfig:
        return self._manners

    def is_stressed(self) -> bool:
        """Whether strangers hold so much that nobody slow is waited for."""
        return self._connections.is_stressed

    def welcome(self, visitor: "_SmtpConnection", client: str) -> None:
        """Begin the dialogue, unless too many are here."""
        name = self._manners.host_name
        admission = self._connections.admit(client, lambda: self._evict(visitor, client))
        match admission.outcome:
            case ConnectionVerdict.SERVER_FULL:
                reply = f"421 4.3.2 {name} Too many connections, try again later"
                self._refuse(visitor, client, "too_many_connections", reply)
            case ConnectionVerdict.CLIENT_FULL:
                reply = f"421 4.7.0 {name} Too many connections from you"
                self._refuse(visitor, client, "too_many_connections_of_one", reply)
            case _:
                session = SmtpSession(self._context, visitor, client, self._shared, self._manners)
                task = asyncio.create_task(session.converse())
                self._talking[task] = session
                task.add_done_callback(lambda _: self._farewell(task, admission))

    def _refuse(self, visitor: "_SmtpConnection", client: str, why: str, reply: str) -> None:
        self._shared.refusals.note(f"smtp.{why}", client)
        visitor.hang_up(reply, linger=False)  # lingering connections of a flood would be descriptors that nobody counts

    def _evict(self, visitor: "_SmtpConnection", client: str) -> None:
        """Somebody who has fewer connections needs the place."""
        reply = f"421 4.3.2 {self._manners.host_name} Too many connections, try again later"
        self._refuse(visitor, client, "evicted", reply)

    def _farewell(self, task: "asyncio.Task[None]", admission: Admission) -> None:
        del self._talking[task]
        self._connections.leave(admission)


class _SmtpConnection(SmtpProtocol):
    """A connection that presents itself at the door."""

    def __init__(self, door: SmtpListener) -> None:
        super().__init__(door.manners.pace, door.is_stressed)
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._door.welcome(self, _client(transport))


def _client(transport: asyncio.BaseTransport) -> str:
    """Who to count as one."""
    peer = transport.get_extra_info("peername")
    return counted_as(str(peer[0])) if peer else ""
