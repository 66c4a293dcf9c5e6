"""
Parses a resolver's answer to an NS query, in bounded time whatever it contains.

dnspython's own parser blocks the event loop for minutes on 64 KB of records whose names are long and point at each
other (2.9.2), so sizes and counts are checked first, and only names are parsed with it. Format: RFC 1035, section 4.
"""

from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.wire

from kaisoumail.model.delegation import DnsAnswer

LARGEST: Final = 4096  # octets; a delegation to thirteen servers takes less than 512
_MOST_RECORDS: Final = 64
_HEADER: Final = 12
# Responses that need not repeat the question: the server could not read it, or refused it.
_WITHOUT_QUESTION: Final = (dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED)


def answers(wire: bytes, question: bytes) -> bool:
    """Whether *wire* is a response to the query *question*: its ID and its name match. Others must be ignored."""
    if not _HEADER <= len(wire) <= LARGEST or wire[:2] != question[:2] or not _flags(wire) & dns.flags.QR:
        return False
    if wire[4:6] == b"\0\0":
        return _rcode(wire) in _WITHOUT_QUESTION
    section = question[_HEADER:].lower()
    return wire[4:6] == b"\0\1" and wire[_HEADER : _HEADER + len(section)].lower() == section


def is_cut_off(wire: bytes) -> bool:
    """Whether the answer is truncated, so that the query must be repeated over TCP."""
    return bool(_flags(wire) & dns.flags.TC)


def name_servers(wire: bytes, question: bytes) -> tuple[DnsAnswer, tuple[str, ...]]:
    """
    The result in *wire*, a response to *question*, and the name servers in it, lower-case and sorted.

    Raises DNSException for a response that is truncated, has invalid name pointers or too many records.
    """
    if _rcode(wire) == dns.rcode.NXDOMAIN:
        return DnsAnswer.NO_SUCH_NAME, ()
    if _rcode(wire) != dns.rcode.NOERROR:
        return DnsAnswer.REFUSED, ()
    parser = dns.wire.Parser(wire, len(question))
    name = dns.name.from_wire(question, _HEADER)[0]
    records = int.from_bytes(wire[6:8])
    if records > _MOST_RECORDS:
        raise dns.exception.FormError
    found = set()
    for _ in range(records):
        owner = parser.get_name(decompress=True)
        kind, rdclass, _ttl, length = parser.get_struct("!HHIH")
        with parser.restrict_to(length):
            if (owner, kind, rdclass) == (name, dns.rdatatype.NS, dns.rdataclass.IN):
                found.add(str(parser.get_name(decompress=True)).rstrip(".").lower())
            else:
                parser.get_remaining()
    return (DnsAnswer.NAME_SERVERS if found else DnsAnswer.NOTHING), tuple(sorted(found))


def _flags(wire: bytes) -> int:
    return int.from_bytes(wire[2:4])


def _rcode(wire: bytes) -> int:
    return wire[3] & 0x0F
