"""A resolver that answers what nobody asked, too much, or in circles: no useful answer, and soon."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kaisoumail.model.delegation import Delegation, DnsAnswer
from kaisoumail.public_dns.resolver import Resolver
from tests.people import NOON

NOTHING_USEFUL = Delegation(DnsAnswer.NO_ANSWER, (), NOON)
LONG_NAME = b"\x01a" * 126 + b"\0"
Answer = Callable[[bytes], list[bytes]]


def test_an_answer_in_its_own_right_is_believed() -> None:
    assert _asked(lambda question: [_reply(question, [_ns(b"\x02ns\x07example\0")])]).name_servers == ("ns.example",)


def test_answers_to_other_questions_are_waited_past() -> None:
    def answers(question: bytes) -> list[bytes]:
        good = _reply(question, [_ns(b"\x02ns\x07example\0")])
        other_number = bytes([good[0] ^ 1]) + good[1:]
        other_name = good.replace(b"customer", b"customor")
        no_answer = good[:2] + question[2:4] + good[4:]
        return [b"", b"\0", other_number, other_name, no_answer, question, good]

    assert _asked(answers).name_servers == ("ns.example",)


def test_records_of_other_names_and_kinds_are_left_out() -> None:
    records = [
        _ns(b"\x02ns\x07example\0"),
        _ns(b"\x04evil\x07example\0", owner=b"\x05other\0"),
        _record(b"\xc0\x0c", 16, b"\x04text"),
    ]

    assert _asked(lambda question: [_reply(question, records)]).name_servers == ("ns.example",)


@pytest.mark.parametrize(
    "records",
    [
        [b"\xc0\x1e\0\x02\0\x01\0\0\0\0\0\x02\xc0\x1e"],
        [b"\xff\xff"],
        [b"\xc0\x0c\0\x02\0\x01\0\0\0\0\xff\xff"],
        [b"\xc0\x0c\0\x02\0\x01\0\0\0\0\0\x01\x05"],
        [b"\xc0\x0c\0\x02\0\x01\0\0\0\0\0\x04\0\0\0\0"],
        [b"\x40"],
    ],
    ids=["circle", "cut off", "longer than it is", "name beyond its end", "more than a name", "unknown label"],
)
def test_a_record_that_leads_astray_is_no_answer(records: list[bytes]) -> None:
    assert _asked(lambda question: [_reply(question, records)]) == NOTHING_USEFUL


def test_many_long_names_that_point_at_each_other_are_not_read() -> None:
    # What took dnspython's reader 100 seconds of the event loop, over UDP and over TCP.
    first = _ns(LONG_NAME)
    records = [first, *[_ns(b"\xc0\x2a", owner=b"\xc0\x2a")] * 4000]

    assert _asked(lambda question: [_reply(question, records)], seconds=0.5) == NOTHING_USEFUL
    assert (
        _asked(lambda question: [_reply(question, [], flags=0x8380)], lambda question: _reply(question, records))
        == NOTHING_USEFUL
    )
    assert _asked(lambda question: [_reply(question, records[:200])]) == NOTHING_USEFUL


def test_a_cut_off_answer_is_asked_for_again_over_tcp() -> None:
    seen = _asked(
        lambda question: [_reply(question, [], flags=0x8380)],
        lambda question: _reply(question, [_ns(b"\x02ns\x07example\0")]),
    )

    assert seen.name_servers == ("ns.example",)


@pytest.mark.parametrize("wire", [b"", b"\0", b"x" * 30], ids=["none", "a byte", "something else"])
def test_a_connection_that_ends_early_or_says_something_else_is_no_answer(wire: bytes) -> None:
    assert _asked(lambda question: [_reply(question, [], flags=0x8380)], lambda _: wire) == NOTHING_USEFUL


@settings(max_examples=80, deadline=None)
@given(junk=st.binary(max_size=600), at=st.integers(0, 60))
@example(junk=b"", at=0)
def test_whatever_comes_is_an_answer_of_ours(junk: bytes, at: int) -> None:
    def answers(question: bytes) -> list[bytes]:
        good = _reply(question, [_ns(b"\x02ns\x07example\0")])
        return [good[: 12 + at] + junk, good]

    assert isinstance(_asked(answers).answer, DnsAnswer)


def _reply(question: bytes, records: list[bytes], flags: int = 0x8180) -> bytes:
    return question[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + question[12:] + b"".join(records)


def _ns(target: bytes, owner: bytes = b"\xc0\x0c") -> bytes:
    return _record(owner, 2, target)


def _record(owner: bytes, kind: int, data: bytes) -> bytes:
    return owner + struct.pack("!HHIH", kind, 1, 300, len(data)) + data


def _asked(over_udp: Answer, over_tcp: Callable[[bytes], bytes] = lambda _: b"", seconds: float = 20.0) -> Delegation:
    """What a resolver says of customer.com whose server sends these datagrams, and this over TCP."""

    async def ask() -> Delegation:
        async with _a_server(over_udp, over_tcp) as port:
            return await Resolver("127.0.0.1", port, lambda: NOON, seconds=seconds).delegation_of("customer.com")

    return asyncio.run(ask())


@asynccontextmanager
async def _a_server(over_udp: Answer, over_tcp: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    class Udp(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            for datagram in over_udp(data):
                transport.sendto(datagram, addr)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        wire = over_tcp(question)
        writer.write(len(wire).to_bytes(2) + wire if wire else b"")
        writer.close()
        await writer.wait_closed()

    loop = asyncio.get_running_loop()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()
        transport, _ = await loop.create_datagram_endpoint(Udp, local_addr=address)
        try:
            yield address[1]
        finally:
            transport.close()
