"""Attacks on the HTTP listener without a key: by heads, bodies, and connections."""

import asyncio
from typing import Final

from tests.siege.attacker import Attack, Client

_HEAD: Final = b"GET /health HTTP/1.1\r\nhost: attacked\r\n"
_POST: Final = b"POST /api/auth/session HTTP/1.1\r\nhost: attacked\r\ncontent-type: application/json\r\n"
_CHUNKED: Final = _POST + b"transfer-encoding: chunked\r\n\r\n"
_FULL: Final = b"x" * 65536
_LONG: Final = 3600.0


async def one_url_never_ends(client: Client) -> None:
    """A request line without an end."""
    async with client.http() as connection:
        await connection.send(b"GET /")
        await connection.endless(_FULL)


async def one_header_value_never_ends(client: Client) -> None:
    """A header line without an end."""
    async with client.http() as connection:
        await connection.send(_HEAD + b"x-endless: ")
        await connection.endless(_FULL)


async def one_header_name_never_ends(client: Client) -> None:
    """A header line that does not come to its colon."""
    async with client.http() as connection:
        await connection.send(_HEAD)
        await connection.endless(_FULL)


async def header_lines_never_end(client: Client) -> None:
    """A head of which there is always one more line."""
    async with client.http() as connection:
        await connection.send(_HEAD)
        await connection.endless(b"".join(b"x-%d: %s\r\n" % (number, b"y" * 80) for number in range(700)))


async def requests_have_ten_thousand_header_fields(client: Client) -> None:
    """Whole requests, each with 10,000 short fields."""
    async with client.http() as connection:
        await connection.send(_HEAD + b"".join(b"a%d:\r\n" % number for number in range(10_000)) + b"\r\n")
        await connection.status()


async def requests_have_ten_thousand_cookies(client: Client) -> None:
    """A cookie header of 10,000 cookies, 60 kB of it."""
    async with client.http() as connection:
        cookies = b"; ".join(b"a%d=b" % number for number in range(6_000))
        await connection.send(b"GET / HTTP/1.1\r\nhost: attacked\r\ncookie: " + cookies + b"\r\n\r\n")
        await connection.status()


async def heads_come_byte_by_byte(client: Client) -> None:
    """Slowloris: one byte of a head in half a second."""
    async with client.http() as connection:
        await connection.slowly(_HEAD * 100, 0.5)


async def heads_are_never_finished(client: Client) -> None:
    """Half a head, then silence."""
    async with client.http() as connection:
        await connection.send(_HEAD)
        await connection.until_closed()


async def connections_say_nothing(client: Client) -> None:
    """Connected, and silent from the first."""
    async with client.http() as connection:
        await connection.until_closed()


async def connections_are_kept_after_an_answer(client: Client) -> None:
    """One good request, then silence."""
    async with client.http() as connection:
        await connection.send(_HEAD + b"\r\n")
        await connection.status()
        await connection.until_closed()


async def bodies_are_never_finished(client: Client) -> None:
    """A body of which one byte is missing."""
    async with client.http() as connection:
        await connection.send(_POST + b"content-length: 1000\r\n\r\n" + b"x" * 999)
        await connection.until_closed()


async def bodies_come_byte_by_byte(client: Client) -> None:
    """One byte of a body in half a second."""
    async with client.http() as connection:
        await connection.send(_POST + b"content-length: 60000\r\n\r\n")
        await connection.slowly(b"x" * 60_000, 0.5)


async def bodies_are_larger_than_any_route_takes(client: Client) -> None:
    """A body of a gigabyte is announced and sent to a route for JSON."""
    async with client.http() as connection:
        await connection.send(_POST + b"content-length: 1000000000\r\n\r\n")
        await connection.endless(_FULL)


async def bodies_are_announced_as_larger_than_any_number(client: Client) -> None:
    """A length of 4,000 digits."""
    async with client.http() as connection:
        await connection.send(_POST + b"content-length: " + b"9" * 4000 + b"\r\n\r\n")
        await connection.until_closed()


async def chunks_have_one_byte(client: Client) -> None:
    """A chunked body of chunks of one byte."""
    async with client.http() as connection:
        await connection.send(_CHUNKED)
        await connection.endless(b"1\r\nx\r\n" * 2000)


async def one_chunk_extension_never_ends(client: Client) -> None:
    """What may stand after a chunk's size goes on for ever (CVE-2023-39326 and its kind)."""
    async with client.http() as connection:
        await connection.send(_CHUNKED + b"1;")
        await connection.endless(_FULL)


async def one_chunk_size_never_ends(client: Client) -> None:
    """Leading zeros of a chunk's size without an end."""
    async with client.http() as connection:
        await connection.send(_CHUNKED)
        await connection.endless(b"0" * 65536)


