"""
What stands in a resolver's answer to a question for name servers, read in little time whatever it holds.

dnspython's own reader takes minutes of the event loop for 64 KB of records whose names are long and point at each
other (2.9.2), so sizes and counts are looked at first, and only names are read with it. Format: RFC 1035, section 4.
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
# What may be answered without repeating the question: the server could not read it, or would not.
_WITHOUT_QUESTION: Final = (dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED)


def answers(wire: bytes, question: bytes) -> bool:
    """Whether *wire* is an answer to *question*, of its number and for its name; anything else is somebody else's."""
    if not _HEADER <= len(wire) <= LARGEST or wire[:2] != question[:2] or not _flags(wire) & dns.flags.QR:
        return False
    if wire[4:6] == b"\0\0":
        return _rcode(wire) in _WITHOUT_QUESTION
    asked = question[_HEADER:].lower()
    return wire[4:6] == b"\0\1" and wire[_HEADER : _HEADER + len(asked)].lower() == asked


def is_cut_off(wire: bytes) -> bool:
    """Whether there is more to the answer, to be asked for over TCP."""
    return bool(_flags(wire) & dns.flags.TC)


def name_servers(wire: bytes, question: bytes) -> tuple[DnsAnswer, tuple[str, ...]]:
    """
    What an answer to *question* says of its name.

    Raises DNSException for one that is cut off, points astray or has too many records.
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
