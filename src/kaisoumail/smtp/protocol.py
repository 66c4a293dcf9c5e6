"""
One SMTP connection as bytes: lines in, a mail in, replies out.

What ends a line is CR LF and what ends a mail is CR LF "." CR LF, nothing else (RFC 5321, 2.3.8 and
4.1.1.4): a lone CR or LF next to a dot is content, so that nobody can smuggle a second mail into the
first. Replies are written when the client has to be waited for, which answers a pipelined group in
one packet (RFC 2920).
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from kaisoumail.network.memory_budget import OVERSIZE_FACTOR, Allocation
from kaisoumail.network.transfer_pace import TransferPace

MAX_LINE: Final = 4096  # RFC 5321 asks for 512, SMTPUTF8 and SIZE for a little more
_MOST_UNREAD: Final = 64 * 1024
_END: Final = b"\r\n.\r\n"
_STUFFING: Final = 64  # a mail may be longer by one part in so many on the protocol, for its stuffed dots
_RECHECK_SECONDS: Final = 2.0  # how soon a connection that is waited for notices that there is stress now
_CLOSE_SECONDS: Final = 3.0  # for the last reply to be read
_DISCARDED_BYTES: Final = 1024 * 1024  # that are still read over then
_MOST_REPLIES: Final = 64  # of pipelined commands, until others have their turn


class ConnectionClosed(Exception):
    """The client hung up, or was hung up on."""


class TlsHandshakeFailed(ConnectionClosed):
    """The TLS handshake failed; the connection is closed, as nothing more can be said on it."""


class ReadTimeout(Exception):
    """The client did not say what it has to say in time."""


class OutOfMemoryBudget(Exception):
    """The mail was read over because too many others are in memory."""


class ClientKeepsSending(Exception):
    """The client sends several times what it may, and goes on."""


class BadLine(Exception):
    """A line longer than allowed, or one with a bare CR or LF; it has been read over."""


@dataclass(slots=True)
class Transfer:
    """One message on its way in, by DATA or in chunks: since when (the loop's clock), and how much of it came."""

    began: float
    allocation: Allocation
    received: int = 0


class SmtpProtocol(asyncio.Protocol):
    """
    The connection; whoever talks over it reads with `line` and `mail` and answers with `say`.

    How long it waits is *pace*, and shorter while *is_stressed* says that strangers hold most of what there is.
    """

    def __init__(self, pace: TransferPace, is_stressed: Callable[[], bool]) -> None:
        self._pace = pace
        self._is_stressed = is_stressed
        self._unread = bytearray()
        self._unsaid: list[bytes] = []
        self._most_unread = _MOST_UNREAD
        self._is_paused = False
        self._is_hung_up = False
        self._discarded = 0
        self._ended = False
        self._transport: asyncio.Transport | None = None
        self._news: asyncio.Future[bool] | None = None
        self._abort_timer: asyncio.TimerHandle | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    # what the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are, but do not say so

    def data_received(self, data: bytes) -> None:
        if self._is_hung_up:
            self._discarded += len(data)
            if self._discarded > _DISCARDED_BYTES and self._transport is not None:
                self._transport.abort()
            return
        self._unread += data
        if len(self._unread) > self._most_unread and not self._is_paused:
            self._is_paused = True
            self._open().pause_reading()
        self._tell()

    def eof_received(self) -> bool:
        self._ended = True
        self._tell()
        return not (
            self.is_secure or self._is_hung_up
        )  # who has said all may still want to hear the replies; TLS cannot do that

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        self._transport = None
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        self._may_write.set()
        self._tell()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    # what the session does

    @property
    def is_secure(self) -> bool:
        return self._transport is not None and self._transport.get_extra_info("ssl_object") is not None

    def reply(self, *lines: str) -> None:
        """One reply; of several lines all but the last are continued with a hyphen."""
        for line in lines[:-1]:
            self._unsaid.append(f"{line[:3]}-{line[4:]}\r\n".encode())
        self._unsaid.append(f"{lines[-1]}\r\n".encode())

    async def line(self) -> bytes:
        """
        The next line, without its CR LF.

        Raises BadLine, Gone, or Silent when the whole of it does not come in the time that a silence may take.
        """
        if len(self._unsaid) >= _MOST_REPLIES:
            await self.flush()
            await asyncio.sleep(0)
        began = self._now()
        while (end := self._unread.find(b"\n", 0, MAX_LINE)) < 0:
            if len(self._unread) >= MAX_LINE:
                await self._read_over_line(began)
                raise BadLine
            await self._wait(began)
        line = bytes(self._unread[: end + 1])
        del self._unread[: end + 1]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise BadLine
        return line[:-2]

    def transfer(self, allocation: Allocation) -> Transfer:
        """A message that begins now, and whose bytes are held in *allocation*."""
        return Transfer(self._now(), allocation)

    async def mail(self, limit: int, transfer: Transfer) -> bytes | None:
        """
        The mail that follows DATA, dots unstuffed; None if it was over *limit* bytes.

        What cannot be kept is read over. Raises NoRoom, Gone, Flooded when it never seems to end, or Silent
        when the client pauses for longer or is slower than its pace allows.
        """
        # The line that said DATA ended in CR LF: that is what an empty mail's end begins with.
        self._unread[:0] = b"\r\n"
        begin, read_over, has_room = 0, 0, True
        self._most_unread = 2 * limit
        try:
            while (end := self._unread.find(_END, begin)) < 0:
                begin = max(0, len(self._unread) - len(_END) + 1)
                transfer.received = read_over + len(self._unread)
                has_room = has_room and (bool(read_over) or transfer.allocation.hold(len(self._unread)))
                if read_over or not has_room or len(self._unread) > limit + limit // _STUFFING:
                    read_over += begin
                    del self._unread[:begin]
                    transfer.allocation.release()
                    begin = 0
                    if read_over > OVERSIZE_FACTOR * limit:
                        raise ClientKeepsSending
                await self._wait(transfer.began, transfer.received)
            has_room = has_room and (bool(read_over) or transfer.allocation.hold(end))
            mail = None if read_over or not has_room else _unstuffed(self._unread, end)
            del self._unread[: end + len(_END)]
        finally:
            self._most_unread = _MOST_UNREAD
        if not has_room:
            raise OutOfMemoryBudget
        return mail if mail is not None and len(mail) <= limit else None

    async def chunk(self, size: int, transfer: Transfer, into: bytearray | None) -> None:
        """
        Exactly *size* bytes, as BDAT sends them (RFC 3030), appended *into* what came before; None reads them over.

        Raises Gone, Silent as `mail` does, or NoRoom, once all of it was read over.
        """
        left, has_room = size, True
        if self._left(transfer.began, self._now(), transfer.received) <= 0:
            raise ReadTimeout  # chunk by chunk each came in time, but the whole is too slow
        while left:
            if not self._unread:
                await self._wait(transfer.began, transfer.received)
            piece = self._unread[:left]
            del self._unread[:left]
            left -= len(piece)
            transfer.received += len(piece)
            if into is not None and has_room:
                has_room = transfer.allocation.hold(len(into) + len(piece))
                if has_room:
                    into += piece
                else:
                    into.clear()
                    transfer.allocation.release()
        if not has_room:
            raise OutOfMemoryBudget

    async def start_tls(self, context: ssl.SSLContext, go_ahead: str, within: float) -> None:
        """Speak TLS from here on. Whatever was sent before the handshake is dropped, never obeyed. Raises NoTls."""
        transport = self._open()
        transport.pause_reading()
        self.reply(go_ahead)
        await self.flush()
        self._unread.clear()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=within
            )
        except OSError as error:  # ssl.SSLError and ConnectionError are OSErrors
            self._transport = None  # closed by the event loop, and to write to it raises
            raise TlsHandshakeFailed from error
        if secured is None:
            raise ConnectionClosed
        self._transport = secured
        self._is_paused = False

    async def flush(self) -> None:
        """Write what was said. Raises Gone, or Silent when the client does not read it."""
        if self._unsaid:
            self._open().write(b"".join(self._unsaid))
            self._unsaid.clear()
        began = self._now()
        while not self._may_write.is_set():
            left = self._left(began, began, None)
            if left <= 0:
                raise ReadTimeout
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _RECHECK_SECONDS)):
                    await self._may_write.wait()

    async def pause(self, seconds: float) -> None:
        """Wait, after what was said has been written. Raises Gone when the client has hung up meanwhile."""
        await self.flush()
        loop = asyncio.get_running_loop()
        done = loop.time() + seconds
        while self._transport is not None and (left := done - loop.time()) > 0:
            self._news = loop.create_future()
            timer = loop.call_later(left, _set_result, self._news, False)
            try:
                await self._news
            finally:
                timer.cancel()
                self._news = None
        self._open()

    def hang_up(self, *last_words: str, linger: bool = True) -> None:
        """
        Close, after *last_words* if there is still somebody to hear them.

        Who is still sending would not hear them: closed at once, the kernel resets the connection. So it may *linger*
        for a moment, and what comes is read over.
        """
        transport = self._transport
        if transport is None or self._is_hung_up:
            return
        self._is_hung_up = True
        self._tell()
        if last_words:
            self.reply(*last_words)
        transport.write(b"".join(self._unsaid))
        self._unsaid.clear()
        if linger and last_words and not self._ended and transport.can_write_eof():
            transport.write_eof()
            self._unread.clear()
            if self._is_paused:
                transport.resume_reading()
        else:
            transport.close()
        # Who does not read the last reply, or does not stop to send, would keep its descriptor for ever.
        self._abort_timer = asyncio.get_running_loop().call_later(_CLOSE_SECONDS, transport.abort)

    # how it waits

    def _open(self) -> asyncio.Transport:
        if self._transport is None:
            raise ConnectionClosed
        return self._transport

    def _tell(self) -> None:
        if self._news is not None:
            _set_result(self._news, True)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _left(self, began: float, waited_since: float, received: int | None) -> float:
        """Seconds that are left to a line that *began* then, or to a message of which *received* bytes came."""
        now, is_stressed = self._now(), self._is_stressed()
        left = self._pace.silence_allowed(is_stressed=is_stressed) - (now - waited_since)
        return left if received is None else min(left, self._pace.left(now - began, received, is_stressed=is_stressed))

    async def _wait(self, began: float, received: int | None = None) -> None:
        """
        Returns when there are new bytes. Raises Gone when there will be none, Silent when they come too late.

        *began* is when the line that is waited for began; with *received* bytes of it here, when the message did.
        """
        await self.flush()
        loop = asyncio.get_running_loop()
        waited_since = began if received is None else loop.time()
        while True:
            if self._ended or self._is_hung_up:
                raise ConnectionClosed
            if self._is_paused:
                self._is_paused = False
                self._open().resume_reading()
            left = self._left(began, waited_since, received)
            if left <= 0:
                raise ReadTimeout
            self._news = loop.create_future()
            timer = loop.call_later(min(left, _RECHECK_SECONDS), _set_result, self._news, False)
            try:
                if await self._news:
                    return
            finally:
                timer.cancel()
                self._news = None

    async def _read_over_line(self, began: float) -> None:
        while (end := self._unread.find(b"\n")) < 0:
            self._unread.clear()
            await self._wait(began)
        del self._unread[: end + 1]


def _set_result(news: "asyncio.Future[bool]", has_bytes: bool) -> None:
    if not news.done():
        news.set_result(has_bytes)


def _unstuffed(unread: bytearray, end: int) -> bytes:
    """The mail before *end*, its first two bytes left out; RFC 5321, 4.5.2: a line's first dot goes."""
    with memoryview(unread) as view:
        mail = bytes(view[2 : end + 2]).replace(b"\r\n.", b"\r\n")
    return mail[1:] if mail.startswith(b".") else mail
