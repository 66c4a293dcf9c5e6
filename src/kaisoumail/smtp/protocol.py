"""
One SMTP connection as bytes: lines and messages in, replies out.

Only CR LF ends a line, and only CR LF "." CR LF ends a message (RFC 5321, 2.3.8 and 4.1.1.4): a lone CR or LF next to
a dot is content, so that no second message can be smuggled into the first. Replies are written when the session has to
wait for the client, so a pipelined group is answered in one packet (RFC 2920).
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from kaisoumail.network.memory_budget import OVERSIZE_FACTOR, Allocation
from kaisoumail.network.transfer_pace import TransferPace

MAX_LINE: Final = 4096  # RFC 5321 requires 512, SMTPUTF8 and SIZE a little more
_MOST_UNREAD: Final = 64 * 1024
_CRLF: Final = b"\r\n"
_END: Final = b"\r\n.\r\n"
_STUFFING: Final = 64  # stuffed dots may make a message longer by 1/64 of the limit while it is received
_RECHECK_SECONDS: Final = 2.0  # how soon a waiting connection notices that the listener is stressed
_CLOSE_SECONDS: Final = 3.0  # for the client to read the last reply
_DISCARDED_BYTES: Final = 1024 * 1024  # at most so many bytes are discarded in that time
_MOST_REPLIES: Final = 64  # to pipelined commands, before other connections have their turn


class ConnectionClosed(Exception):
    """The connection was closed, by the client or by us."""


class TlsHandshakeFailed(ConnectionClosed):
    """The TLS handshake failed; the connection is closed, because no reply can be sent on it."""


class ReadTimeout(Exception):
    """The client did not send, or did not read, in time."""


class OutOfMemoryBudget(Exception):
    """The message was discarded because too many others are in memory."""


class ClientKeepsSending(Exception):
    """The client sends several times as much as is allowed, and continues."""


class BadLine(Exception):
    """A line longer than allowed, or one with a bare CR or LF; it has been discarded."""


@dataclass(slots=True)
class Transfer:
    """One message being received by DATA or BDAT: when it *began* (the loop's clock) and the bytes *received*."""

    began: float
    allocation: Allocation
    received: int = 0


class SmtpProtocol(asyncio.Protocol):
    """
    The connection: the session reads with `line`, `mail` and `chunk` and answers with `reply`.

    *pace* limits how long it waits, less while *is_stressed* returns True: then unauthenticated clients hold most of
    the connections.
    """

    def __init__(self, pace: TransferPace, is_stressed: Callable[[], bool]) -> None:
        self._pace = pace
        self._is_stressed = is_stressed
        self._unread = bytearray()
        self._unsent: list[bytes] = []
        self._most_unread = _MOST_UNREAD
        self._is_paused = False
        self._is_hung_up = False
        self._discarded = 0
        self._ended = False
        self._transport: asyncio.Transport | None = None
        self._wakeup: asyncio.Future[bool] | None = None
        self._abort_timer: asyncio.TimerHandle | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    # called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's have its methods and do not inherit it

    def data_received(self, data: bytes) -> None:
        if self._is_hung_up:
            self._discarded += len(data)
            if self._discarded > _DISCARDED_BYTES and self._transport is not None:
                self._transport.abort()
            return
        self._unread += data
        if len(self._unread) > self._most_unread and not self._is_paused:
            self._is_paused = True
            self._connected().pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """True while replies may still be read, which leaves the connection open for writing (`asyncio.Protocol`)."""
        self._ended = True
        self._wake()
        # A client that has sent everything may still read the replies; TLS has no half-closed connections.
        return not (self.is_secure or self._is_hung_up)

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        self._transport = None
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        self._may_write.set()
        self._wake()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    # called by the session

    @property
    def is_secure(self) -> bool:
        return self._transport is not None and self._transport.get_extra_info("ssl_object") is not None

    def reply(self, *lines: str) -> None:
        """Queue one reply; with several *lines* all but the last get the hyphen of a multiline reply."""
        for line in lines[:-1]:
            self._unsent.append(f"{line[:3]}-{line[4:]}\r\n".encode())
        self._unsent.append(f"{lines[-1]}\r\n".encode())

    async def line(self) -> bytes:
        """
        The next line, without its CR LF.

        Raises BadLine, ConnectionClosed, or ReadTimeout when not all of it arrives within the silence that is allowed.
        """
        if len(self._unsent) >= _MOST_REPLIES:
            await self.flush()
            await asyncio.sleep(0)
        began = self._now()
        while (end := self._unread.find(_CRLF, 0, MAX_LINE)) < 0:
            if len(self._unread) >= MAX_LINE:
                await self._discard_line(began)
                raise BadLine
            await self._wait(began)
        line = bytes(self._unread[:end])
        del self._unread[: end + len(_CRLF)]
        if b"\r" in line or b"\n" in line:
            raise BadLine  # all of it: what follows a bare LF is not run as a command
        return line

    def transfer(self, allocation: Allocation) -> Transfer:
        """The transfer of a message that begins now; its bytes are counted in *allocation*."""
        return Transfer(self._now(), allocation)

    async def mail(self, limit: int, transfer: Transfer) -> bytes | None:
        """
        The message after DATA, with dots unstuffed; None if it has more than *limit* bytes.

        A message that is too large, or exceeds the memory budget, is discarded. Raises OutOfMemoryBudget,
        ConnectionClosed, ClientKeepsSending when it is several times too large, or ReadTimeout when the client pauses
        for longer or is slower than its pace allows.
        """
        # Put back the CR LF of the DATA line, so that the end of an empty message is found too.
        self._unread[:0] = b"\r\n"
        begin, discarded, fits = 0, 0, True
        self._most_unread = 2 * limit
        try:
            while (end := self._unread.find(_END, begin)) < 0:
                begin = max(0, len(self._unread) - len(_END) + 1)
                transfer.received = discarded + len(self._unread)
                fits = fits and (bool(discarded) or transfer.allocation.hold(len(self._unread)))
                if discarded or not fits or len(self._unread) > limit + limit // _STUFFING:
                    discarded += begin
                    del self._unread[:begin]
                    transfer.allocation.release()
                    begin = 0
                    if discarded > OVERSIZE_FACTOR * limit:
                        raise ClientKeepsSending
                await self._wait(transfer.began, transfer.received)
            fits = fits and (bool(discarded) or transfer.allocation.hold(end))
            message = None if discarded or not fits else _unstuffed(self._unread, end)
            del self._unread[: end + len(_END)]
        finally:
            self._most_unread = _MOST_UNREAD
        if not fits:
            raise OutOfMemoryBudget
        return message if message is not None and len(message) <= limit else None

    async def chunk(self, size: int, transfer: Transfer, into: bytearray | None) -> None:
        """
        Read exactly *size* bytes of BDAT (RFC 3030) and append them to *into*; with None they are discarded.

        Raises ConnectionClosed, ReadTimeout as `mail` does, or OutOfMemoryBudget, after all of it was discarded.
        """
        left, fits = size, True
        if self._seconds_left(transfer.began, self._now(), transfer.received) <= 0:
            raise ReadTimeout  # each chunk arrived in time, but the whole message is too slow
        while left:
            if not self._unread:
                await self._wait(transfer.began, transfer.received)
            piece = self._unread[:left]
            del self._unread[:left]
            left -= len(piece)
            transfer.received += len(piece)
            if into is not None and fits:
                fits = transfer.allocation.hold(len(into) + len(piece))
                if fits:
                    into += piece
                else:
                    into.clear()
                    transfer.allocation.release()
        if not fits:
            raise OutOfMemoryBudget

    async def start_tls(self, context: ssl.SSLContext, go_ahead: str, within: float) -> None:
        """Switch to TLS. Input from before the handshake is dropped, never executed. Raises TlsHandshakeFailed."""
        transport = self._connected()
        transport.pause_reading()
        self.reply(go_ahead)
        await self.flush()
        self._unread.clear()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=within
            )
        except OSError as error:  # ssl.SSLError and ConnectionError are OSErrors
            self._transport = None  # closed by the event loop; writing to it would raise
            raise TlsHandshakeFailed from error
        if secured is None:
            raise ConnectionClosed
        self._transport = secured
        self._is_paused = False

    async def flush(self) -> None:
        """Write the queued replies. Raises ConnectionClosed, or ReadTimeout when the client does not read them."""
        if self._unsent:
            self._connected().write(b"".join(self._unsent))
            self._unsent.clear()
        began = self._now()
        while not self._may_write.is_set():
            left = self._seconds_left(began, began, None)
            if left <= 0:
                raise ReadTimeout
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _RECHECK_SECONDS)):
                    await self._may_write.wait()

    async def pause(self, seconds: float) -> None:
        """Write the queued replies, then wait. Raises ConnectionClosed when the client has closed meanwhile."""
        await self.flush()
        loop = asyncio.get_running_loop()
        done = loop.time() + seconds
        while self._transport is not None and (left := done - loop.time()) > 0:
            self._wakeup = loop.create_future()
            timer = loop.call_later(left, _set_result, self._wakeup, False)
            try:
                await self._wakeup
            finally:
                timer.cancel()
                self._wakeup = None
        self._connected()

    def hang_up(self, *final_reply: str, linger: bool = True) -> None:
        """
        Close the connection, after *final_reply* if it is still open.

        A client that is still sending would not get the reply: on an immediate close the kernel resets the connection.
        With *linger* the close waits a moment, and input is discarded.
        """
        transport = self._transport
        if transport is None or self._is_hung_up:
            return
        self._is_hung_up = True
        self._wake()
        if final_reply:
            self.reply(*final_reply)
        transport.write(b"".join(self._unsent))
        self._unsent.clear()
        if linger and final_reply and not self._ended and transport.can_write_eof():
            transport.write_eof()
            self._unread.clear()
            if self._is_paused:
                transport.resume_reading()
        else:
            transport.close()
        # A client that does not read the last reply, or does not stop sending, would hold its descriptor forever.
        self._abort_timer = asyncio.get_running_loop().call_later(_CLOSE_SECONDS, transport.abort)

    # waiting

    def _connected(self) -> asyncio.Transport:
        if self._transport is None:
            raise ConnectionClosed
        return self._transport

    def _wake(self) -> None:
        if self._wakeup is not None:
            _set_result(self._wakeup, True)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _seconds_left(self, began: float, waited_since: float, received: int | None) -> float:
        """Seconds left for a line, or for a message that *began* then and of which *received* bytes have arrived."""
        now, is_stressed = self._now(), self._is_stressed()
        left = self._pace.silence_allowed(is_stressed=is_stressed) - (now - waited_since)
        return left if received is None else min(left, self._pace.left(now - began, received, is_stressed=is_stressed))

    async def _wait(self, began: float, received: int | None = None) -> None:
        """
        Returns when there are new bytes. Raises ConnectionClosed when there will be none, ReadTimeout when too late.

        *began* is when the line began. With *received*, the bytes of a message so far, it is when the message began.
        """
        await self.flush()
        loop = asyncio.get_running_loop()
        waited_since = began if received is None else loop.time()
        while True:
            if self._ended or self._is_hung_up:
                raise ConnectionClosed
            if self._is_paused:
                self._is_paused = False
                self._connected().resume_reading()
            left = self._seconds_left(began, waited_since, received)
            if left <= 0:
                raise ReadTimeout
            self._wakeup = loop.create_future()
            timer = loop.call_later(min(left, _RECHECK_SECONDS), _set_result, self._wakeup, False)
            try:
                if await self._wakeup:
                    return
            finally:
                timer.cancel()
                self._wakeup = None

    async def _discard_line(self, began: float) -> None:
        while (end := self._unread.find(_CRLF)) < 0:
            begun = self._unread.endswith(b"\r")  # its LF may be in the next packet
            del self._unread[: len(self._unread) - begun]
            await self._wait(began)
        del self._unread[: end + len(_CRLF)]


def _set_result(wakeup: "asyncio.Future[bool]", has_bytes: bool) -> None:
    if not wakeup.done():
        wakeup.set_result(has_bytes)


def _unstuffed(unread: bytearray, end: int) -> bytes:
    """The message up to *end*, without the CR LF before it and the dot at the start of a line (RFC 5321, 4.5.2)."""
    with memoryview(unread) as view:
        message = bytes(view[2 : end + 2]).replace(b"\r\n.", b"\r\n")
    return message[1:] if message.startswith(b".") else message
