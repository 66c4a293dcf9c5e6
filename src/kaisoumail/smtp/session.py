"""
One SMTP dialogue (RFC 5321), as a coroutine that reads commands and says replies.

RCPT is answered from the mailboxes there are, so a stranger hears 550 before sending a byte of mail.
250 after DATA means every recipient's mail is durable, stored once, and in the list. A mail for
several recipients is stored once for each; if some could not be stored just now the whole is 451 and
the sender's next try finds the others stored already.
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
_WRONG_COMMAND: Final = 5  # mistakes; a recipient that does not exist is one: lists have old entries
_MAX_MAILS: Final = 10_000
_MAX_COMMANDS: Final = 400  # between two messages: four transactions that end without one, of 100 recipients each
_SMALL_CHUNK: Final = 512  # bytes; who sends smaller ones pays for each as for a command
_MAIL_PARAMETERS: Final = frozenset(("SIZE", "BODY", "SMTPUTF8"))
_TEMPORARY: Final = CODES["internal"].smtp
_log = structlog.get_logger("kaisoumail.smtp")


@dataclass(frozen=True, slots=True)
class SmtpConfig:
    """How this door behaves: its name, how slow a client may be, and the certificate it can show."""

    host_name: str
    pace: TransferPace = field(default_factory=TransferPace)
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """What all connections of the listener draw on: memory, wrong addresses tried, lines in the log."""

    memory: MemoryBudget = field(default_factory=MemoryBudget)
    guesses: RecipientGuesses = field(default_factory=RecipientGuesses)
    refusals: RefusalLog = field(default_factory=RefusalLog)


@dataclass(slots=True)
class _Transaction:
    """
    The mail being handed in: who it is from, and whom for.

    *transfer* is how its bytes come in, *chunks* what BDAT brought of them; *refusal* why no more of it is kept.
    """

    sender: str
    is_utf8: bool
    handovers: dict[str, Handover] = field(default_factory=dict)
    transfer: Transfer | None = None
    chunks: bytearray = field(default_factory=bytearray)
    refusal: Problem | None = None


class SmtpSession:
    """The dialogue over one *protocol* with *client*, as limits count it."""

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
        self._mail: _Transaction | None = None
        self._mistakes = 0
        self._commands = 0
        self._mails = 0
        self._is_delivering = False
        self._must_stop = False

    async def run(self) -> None:
        """Talk until one side has had enough. Never raises: what goes wrong is said, or logged as a bug."""
        try:
            await self._converse()
        except TlsHandshakeFailed:
            self._shared.refusals.note("smtp.tls_handshake", self._client)
        except ConnectionClosed:
            self._protocol.hang_up()
        except ReadTimeout:
            self._shared.refusals.note("smtp.too_slow", self._client)
            self._protocol.hang_up(f"421 4.4.2 {self._config.host_name} You were silent or slow for too long")
        except ClientKeepsSending:
            self._shared.refusals.note("smtp.flooded", self._client)
            self._protocol.hang_up(CODES["too_large"].smtp)
        except asyncio.CancelledError:  # the door waits no longer: whether the mail is kept, the next try will show
            self._protocol.hang_up(self._goodbye(), linger=False)
            raise
        except Exception as error:  # noqa: BLE001 - one bad session must not be the end of the door
            _log.error("smtp.crash", exc_info=error)
            self._protocol.hang_up(_TEMPORARY)
        finally:
            self._forget_mail()

    def stop(self) -> None:
        """Say goodbye: at once, or after the mail that is being stored has been answered."""
        self._must_stop = True
        if not self._is_delivering:
            self._protocol.hang_up(self._goodbye(), linger=False)

    def _goodbye(self) -> str:
        return f"421 4.3.2 {self._config.host_name} Going down, come back in a moment"

    async def _converse(self) -> None:
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
                self._mistaken("500 5.5.2 A line has at most 4094 characters and ends in CR LF")
            except BadSyntax as malformed:
                self._mistaken(str(malformed))
            except Problem as problem:
                self._protocol.reply(problem.kind.smtp)
            if self._mistakes > _MAX_MISTAKES:
                self._shared.refusals.note("smtp.too_many_mistakes", self._client)
                self._protocol.hang_up("421 4.7.0 Too many mistakes")
                return
            if self._commands > _MAX_COMMANDS:
                self._shared.refusals.note("smtp.too_many_commands", self._client)
                self._protocol.hang_up("421 4.7.0 Too many commands without a message")
                return

    def _mistaken(self, reply: str) -> None:
        self._mistakes += _WRONG_COMMAND
        self._protocol.reply(reply)

    async def _hello(self, rest: str) -> None:
        if not rest:
            raise BadSyntax("501 5.5.4 Say HELO and your name")
        self._forget_mail()
        self._greeted = True
        self._protocol.reply(f"250 {self._config.host_name}")

    async def _extended_hello(self, rest: str) -> None:
        if not rest:
            raise BadSyntax("501 5.5.4 Say EHLO and your name")
        self._forget_mail()
        self._greeted = True
        offered = ["PIPELINING", f"SIZE {self._limit}", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"]
        if self._config.tls is not None and not self._protocol.is_secure:
            offered.append("STARTTLS")
        self._protocol.reply(f"250 {self._config.host_name}", *(f"250 {word}" for word in offered), "250 HELP")

    async def _start_tls(self, rest: str) -> None:
        if rest:
            raise BadSyntax("501 5.5.4 STARTTLS stands alone")
        if self._config.tls is None or self._protocol.is_secure:
            raise BadSyntax("503 5.5.1 TLS is not to be had now")
        self._forget_mail()
        self._greeted = False
        await self._protocol.start_tls(self._config.tls, "220 2.0.0 Go ahead", within=30.0)

    async def _mail_from(self, rest: str) -> None:
        if not self._greeted:
            raise BadSyntax("503 5.5.1 Say HELO first")
        if self._mail is not None:
            raise BadSyntax("503 5.5.1 There is a sender already")
        if self._mails >= _MAX_MAILS:
            raise BadSyntax("452 4.5.3 That was a lot, use another connection")
        given = path(rest, "FROM")
        if unknown := set(given.parameters).difference(_MAIL_PARAMETERS):
            raise BadSyntax(f"555 5.5.4 {min(unknown)} is not understood here")
        if given.parameters.get("BODY", "7BIT") not in ("7BIT", "8BITMIME"):
            raise BadSyntax("501 5.5.4 BODY is 7BIT or 8BITMIME")
        is_utf8 = "SMTPUTF8" in given.parameters
        _refuse_unless_writable(given, is_utf8)
        if "SIZE" in given.parameters and size(given.parameters["SIZE"]) > self._limit:
            # Not in the ledger: without a recipient it is nobody's, and a stranger could write a row for each line.
            self._mistakes += _WRONG_COMMAND
            raise self._too_large()
        self._mail = _Transaction(given.address, is_utf8)
        self._protocol.reply("250 2.1.0 OK")

    async def _rcpt_to(self, rest: str) -> None:
        mail = self._mail
        if mail is None or mail.transfer is not None:
            raise BadSyntax("503 5.5.1 Say MAIL first")
        given = path(rest, "TO")
        if given.parameters:
            raise BadSyntax(f"555 5.5.4 {min(given.parameters)} is not understood here")
        if not given.address:
            raise BadSyntax("501 5.1.3 A recipient has an address")
        _refuse_unless_writable(given, mail.is_utf8)
        if len(mail.handovers) >= MAX_RECIPIENTS:
            raise BadSyntax("452 4.5.3 Too many recipients, send the rest in another transaction")
        envelope = Envelope(mail.sender, given.address)
        try:
            mailbox = await can_receive(self._context, "smtp", envelope)
        except Problem as problem:
            if not problem.kind.retry:
                self._mistakes += 1  # who tries one name after the other is cut off
                await self._slow_down()
            raise
        mail.handovers[given.address.lower()] = Handover("smtp", envelope, mailbox)
        self._protocol.reply("250 2.1.5 OK")

    async def _data(self, rest: str) -> None:
        if rest:
            raise BadSyntax("501 5.5.4 DATA stands alone")
        mail = self._mail
        if mail is None or not mail.handovers or mail.transfer is not None:
            raise BadSyntax("503 5.5.1 Say RCPT first")
        self._protocol.reply("354 Go on, and end with a dot on a line of its own")
        raw = None
        mail.transfer = self._begin_transfer()
        try:
            raw = await self._protocol.mail(self._limit, mail.transfer)
        except OutOfMemoryBudget:
            mail.refusal = self._overloaded()
        else:
            mail.refusal = self._too_large() if raw is None else None
        await self._deliver(mail, raw or b"")

    async def _bdat(self, rest: str) -> None:
        words = rest.upper().split()
        if len(words) not in (1, 2) or words[1:] not in ([], ["LAST"]):
            raise BadSyntax("501 5.5.4 Say BDAT, a size, and LAST with the last chunk")
        length, mail = size(words[0]), self._mail
        if length > OVERSIZE_FACTOR * self._limit:
            raise ClientKeepsSending
        if mail is None or not mail.handovers:
            await self._protocol.chunk(length, self._begin_transfer(), None)
            raise BadSyntax("503 5.5.1 Say RCPT first")
        mail.transfer = transfer = mail.transfer or self._begin_transfer()
        if transfer.received + length > OVERSIZE_FACTOR * self._limit:
            raise ClientKeepsSending
        if mail.refusal is None and len(mail.chunks) + length > self._limit:
            mail.refusal = self._too_large()
            mail.chunks.clear()
            transfer.allocation.release()
        try:
            await self._protocol.chunk(length, transfer, mail.chunks if mail.refusal is None else None)
        except OutOfMemoryBudget:
            mail.refusal = self._overloaded()
        if length >= _SMALL_CHUNK:
            self._commands -= 1
        if words[1:] == ["LAST"]:
            await self._deliver(mail, bytes(mail.chunks))
        else:
            self._protocol.reply(f"250 2.0.0 {length} bytes taken")

    def _begin_transfer(self) -> Transfer:
        return self._protocol.transfer(self._shared.memory.allocation(self._client, self._evict))

    def _evict(self) -> None:
        """The message has all but stopped, and others need the memory it holds."""
        self._shared.refusals.note("smtp.stalled", self._client)
        self._protocol.hang_up(f"421 4.4.2 {self._config.host_name} You were slow for too long, and others wait")

    async def _slow_down(self) -> None:
        """Hold the reply back for as long as this client's guessing asks for; hang up when it guesses on."""
        now = asyncio.get_running_loop().time()
        delay = self._shared.guesses.guess(self._client, now)
        if delay:
            await self._protocol.pause(delay)
        if self._shared.guesses.is_refused(self._client, now):
            self._shared.refusals.note("smtp.recipient_guesses", self._client)
            self._protocol.hang_up(f"421 4.7.0 {self._config.host_name} Too many unknown recipients, try again later")
            raise ConnectionClosed

    async def _deliver(self, mail: _Transaction, raw: bytes) -> None:
        """Store *raw* for every recipient, unless it was refused on the way, and say what came of it."""
        self._mails += 1
        self._commands = 0
        self._is_delivering = True
        handovers = list(mail.handovers.values())
        try:
            if mail.refusal is not None:
                for handover in handovers:
                    note_refusal(self._context, handover.channel, handover.envelope, mail.refusal)
                raise mail.refusal
            outcomes = await receive(self._context, handovers, raw, self._client)
        finally:
            self._forget_mail()
            self._is_delivering = False
        refused = {outcome.kind.smtp for outcome in outcomes if isinstance(outcome, Problem)}
        if not refused:
            self._protocol.reply("250 2.0.0 Kept")
        elif len(refused) == 1 and all(isinstance(outcome, Problem) for outcome in outcomes):
            self._protocol.reply(refused.pop())
        else:
            # Some are kept: the sender tries again, and hears at RCPT who is gone.
            self._protocol.reply(_TEMPORARY)

    def _forget_mail(self) -> None:
        if self._mail is not None and self._mail.transfer is not None:
            self._mail.transfer.allocation.release()
        self._mail = None

    def _too_large(self) -> Problem:
        return Problem("too_large", f"A mail may have at most {self._limit} bytes")

    def _overloaded(self) -> Problem:
        self._shared.refusals.note("smtp.memory_full", self._client)
        return Problem("overloaded", "Too many mails are on their way in")

    async def _reset(self, _rest: str) -> None:
        self._forget_mail()
        self._protocol.reply("250 2.0.0 OK")

    async def _noop(self, _rest: str) -> None:
        self._protocol.reply("250 2.0.0 OK")

    async def _verify(self, _rest: str) -> None:
        self._protocol.reply("252 2.5.2 Try and see")

    async def _help(self, _rest: str) -> None:
        self._protocol.reply("214 2.0.0 EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT, as in RFC 5321")

    async def _unknown(self, _rest: str) -> None:
        raise BadSyntax("500 5.5.1 This command is not known here")


def _refuse_unless_writable(given: Path, is_utf8: bool) -> None:
    if not given.address.isascii() and not is_utf8:
        raise BadSyntax("553 5.6.7 An address beyond ASCII needs SMTPUTF8")


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
