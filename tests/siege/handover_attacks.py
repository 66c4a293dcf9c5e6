"""Attacks on the signed hand-over by somebody who does not know its secret."""

import asyncio
import time
from typing import Final
from urllib.parse import quote

from tests.siege.attacker import Attack, Client, Connection

_LARGEST: Final = 26_214_400
_FULL: Final = b"x" * 65536


def _head(client: Client, length: int, timestamp: float | None = None, **headers: str) -> bytes:
    """The head of a hand-over with a false signature, as of now or of *timestamp*."""
    given = {
        "host": "attacked",
        "content-type": "message/rfc822",
        "content-length": str(length),
        "x-kaisoumail-envelope-from": quote("stranger@attack.example"),
        "x-kaisoumail-envelope-to": quote(client.target.recipient),
        "x-kaisoumail-timestamp": str(int(time.time() if timestamp is None else timestamp)),
        "x-kaisoumail-signature": "0123456789abcdef" * 4,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return _request(given)


def _request(headers: dict[str, str]) -> bytes:
    lines = ["POST /api/inbound HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


async def _send_seen(connection: Connection, client: Client, body: bytes, length: int | None = None) -> None:
    """The headers of a hand-over that was seen on its way, ticket and all, with *body* behind them."""
    told = {"host": "attacked", "content-length": str(len(body) if length is None else length)}
    await connection.send(_request({**told, **client.target.seen_headers}) + body)


async def _send_a_part(connection: Connection) -> None:
    """16 MiB of a message of 25, then silence: sixteen of them are 256 MiB. Who is refused tries again."""
    for _ in range(256):
        await connection.send(_FULL)
    await connection.status()


async def hand_overs_with_a_false_signature_are_never_finished(client: Client) -> None:
    """A large part of 25 MB, then silence."""
    async with client.http() as connection:
        await connection.send(_head(client, _LARGEST))
        await _send_a_part(connection)


async def hand_overs_with_a_false_signature_come_whole(client: Client) -> None:
    """25 MB that are hashed to find that they are not signed."""
    async with client.http() as connection:
        await connection.send(_head(client, len(_FULL) * 400))
        for _ in range(400):
            await connection.send(_FULL)
        await connection.status()


async def hand_overs_are_announced_and_nothing_is_sent(client: Client) -> None:
    """A head, and silence."""
    async with client.http() as connection:
        await connection.send(_head(client, _LARGEST))
        await connection.until_closed()


async def hand_overs_come_byte_by_byte(client: Client) -> None:
    """One byte of the message in half a second."""
    async with client.http() as connection:
        await connection.send(_head(client, _LARGEST))
        await connection.slowly(_FULL, 0.5)


async def hand_overs_never_end(client: Client) -> None:
    """A chunked body without an end."""
    async with client.http() as connection:
        await connection.send(_head(client, 0).replace(b"content-length: 0", b"transfer-encoding: chunked"))
        await connection.endless(b"10000\r\n" + _FULL + b"\r\n")


async def hand_overs_of_another_time_come_as_fast_as_they_go(client: Client) -> None:
    """A timestamp of last year, and a body behind it."""
    async with client.http() as connection:
        while True:
            await connection.send(_head(client, 1000, time.time() - 3e7) + b"x" * 1000)
            await connection.status()


async def hand_overs_with_a_false_signature_come_as_fast_as_they_go(client: Client) -> None:
    """Small ones, signed by nobody."""
    async with client.http() as connection:
        while True:
            await connection.send(_head(client, 1000) + b"x" * 1000)
            await connection.status()


async def one_seen_hand_over_is_repeated(client: Client) -> None:
    """The same bytes, as they were seen: a duplicate each time."""
    async with client.http() as connection:
        while True:
            await _send_seen(connection, client, client.target.seen_body.encode())
            await connection.status()


async def headers_of_a_seen_hand_over_come_with_another_body(client: Client) -> None:
    """A ticket that is good, for 25 MB that are not those it was made for, and do not end."""
    async with client.http() as connection:
        await _send_seen(connection, client, b"", _LARGEST)
        await _send_a_part(connection)


async def hand_overs_have_a_ticket_that_is_false(client: Client) -> None:
    """As long as a ticket is, and not one."""
    async with client.http() as connection:
        await connection.send(_head(client, _LARGEST, x_kaisoumail_ticket=f"{_LARGEST}:{'fedcba9876543210' * 4}"))
        await _send_a_part(connection)


async def hand_overs_end_with_a_reset(client: Client) -> None:
    """A megabyte of the message, and a RST."""
    async with client.http() as connection:
        await connection.send(_head(client, _LARGEST) + _FULL * 16)
        connection.reset()
        await asyncio.sleep(0)


ATTACKS: Final = (
    Attack(hand_overs_with_a_false_signature_are_never_finished, 16, 800, finding="I4"),
    Attack(hand_overs_with_a_false_signature_come_whole, 16, 200, finding="I4"),
    Attack(hand_overs_are_announced_and_nothing_is_sent, finding="I4"),
    Attack(hand_overs_come_byte_by_byte, finding="I4"),
    Attack(hand_overs_never_end, 16, 200, finding="I4"),
    Attack(hand_overs_of_another_time_come_as_fast_as_they_go),
    Attack(hand_overs_with_a_false_signature_come_as_fast_as_they_go),
    Attack(one_seen_hand_over_is_repeated),
    Attack(headers_of_a_seen_hand_over_come_with_another_body, 16, 800, finding="I4"),
    Attack(hand_overs_have_a_ticket_that_is_false, 16, 800, finding="I4"),
    Attack(hand_overs_end_with_a_reset, 16, 200),
)
