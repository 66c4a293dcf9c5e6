"""One resolver, asked for name servers: briefly, and never with an exception for an answer."""

import asyncio
from typing import Final

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from kaisoumail.model.clock import Clock
from kaisoumail.model.delegation import Delegation, DnsAnswer

SECONDS: Final = 1.5  # a person waits for the page this is for
_AT_ONCE: Final = 16


class Resolver:
    """A recursive resolver at *host*:*port*; each question waits *seconds* at most."""

    def __init__(self, host: str, port: int, clock: Clock, *, seconds: float = SECONDS) -> None:
        self._host = host
        self._port = port
        self._clock = clock
        self._seconds = seconds
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def delegation_of(self, apex: str) -> Delegation:
        """What the resolver says now of *apex* (lower-case ASCII); trouble is an answer too."""
        try:
            async with asyncio.timeout(self._seconds), self._places:
                answer, servers = await self._ask(apex)
        except (TimeoutError, OSError, dns.exception.DNSException):
            answer, servers = DnsAnswer.NO_ANSWER, ()
        return Delegation(answer, servers, self._clock())

    async def _ask(self, apex: str) -> tuple[DnsAnswer, tuple[str, ...]]:
        name = dns.name.from_text(apex)
        question = dns.message.make_query(name, dns.rdatatype.NS)
        answer, _ = await dns.asyncquery.udp_with_fallback(
            question, self._host, port=self._port, timeout=self._seconds, ignore_unexpected=True
        )
        if answer.rcode() == dns.rcode.NXDOMAIN:
            return DnsAnswer.NO_SUCH_NAME, ()
        if answer.rcode() != dns.rcode.NOERROR:
            return DnsAnswer.REFUSED, ()
        servers = {
            str(record.target).rstrip(".").lower()
            for rows in answer.answer
            if rows.rdtype == dns.rdatatype.NS and rows.name == name
            for record in rows
        }
        return (DnsAnswer.NAME_SERVERS if servers else DnsAnswer.NOTHING), tuple(sorted(servers))
