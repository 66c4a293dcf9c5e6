"""
The SMTP door: 250 after DATA means every recipient's mail is durable, stored once, and in the list.

RCPT is answered from the mailboxes there are, so a stranger hears 550 before sending a byte of mail.
A mail for several recipients is stored once for each; if some could not be stored just now the whole
is 451 and the sender's next try finds the others stored already.
"""

import asyncio
import logging
import socket
from typing import Final

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from kaisoumail.errors import CODES, Problem
from kaisoumail.model import message
from kaisoumail.operations.context import Context
from kaisoumail.operations.receive import can_receive, receive

MAX_RECIPIENTS: Final = 100
_TEMPORARY: Final = CODES["internal"].smtp
_log = structlog.get_logger("kaisoumail.smtp")
logging.getLogger("mail.log").setLevel(logging.ERROR)  # it would log every command, addresses included


class Door:
    """One listener. `open` binds it; `close` refuses newcomers and lets go of who is connected."""

    def __init__(self, context: Context, host: str, port: int) -> None:
        self._context = context
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connected: set[_Connection] = set()

    async def open(self) -> int:
        """Start to listen; returns the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self._host, self._port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._connected):
            connection.hang_up()
        await self._server.wait_closed()

    def _connection(self) -> "_Connection":
        return _Connection(self._context, self._connected)


class _Connection(SMTP):
    """One SMTP session. Lines of any length are taken: real mail has them, whatever the RFC says."""

    line_length_limit = 1 << 20

    def __init__(self, context: Context, connected: "set[_Connection]") -> None:
        super().__init__(
            _Handler(context),
            data_size_limit=context.limits.max_message_bytes,
            enable_SMTPUTF8=True,
            hostname=socket.gethostname(),
            ident="KaisouMail",
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            loop=asyncio.get_running_loop(),
        )
        self._connected = connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connected.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._connected.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()


class _Handler:
    """What the commands mean here; named as aiosmtpd wants it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients, send the rest in another transaction"
        try:
            await can_receive(self._context, address)
        except Problem as problem:
            return problem.kind.smtp
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = bytes(envelope.original_content or b"")
        sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        recipients = dict.fromkeys(envelope.rcpt_tos)
        outcomes = await asyncio.gather(*(self._deliver(sender, recipient, raw) for recipient in recipients))
        refused = [outcome for outcome in outcomes if outcome is not None]
        if not refused:
            return "250 2.0.0 Kept"
        # All refused for good: say so. Otherwise the sender tries again and hears at RCPT who is gone.
        return refused[0] if len(set(refused)) == 1 and len(refused) == len(outcomes) else _TEMPORARY

    async def _deliver(self, sender: str, recipient: str, raw: bytes) -> str | None:
        """None once the mail is kept for *recipient*; else the SMTP reply that says why not."""
        try:
            await receive(self._context, message.Envelope(sender, recipient), raw)
        except Problem as problem:
            return problem.kind.smtp
        return None

    async def handle_exception(self, error: Exception) -> str:
        _log.error("smtp.crash", exc_info=error)
        return _TEMPORARY
