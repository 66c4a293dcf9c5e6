"""
One SMTP connection as bytes: lines in, a mail in, replies out.

What ends a line is CR LF and what ends a mail is CR LF "." CR LF, nothing else (RFC 5321, 2.3.8 and
4.1.1.4): a lone CR or LF next to a dot is content, so that nobody can smuggle a second mail into the
first. Replies are written when the client has to be waited for, which answers a pipelined group in
one packet (RFC 2920).
"""

import asyncio
import ssl
from typing import Final, cast

from kaisoumail.inbound.room import FLOOD, Room

MAX_LINE: Final = 4096  # RFC 5321 asks for 512, SMTPUTF8 and SIZE for a little more
_MOST_UNREAD: Final = 64 * 1024
_END: Final = b"\r\n.\r\n"
_STUFFING: Final = 64  # a mail may be longer by one part in so many on the wire, for its stuffed dots


class Gone(Exception):
    """The client hung up, or was hung up on."""


class Silent(Exception):
    """The client did not say what it has to say in time."""


class NoRoom(Exception):
    """The mail was read over because too many others are in memory."""


class Flooded(Exception):
    """The client sends several times what it may, and goes on."""


class BadLine(Exception):
    """A line longer than allowed, or one with a bare CR or LF; it has been read over."""


class Wire(asyncio.Protocol):
    """The connection; whoever talks over it reads with `line` and `mail` and answers with `say`."""

    def __init__(self, room: Room, patience: float) -> None:
        self._room = room
        self._patience = patience
        self._unread = bytearray()
        self._unsaid: list[bytes] = []
        self._most_unread = _MOST_UNREAD
        self._is_paused = False
        self._ended = False
        self._transport: asyncio.Transport | None = None
        self._news: asyncio.Future[None] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    # what the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are, but do not say so

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) > self._most_unread and not self._is_paused:
            self._is_paused = True
            self._open().pause_reading()
        self._tell()

    def eof_received(self) -> bool:
        self._ended = True
        self._tell()
        return not self.is_secure  # who has said all may still want to hear the replies; TLS cannot do that

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        self._transport = None
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

    def say(self, *lines: str) -> None:
        """One reply; of several lines all but the last are continued with a hyphen."""
        for line in lines[:-1]:
            self._unsaid.append(f"{line[:3]}-{line[4:]}\r\n".encode())
        self._unsaid.append(f"{lines[-1]}\r\n".encode())

    async def line(self) -> bytes:
        """
        The next line, without its CR LF.

        Raises BadLine, Gone, or Silent when none comes within *patience* seconds.
        """
        while (end := self._unread.find(b"\n", 0, MAX_LINE)) < 0:
            if len(self._unread) >= MAX_LINE:
                await self._read_over_line()
                raise BadLine
            await self._wait(self._patience)
        line = bytes(self._unread[: end + 1])
        del self._unread[: end + 1]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise BadLine
        return line[:-2]

    async def mail(self, limit: int, within: float) -> bytes | None:
        """
        The mail that follows DATA, dots unstuffed; None if it was over *limit* bytes.

        What cannot be kept is read over. Raises NoRoom, Gone, Flooded when it never seems to end, or Silent
        when the client pauses for longer than *patience* seconds or takes more than *within* for the whole.
        """
        deadline = asyncio.get_running_loop().time() + within
        # The line that said DATA ended in CR LF: that is what an empty mail's end begins with.
        self._unread[:0] = b"\r\n"
        begin, counted, read_over, has_room = 0, 0, 0, True
        self._most_unread = 2 * limit
        try:
            while (end := self._unread.find(_END, begin)) < 0:
                begin = max(0, len(self._unread) - len(_END) + 1)
                counted += self._room.take(len(self._unread) - counted)
                has_room = has_room and (bool(read_over) or not self._room.is_full)
                if read_over or not has_room or counted > limit + limit // _STUFFING:
                    read_over += begin
                    del self._unread[:begin]
                    counted -= self._room.give_back(begin)
                    begin = 0
                    if read_over > FLOOD * limit:
                        raise Flooded
                await self._wait(min(self._patience, max(0.0, deadline - asyncio.get_running_loop().time())))
            mail = None if read_over else _unstuffed(self._unread, end)
            del self._unread[: end + len(_END)]
        finally:
            self._room.give_back(counted)
            self._most_unread = _MOST_UNREAD
        if not has_room:
            raise NoRoom
        return mail if mail is not None and len(mail) <= limit else None

    async def chunk(self, size: int, *, keep: bool) -> bytes:
        """Exactly *size* bytes, as BDAT sends them (RFC 3030); read over unless *keep*. Raises Gone or Silent."""
        kept = bytearray()
        left = size
        while left:
            if not self._unread:
                await self._wait(self._patience)
            piece = self._unread[:left]
            del self._unread[:left]
            left -= len(piece)
            if keep:
                kept += piece
        return bytes(kept)

    async def start_tls(self, context: ssl.SSLContext, go_ahead: str, within: float) -> None:
        """Speak TLS from here on. Whatever was sent before the handshake is dropped, never obeyed. Raises Gone."""
        transport = self._open()
        transport.pause_reading()
        self.say(go_ahead)
        await self.flush()
        self._unread.clear()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=within
            )
        except OSError as error:  # ssl.SSLError and ConnectionError are OSErrors
            raise Gone from error
        if secured is None:
            raise Gone
        self._transport = secured
        self._is_paused = False

    async def flush(self) -> None:
        """Write what was said. Raises Gone, or Silent when the client does not read it."""
        if self._unsaid:
            self._open().write(b"".join(self._unsaid))
            self._unsaid.clear()
        if not self._may_write.is_set():
            try:
                async with asyncio.timeout(self._patience):
                    await self._may_write.wait()
            except TimeoutError:
                raise Silent from None

    def hang_up(self, *last_words: str) -> None:
        """Close, after *last_words* if there is still somebody to hear them."""
        if self._transport is None:
            return
        if last_words:
            self.say(*last_words)
        self._transport.write(b"".join(self._unsaid))
        self._unsaid.clear()
        self._transport.close()

    # how it waits

    def _open(self) -> asyncio.Transport:
        if self._transport is None:
            raise Gone
        return self._transport

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def _wait(self, seconds: float) -> None:
        """Returns when there are new bytes. Raises Gone when there will be none, Silent after *seconds*."""
        await self.flush()
        if self._ended:
            raise Gone
        if self._is_paused:
            self._is_paused = False
            self._open().resume_reading()
        loop = asyncio.get_running_loop()
        self._news = loop.create_future()
        timer = loop.call_later(seconds, self._give_up, self._news)
        try:
            await self._news
        finally:
            timer.cancel()
            self._news = None

    @staticmethod
    def _give_up(news: "asyncio.Future[None]") -> None:
        if not news.done():
            news.set_exception(Silent())

    async def _read_over_line(self) -> None:
        while (end := self._unread.find(b"\n")) < 0:
            self._unread.clear()
            await self._wait(self._patience)
        del self._unread[: end + 1]


def _unstuffed(unread: bytearray, end: int) -> bytes:
    """The mail before *end*, its first two bytes left out; RFC 5321, 4.5.2: a line's first dot goes."""
    with memoryview(unread) as view:
        mail = bytes(view[2 : end + 2]).replace(b"\r\n.", b"\r\n")
    return mail[1:] if mail.startswith(b".") else mail