async def trailers_never_end(client: Client) -> None:
    """A chunked body is over, its trailer fields are not."""
    async with client.http() as connection:
        await connection.send(_CHUNKED + b"1\r\nx\r\n0\r\n")
        await connection.endless(b"x-trailer: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 1000)


async def requests_are_pipelined_and_answers_not_read(client: Client) -> None:
    """Request after request, and no answer is ever taken."""
    async with client.http(reads=False) as connection:
        await connection.endless(b"GET /api/openapi.json HTTP/1.1\r\nhost: attacked\r\n\r\n" * 100)


async def answers_are_read_two_kilobytes_a_second(client: Client) -> None:
    """A large answer through the smallest window there is."""
    async with client.http(reads=False) as connection:
        await connection.send(b"GET /api/openapi.json HTTP/1.1\r\nhost: attacked\r\n\r\n")
        await connection.read_slowly()


async def lengths_are_told_twice(client: Client) -> None:
    """Content-Length and Transfer-Encoding in one request, with a second request in its body."""
    async with client.http() as connection:
        hidden = b"GET /hidden HTTP/1.1\r\nhost: attacked\r\n\r\n"
        await connection.send(_POST + b"content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + hidden)
        await connection.until_closed()


async def a_continue_is_waited_for_and_nothing_sent(client: Client) -> None:
    """Expect: 100-continue, then silence."""
    async with client.http() as connection:
        await connection.send(_POST + b"content-length: 100\r\nexpect: 100-continue\r\n\r\n")
        await connection.until_closed()


async def connections_ask_to_be_upgraded(client: Client) -> None:
    """A web socket is asked for, and its frames are sent."""
    async with client.http() as connection:
        upgrade = b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
        await connection.send(_HEAD + upgrade + b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        await connection.endless(b"\x82\x7e\xff\xff" + _FULL)


async def connections_speak_http_2(client: Client) -> None:
    """HTTP/2's preface and an endless row of its SETTINGS and PING frames."""
    async with client.http() as connection:
        await connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        await connection.endless(b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\x08\x06\0\0\0\0\0" + b"ping1234")


async def connections_speak_tls(client: Client) -> None:
    """A TLS record to the port that speaks plain text."""
    async with client.http() as connection:
        await connection.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500)
        await connection.until_closed()


async def connections_speak_nothing_known(client: Client) -> None:
    """Bytes that are no HTTP at all."""
    async with client.http() as connection:
        await connection.endless(bytes(range(256)) * 16)


async def requests_end_with_a_reset(client: Client) -> None:
    """A request, and a RST while it is being answered."""
    async with client.http() as connection:
        await connection.send(_HEAD + b"\r\n")
        connection.reset()


async def connections_are_opened_and_closed(client: Client) -> None:
    """As many as go: connect, and away."""
    for _ in range(20):
        async with client.http():
            pass


async def senders_close_their_half(client: Client) -> None:
    """A body is missing, and will never come."""
    async with client.http() as connection:
        await connection.send(_POST + b"content-length: 100\r\n\r\nx")
        connection.half_close()
        await asyncio.sleep(_LONG)


ATTACKS: Final = (
    Attack(one_url_never_ends, 1, 200, finding="I1"),
    Attack(one_header_value_never_ends, 1, 200, finding="I1"),
    Attack(one_header_name_never_ends, 1, 200, finding="I1"),
    Attack(header_lines_never_end, 16, 200, finding="I1"),
    Attack(requests_have_ten_thousand_header_fields),
    Attack(requests_have_ten_thousand_cookies),
    Attack(heads_come_byte_by_byte, finding="I2"),
    Attack(heads_are_never_finished, finding="I2"),
    Attack(connections_say_nothing, finding="I2"),
    Attack(connections_are_kept_after_an_answer, finding="I2"),
    Attack(bodies_are_never_finished, finding="I2"),
    Attack(bodies_come_byte_by_byte, finding="I2"),
    Attack(bodies_are_larger_than_any_route_takes, 16, 200),
    Attack(bodies_are_announced_as_larger_than_any_number),
    Attack(chunks_have_one_byte),
    Attack(one_chunk_extension_never_ends, 16, 200),
    Attack(one_chunk_size_never_ends, 16, 200),
    Attack(trailers_never_end, 16, 200),
    Attack(requests_are_pipelined_and_answers_not_read),
    Attack(answers_are_read_two_kilobytes_a_second),
    Attack(lengths_are_told_twice),
    Attack(a_continue_is_waited_for_and_nothing_sent),
    Attack(connections_ask_to_be_upgraded, 16, 200),
    Attack(connections_speak_http_2),
    Attack(connections_speak_tls),
    Attack(connections_speak_nothing_known),
    Attack(requests_end_with_a_reset),
    Attack(connections_are_opened_and_closed),
    Attack(senders_close_their_half, finding="I2"),
)
