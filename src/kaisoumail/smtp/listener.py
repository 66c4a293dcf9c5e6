"""The SMTP listener: its port, its connection limits and its shutdown."""

import asyncio
import socket
from typing import Final

from kaisoumail.model.client_address import client_key
from kaisoumail.network.connection_budget import (
    ConnectionAdmission,
    ConnectionBudget,
    ConnectionLimits,
    ConnectionVerdict,
)
from kaisoumail.network.listening import copies_of
from kaisoumail.operations.context import Context
from kaisoumail.smtp.protocol import SmtpProtocol
from kaisoumail.smtp.session import SharedLimits, SmtpConfig, SmtpSession

_CLOSING_SECONDS: Final = 10.0
_BACKLOG: Final = 1024


class SmtpListener:
    """One listener. `open` binds it; `close` stops accepting and ends the connections."""

    def __init__(
        self,
        context: Context,
        config: SmtpConfig | None = None,
        limits: ConnectionLimits | None = None,
        shared: SharedLimits | None = None,
    ) -> None:
        self._context = context
        self._config = config or SmtpConfig(socket.gethostname())
        self._budget = ConnectionBudget(limits or ConnectionLimits())
        self._shared = shared or SharedLimits()
        self._servers: list[asyncio.Server] = []
        self._sessions: dict[asyncio.Task[None], SmtpSession] = {}

    async def open(self, host: str, port: int) -> int:
        """Start to listen; returns the port, which the system chooses for 0. Raises OSError when it is in use."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _SmtpConnection(self), host, port, backlog=_BACKLOG)
        self._servers.append(server)
        for copy in copies_of(server.sockets):
            self._servers.append(await loop.create_server(lambda: _SmtpConnection(self), sock=copy, backlog=_BACKLOG))
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Accept no more connections, answer the messages that are being stored, and close all connections."""
        for server in self._servers:
            server.close()
        for session in self._sessions.values():
            session.stop()
        if self._sessions:
            await asyncio.wait(tuple(self._sessions), timeout=_CLOSING_SECONDS)
        for task in tuple(self._sessions):
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    @property
    def config(self) -> SmtpConfig:
        return self._config

    def is_stressed(self) -> bool:
        """Whether unauthenticated clients hold so many connections that slow ones get less time."""
        return self._budget.is_stressed

    def begin_session(self, connection: "_SmtpConnection", client: str) -> None:
        """Begin the session, or refuse it when there are too many connections."""
        name = self._config.host_name
        admission = self._budget.admit(client, lambda: self._evict(connection, client))
        match admission.outcome:
            case ConnectionVerdict.SERVER_FULL:
                reply = f"421 4.3.2 {name} Too many connections, try again later"
                self._refuse(connection, client, "too_many_connections", reply)
            case ConnectionVerdict.CLIENT_FULL:
                reply = f"421 4.7.0 {name} Too many connections from your address"
                self._refuse(connection, client, "too_many_connections_of_one", reply)
            case _:
                session = SmtpSession(self._context, connection, client, self._shared, self._config)
                task = asyncio.create_task(session.run())
                self._sessions[task] = session
                task.add_done_callback(lambda _: self._end_session(task, admission))

    def _refuse(self, connection: "_SmtpConnection", client: str, reason: str, reply: str) -> None:
        self._shared.refusals.note(f"smtp.{reason}", client)
        # Without linger: the lingering connections of a flood would use descriptors that are not counted.
        connection.hang_up(reply, linger=False)

    def _evict(self, connection: "_SmtpConnection", client: str) -> None:
        """End *connection* because a client with fewer needs a place."""
        reply = f"421 4.3.2 {self._config.host_name} Too many connections, try again later"
        self._refuse(connection, client, "evicted", reply)

    def _end_session(self, task: "asyncio.Task[None]", admission: ConnectionAdmission) -> None:
        del self._sessions[task]
        self._budget.release(admission)


class _SmtpConnection(SmtpProtocol):
    """A connection that was accepted."""

    def __init__(self, listener: SmtpListener) -> None:
        super().__init__(listener.config.pace, listener.is_stressed)
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._listener.begin_session(self, _client(transport))


def _client(transport: asyncio.BaseTransport) -> str:
    """The client whose connections are counted together: an IPv4 address or an IPv6 /64."""
    peer = transport.get_extra_info("peername")
    return client_key(str(peer[0])) if peer else ""
