"""A small DNS server on loopback, in a thread of this process: it answers what a test puts into it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SILENCE: Final = "silence"


@dataclass
class DnsServer:
    """*says* holds per name: its name servers, a `dns.rcode`, or SILENCE. A name it does not know is NXDOMAIN."""

    address: tuple[str, int]
    says: dict[str, list[str] | dns.rcode.Rcode | str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def setting(self) -> str:
        return "{}:{}".format(*self.address)

    def answer(self, wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        [question] = query.question
        name = question.name.to_text(omit_final_dot=True)
        self.asked.append(name)
        said = self.says.get(name, dns.rcode.NXDOMAIN)
        reply = dns.message.make_response(query, recursion_available=True)
        if isinstance(said, str):
            return None
        if isinstance(said, list):
            if said:
                servers = [f"{server}." for server in said]
                reply.answer.append(dns.rrset.from_text_list(question.name, 300, "IN", "NS", servers))
        else:
            reply.set_rcode(said)
        return reply.to_wire()


@contextmanager
def a_dns_server() -> Iterator[DnsServer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        server = DnsServer(listener.getsockname())
        thread = threading.Thread(target=_serve, args=(listener, server))
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as farewell:
                farewell.sendto(b"", server.address)
            thread.join()


def _serve(listener: socket.socket, server: DnsServer) -> None:
    while True:
        wire, asker = listener.recvfrom(4096)
        if not wire:
            return
        reply = server.answer(wire)
        if reply is not None:
            listener.sendto(reply, asker)
