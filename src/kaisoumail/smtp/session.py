"""
One SMTP session (RFC 5321), as a coroutine that reads commands and writes replies.

RCPT is answered from the existing mailboxes, so a client gets 550 before it sends any message data. 250 after DATA
means that the message is durable for every recipient, stored once, and in the list. A message for several recipients is
stored once for each; if some could not be stored now, the reply is 451, and the sender's next attempt finds the others
stored already.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from kaisoumail.errors import CODES, Problem
from kaisoumail.model.message import Envelope
from kaisoumail.model.refusal_log import RefusalLog
from kaisoumail.network.memory_budget import OVERSIZE_FACTOR, MemoryBudget
from kaisoumail.network.transfer_pace import TransferPace
from kaisoumail.operations.context import Context
from kaisoumail.operations.receive import Handover, can_receive, note_refusal, receive
from kaisoumail.smtp.commands import BadSyntax, Path, command, path, size
from kaisoumail.smtp.protocol import (
    BadLine,
    ClientKeepsSending,
    ConnectionClosed,
    OutOfMemoryBudget,
    ReadTimeout,
    SmtpProtocol,
    TlsHandshakeFailed,
    Transfer,
)
from kaisoumail.smtp.recipient_guesses import RecipientGuesses

MAX_RECIPIENTS: Final = 100  # RFC 5321, 4.5.3.1.8: at least as many
_MAX_MISTAKES: Final = 100
_WRONG_COMMAND: Final = 5  # mistakes; an unknown recipient counts as one, as mailing lists have old entries
_MAX_MESSAGES: Final = 10_000
_MAX_COMMANDS: Final = 400  # between two messages: four transactions without one, of 100 recipients each
_SMALL_CHUNK: Final = 512  # bytes; each smaller one counts as a command
_MAIL_PARAMETERS: Final = frozenset(("SIZE", "BODY", "SMTPUTF8"))
_TEMPORARY: Final = CODES["internal"].smtp
_log = structlog.get_logger("kaisoumail.smtp")


@dataclass(frozen=True, slots=True)
class SmtpConfig:
    """The configuration of a listener: its host name, how slow a client may be, and its certificate."""

    host_name: str
    pace: TransferPace = field(default_factory=TransferPace)
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """The limits that all connections of the listener share: memory, unknown recipients, lines in the log."""

    memory: MemoryBudget = field(default_factory=MemoryBudget)
    guesses: RecipientGuesses = field(default_factory=RecipientGuesses)
    refusals: RefusalLog = field(default_factory=RefusalLog)


@dataclass(slots=True)
class _Transaction:
    """
    A mail transaction (RFC 5321, 3.3): the sender and the recipients' hand-overs.

    *transfer* receives its bytes, *chunks* has those of BDAT; *refusal* is the reason why they are discarded.
    """

    sender: str
    is_utf8: bool
    handovers: dict[str, Handover] = field(default_factory=dict)
    transfer: Transfer | None = None
    chunks: bytearray = field(default_factory=bytearray)
    refusal: Problem | None = None


class SmtpSession:
    """The session over one *protocol* with *client*, the name under which limits count it."""

    def __init__(
        self, context: Context, protocol: SmtpProtocol, client: str, shared: SharedLimits, config: SmtpConfig
    ) -> None:
        self._context = context
        self._protocol = protocol
        self._client = client
        self._shared = shared
        self._config = config
        self._limit = context.policy.limits.max_message_bytes
        self._greeted = False
        self._transaction: _Transaction | None = None
        self._mistakes = 0
        self._commands = 0
        self._message_count = 0
        self._is_delivering = False
        self._must_stop = False

    async def run(self) -> None:
        """Run until one side closes. Raises only CancelledError: other errors are answered, bugs are logged too."""
        try:
            await self._command_loop()
        except TlsHandshakeFailed:
            self._shared.refusals.note("smtp.tls_handshake", self._client)
        except ConnectionClosed:
            self._protocol.hang_up()
        except ReadTimeout:
            self._shared.refusals.note("smtp.too_slow", self._client)
            self._protocol.hang_up(f"421 4.4.2 {self._config.host_name} Timeout exceeded, closing connection")
        except ClientKeepsSending:
            self._shared.refusals.note("smtp.flooded", self._client)
            self._protocol.hang_up(CODES["too_large"].smtp)
        except asyncio.CancelledError:  # shutdown: the client's next attempt shows if it was stored
            self._protocol.hang_up(self._goodbye(), linger=False)
            raise
        except Exception as error:  # noqa: BLE001 - a bug in one session must not end the listener
            _log.error("smtp.crash", exc_info=error)
            self._protocol.hang_up(_TEMPORARY)
        finally:
            self._end_transaction()

    def stop(self) -> None:
        """End the session: now, or after the message that is being stored has been answered."""
        self._must_stop = True
        if not self._is_delivering:
            self._protocol.hang_up(self._goodbye(), linger=False)

    def _goodbye(self) -> str:
        return f"421 4.3.2 {self._config.host_name} Service shutting down, try again later"

    async def _command_loop(self) -> None:
        self._protocol.reply(f"220 {self._config.host_name} KaisouMail ESMTP")
        while True:
            if self._must_stop:
                self._protocol.hang_up(self._goodbye(), linger=False)
                return
            try:
                self._commands += 1
                verb, rest = command(await self._protocol.line())
                if verb == "QUIT":
                    self._protocol.hang_up("221 2.0.0 Bye", linger=False)
                    return
                await _VERBS.get(verb, SmtpSession._unknown)(self, rest)
            except BadLine:
                self._reject_command("500 5.5.2 Line longer than 4094 characters, or bare CR or LF")
            except BadSyntax as malformed:
                self._reject_command(str(malformed))
            except Problem as problem:
                self._protocol.reply(problem.kind.smtp)
            if self._mistakes > _MAX_MISTAKES:
                self._shared.refusals.note("smtp.too_many_mistakes", self._client)
                self._protocol.hang_up("421 4.7.0 Too many errors")
                return
            if self._commands > _MAX_COMMANDS:
                self._shared.refusals.note("smtp.too_many_commands", self._client)
                self._protocol.hang_up("421 4.7.0 Too many commands without a message")
                return

    def _reject_command(self, reply: str) -> None:
        self._mistakes += _WRONG_COMMAND
        self._protocol.reply(reply)

    async def _hello(self, rest: str) -> None:
        if not rest:
            raise BadSyntax("501 5.5.4 Syntax: HELO hostname")
        self._end_transaction()
        self._greeted = True
        self._protocol.reply(f"250 {self._config.host_name}")

    async def _extended_hello(self, rest: str) -> None:
        if not rest:
            raise BadSyntax("501 5.5.4 Syntax: EHLO hostname")
        self._end_transaction()
        self._greeted = True
        offered = ["PIPELINING", f"SIZE {self._limit}", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"]
        if self._config.tls is not None and not self._protocol.is_secure:
            offered.append("STARTTLS")
        self._protocol.reply(f"250 {self._config.host_name}", *(f"250 {word}" for word in offered), "250 HELP")

    async def _start_tls(self, rest: str) -> None:
        if rest:
            raise BadSyntax("501 5.5.4 Syntax: STARTTLS")
        if self._config.tls is None or self._protocol.is_secure:
            raise BadSyntax("503 5.5.1 STARTTLS not available")
        self._end_transaction()
        self._greeted = False
        await self._protocol.start_tls(self._config.tls, "220 2.0.0 Ready to start TLS", within=30.0)

    async def _mail_from(self, rest: str) -> None:
        if not self._greeted:
            raise BadSyntax("503 5.5.1 Send HELO or EHLO first")
        if self._transaction is not None:
            raise BadSyntax("503 5.5.1 Nested MAIL command")
        if self._message_count >= _MAX_MESSAGES:
            raise BadSyntax("452 4.5.3 Too many messages on this connection")
        sender = path(rest, "FROM")
        if unknown := set(sender.parameters).difference(_MAIL_PARAMETERS):
            raise BadSyntax(f"555 5.5.4 Unsupported option: {min(unknown)}")
        if sender.parameters.get("BODY", "7BIT") not in ("7BIT", "8BITMIME"):
            raise BadSyntax("501 5.5.4 Syntax error: BODY must be 7BIT or 8BITMIME")
        is_utf8 = "SMTPUTF8" in sender.parameters
        _refuse_non_ascii(sender, is_utf8)
        if "SIZE" in sender.parameters and size(sender.parameters["SIZE"]) > self._limit:
            # Not in the rejection ledger: it has no recipient yet, and a client could write a row with each line.
            self._mistakes += _WRONG_COMMAND
            raise self._too_large()
        self._transaction = _Transaction(sender.address, is_utf8)
        self._protocol.reply("250 2.1.0 OK")

    async def _rcpt_to(self, rest: str) -> None:
        transaction = self._transaction
        if transaction is None or transaction.transfer is not None:
            raise BadSyntax("503 5.5.1 Need MAIL command")
        recipient = path(rest, "TO")
        if recipient.parameters:
            raise BadSyntax(f"555 5.5.4 Unsupported option: {min(recipient.parameters)}")
        if not recipient.address:
            raise BadSyntax("501 5.1.3 Bad recipient address syntax")
        _refuse_non_ascii(recipient, transaction.is_utf8)
        if len(transaction.handovers) >= MAX_RECIPIENTS:
            raise BadSyntax("452 4.5.3 Too many recipients")
        envelope = Envelope(transaction.sender, recipient.address)
        try:
            mailbox = await can_receive(self._context, "smtp", envelope)
        except Problem as problem:
            if not problem.kind.retry:
                self._mistakes += 1  # a client that tries one name after the other is cut off
                await self._slow_down()
            raise
        transaction.handovers[recipient.address.lower()] = Handover("smtp", envelope, mailbox)
        self._protocol.reply("250 2.1.5 OK")

    async def _data(self, rest: str) -> None:
        if rest:
            raise BadSyntax("501 5.5.4 Syntax: DATA")
        transaction = self._transaction
        if transaction is None or not transaction.handovers or transaction.transfer is not None:
            raise BadSyntax("503 5.5.1 Need RCPT command")
        self._protocol.reply("354 End data with <CR><LF>.<CR><LF>")
        raw = None
        transaction.transfer = self._begin_transfer()
        try:
            raw = await self._protocol.mail(self._limit, transaction.transfer)
        except OutOfMemoryBudget:
            transaction.refusal = self._overloaded()
        else:
            transaction.refusal = self._too_large() if raw is None else None
        await self._deliver(transaction, raw or b"")

    async def _bdat(self, rest: str) -> None:
        words = rest.upper().split()
        if len(words) not in (1, 2) or words[1:] not in ([], ["LAST"]):
            raise BadSyntax("501 5.5.4 Syntax: BDAT size [LAST]")
        length, transaction = size(words[0]), self._transaction
        if length > OVERSIZE_FACTOR * self._limit:
            raise ClientKeepsSending
        if transaction is None or not transaction.handovers:
            await self._protocol.chunk(length, self._begin_transfer(), None)
            raise BadSyntax("503 5.5.1 Need RCPT command")
        transaction.transfer = transfer = transaction.transfer or self._begin_transfer()
        if transfer.received + length > OVERSIZE_FACTOR * self._limit:
            raise ClientKeepsSending
        if transaction.refusal is None and len(transaction.chunks) + length > self._limit:
            transaction.refusal = self._too_large()
            transaction.chunks.clear()
            transfer.allocation.release()
        try:
            await self._protocol.chunk(length, transfer, transaction.chunks if transaction.refusal is None else None)
        except OutOfMemoryBudget:
            transaction.refusal = self._overloaded()
        if length >= _SMALL_CHUNK:
            self._commands -= 1
        if words[1:] == ["LAST"]:
            await self._deliver(transaction, bytes(transaction.chunks))
        else:
            self._protocol.reply(f"250 2.0.0 {length} octets received")

    def _begin_transfer(self) -> Transfer:
        return self._protocol.transfer(self._shared.memory.allocation(self._client, self._evict))

    def _evict(self) -> None:
        """End the session: its message has stalled, and others need the memory that it holds."""
        self._shared.refusals.note("smtp.stalled", self._client)
        self._protocol.hang_up(f"421 4.4.2 {self._config.host_name} Transfer too slow, try again later")

    async def _slow_down(self) -> None:
        """Delay the reply by the client's number of guesses; hang up and raise ConnectionClosed after too many."""
        now = asyncio.get_running_loop().time()
        delay = self._shared.guesses.guess(self._client, now)
        if delay:
            await self._protocol.pause(delay)
        if self._shared.guesses.is_refused(self._client, now):
            self._shared.refusals.note("smtp.recipient_guesses", self._client)
            self._protocol.hang_up(f"421 4.7.0 {self._config.host_name} Too many unknown recipients, try again later")
            raise ConnectionClosed

    async def _deliver(self, transaction: _Transaction, raw: bytes) -> None:
        """Store *raw* for every recipient, unless it was refused while it was received, and reply with the outcome."""
        self._message_count += 1
        self._commands = 0
        self._is_delivering = True
        handovers = list(transaction.handovers.values())
        if transaction.transfer is not None:
            transaction.transfer.allocation.evict = None  # it arrived whole, and waits for us
        try:
            if transaction.refusal is not None:
                for handover in handovers:
                    note_refusal(self._context, handover.channel, handover.envelope, transaction.refusal)
                raise transaction.refusal
            outcomes = await receive(self._context, handovers, raw, self._client)
        finally:
            self._end_transaction()
            self._is_delivering = False
        refused = {outcome.kind.smtp for outcome in outcomes if isinstance(outcome, Problem)}
        if not refused:
            self._protocol.reply("250 2.0.0 Message accepted for delivery")
        elif len(refused) == 1 and all(isinstance(outcome, Problem) for outcome in outcomes):
            self._protocol.reply(refused.pop())
        else:
            # Some are stored: the sender tries again, and RCPT then refuses the others.
            self._protocol.reply(_TEMPORARY)

    def _end_transaction(self) -> None:
        if self._transaction is not None and self._transaction.transfer is not None:
            self._transaction.transfer.allocation.release()
        self._transaction = None

    def _too_large(self) -> Problem:
        return Problem("too_large", f"A message may have at most {self._limit} bytes")

    def _overloaded(self) -> Problem:
        self._shared.refusals.note("smtp.memory_full", self._client)
        return Problem("overloaded", "Too many messages are being received")

    async def _reset(self, _rest: str) -> None:
        self._end_transaction()
        self._protocol.reply("250 2.0.0 OK")

    async def _noop(self, _rest: str) -> None:
        self._protocol.reply("250 2.0.0 OK")

    async def _verify(self, _rest: str) -> None:
        self._protocol.reply("252 2.5.2 Cannot VRFY user, but will accept message and attempt delivery")

    async def _help(self, _rest: str) -> None:
        self._protocol.reply("214 2.0.0 Commands: EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT")

    async def _unknown(self, _rest: str) -> None:
        raise BadSyntax("500 5.5.1 Command not recognized")


def _refuse_non_ascii(envelope_path: Path, is_utf8: bool) -> None:
    if not envelope_path.address.isascii() and not is_utf8:
        raise BadSyntax("553 5.6.7 Non-ASCII address requires SMTPUTF8")


_VERBS: Final[dict[str, Callable[[SmtpSession, str], Awaitable[None]]]] = {
    "HELO": SmtpSession._hello,
    "EHLO": SmtpSession._extended_hello,
    "STARTTLS": SmtpSession._start_tls,
    "MAIL": SmtpSession._mail_from,
    "RCPT": SmtpSession._rcpt_to,
    "DATA": SmtpSession._data,
    "BDAT": SmtpSession._bdat,
    "RSET": SmtpSession._reset,
    "NOOP": SmtpSession._noop,
    "VRFY": SmtpSession._verify,
    "HELP": SmtpSession._help,
}
