"""A client for NS queries to one resolver, with a short timeout; failures are results, not exceptions."""

import asyncio
from typing import Final

import dns.exception
import dns.message
import dns.rdatatype

from kaisoumail.model.clock import Clock
from kaisoumail.model.delegation import Delegation, DnsAnswer
from kaisoumail.public_dns.answers import LARGEST, answers, is_cut_off, name_servers

SECONDS: Final = 1.5  # a user waits for the page that shows the result
_MAX_CONCURRENT: Final = 16


class Resolver:
    """A recursive resolver at *host*:*port*; each query takes at most *seconds*."""

    def __init__(self, host: str, port: int, clock: Clock, *, seconds: float = SECONDS) -> None:
        self._host = host
        self._port = port
        self._clock = clock
        self._seconds = seconds
        self._concurrency = asyncio.Semaphore(_MAX_CONCURRENT)

    async def delegation_of(self, apex: str) -> Delegation:
        """The current delegation of *apex* (lower-case ASCII); a timeout or error gives `DnsAnswer.NO_ANSWER`."""
        try:
            async with asyncio.timeout(self._seconds), self._concurrency:
                answer, servers = await self._ask(apex)
        except (TimeoutError, OSError, EOFError, dns.exception.DNSException):
            answer, servers = DnsAnswer.NO_ANSWER, ()
        return Delegation(answer, servers, self._clock())

    async def _ask(self, apex: str) -> tuple[DnsAnswer, tuple[str, ...]]:
        question = dns.message.make_query(apex, dns.rdatatype.NS).to_wire()
        wire = await self._over_udp(question)
        if is_cut_off(wire):
            wire = await self._over_tcp(question)
        return name_servers(wire, question)

    async def _over_udp(self, question: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        transport, query = await loop.create_datagram_endpoint(
            lambda: _PendingQuery(question), remote_addr=(self._host, self._port)
        )
        try:
            transport.sendto(question)
            return await query.answer
        finally:
            transport.close()

    async def _over_tcp(self, question: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(len(question).to_bytes(2) + question)
            length = int.from_bytes(await reader.readexactly(2))
            wire = await reader.readexactly(min(length, LARGEST + 1))
        finally:
            writer.transport.abort()
        if not answers(wire, question):
            raise dns.exception.FormError
        return wire


class _PendingQuery(asyncio.DatagramProtocol):
    """Waits for the answer to *question*, and ignores all other datagrams."""

    def __init__(self, question: bytes) -> None:
        self._question = question
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.answer.done() and answers(data, self._question):
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)
