"""Attacks on routes and pages: with wrong keys, with none, and with one that is good."""

import asyncio
import json
from typing import Final

from tests.siege.attacker import Attack, Client, Connection, Refused


def _request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    given = ("host: attacked", "content-type: application/json", f"content-length: {len(body)}", *headers)
    return "\r\n".join([f"{method} {path} HTTP/1.1", *given, "", ""]).encode() + body


async def _ask(connection: Connection, method: str, path: str, body: bytes = b"", *headers: str) -> int:
    await connection.send(_request(method, path, body, *headers))
    return await connection.status()


async def wrong_keys_are_tried(client: Client) -> None:
    """A list is asked for with one wrong key after the other."""
    async with client.http() as connection:
        while True:
            key = f"authorization: Bearer cfm_guess-{client.address}-{client.number()}"
            await _ask(connection, "GET", "/api/messages", b"", key)


async def sign_ins_are_tried(client: Client) -> None:
    """One wrong key after the other at the sign-in."""
    async with client.http() as connection:
        while True:
            body = json.dumps({"apiKey": f"cfm_guess-{client.address}-{client.number()}-0123456789"}).encode()
            await _ask(connection, "POST", "/api/auth/session", body)


async def passkey_sign_ins_are_begun(client: Client) -> None:
    """Each may leave a row in the database."""
    async with client.http() as connection:
        while True:
            await _ask(connection, "POST", "/api/auth/passkey/options", b"{}")


async def passkey_answers_are_made_up(client: Client) -> None:
    """A credential of 60 kB that nobody has."""
    made_up = {"id": "A" * 20_000, "rawId": "A" * 20_000, "type": "public-key", "response": {"signature": "A" * 20_000}}
    async with client.http() as connection:
        while True:
            await _ask(connection, "POST", "/api/auth/passkey/verify", json.dumps({"credential": made_up}).encode())


async def json_is_nested_deeply(client: Client) -> None:
    """30,000 brackets in each other."""
    async with client.http() as connection:
        while True:
            await _ask(connection, "POST", "/api/auth/session", b'{"apiKey":' + b"[" * 30_000 + b"]" * 30_000 + b"}")


async def json_has_keys_made_to_collide(client: Client) -> None:
    """5,000 names of a kind that simple hashes put in one place."""
    names = {
        f"{'Aa' if number & 1 else 'BB'}{number:012b}".replace("0", "Aa").replace("1", "BB"): 1
        for number in range(2_000)
    }
    async with client.http() as connection:
        while True:
            await _ask(connection, "POST", "/api/auth/session", json.dumps(names).encode()[:65_000])


async def json_has_numbers_of_sixty_thousand_digits(client: Client) -> None:
    """Turning digits into a number takes their square."""
    async with client.http() as connection:
        while True:
            await _ask(connection, "POST", "/api/auth/session", b'{"apiKey":' + b"9" * 60_000 + b"}")


async def json_comes_without_a_key_in_megabytes(client: Client) -> None:
    """10 MB for a route that wants a key."""
    async with client.http() as connection:
        await _ask(connection, "POST", "/api/mailboxes", b'{"localPart":"' + b"a" * 10_000_000 + b'"}')


async def bodies_are_compressed(client: Client) -> None:
    """A few bytes that would be a gigabyte, if somebody unpacked them."""
    bomb = bytes.fromhex("1f8b0800000000000203edc10101000000") + b"\0" * 50_000
    async with client.http() as connection:
        while True:
            await _ask(connection, "POST", "/api/auth/session", bomb, "content-encoding: gzip")


async def waits_are_begun_without_a_key(client: Client) -> None:
    """A long poll and a stream of events in turn."""
    async with client.http() as connection:
        while True:
            await _ask(connection, "GET", "/api/messages/wait?timeout=60")
            await _ask(connection, "GET", "/api/events")


async def methods_are_made_up(client: Client) -> None:
    """A method that nobody knows, and TRACE and CONNECT."""
    async with client.http() as connection:
        for method in ("BREW", "TRACE", "CONNECT", "PROPFIND"):
            await _ask(connection, method, "/api/messages")


async def urls_are_absolute(client: Client) -> None:
    """Somebody else's address in the request line, as to a proxy."""
    async with client.http() as connection:
        while True:
            await _ask(connection, "GET", "http://169.254.169.254/latest/meta-data/?" + "a=b&" * 2_000)


async def urls_have_ten_thousand_parameters(client: Client) -> None:
    """60 kB of query."""
    async with client.http() as connection:
        while True:
            query = "&".join(f"a{number}=%F0%9F%92%A9" for number in range(3_000))
            await _ask(connection, "GET", f"/api/meta?{query}")


async def forwarded_addresses_are_made_up(client: Client) -> None:
    """A new address in X-Forwarded-For with each request, to be counted as somebody else."""
    async with client.http() as connection:
        while True:
            number = client.number()
            forged = f"x-forwarded-for: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            await _ask(connection, "POST", "/api/auth/session", b'{"apiKey":"cfm_wrong-0123456789"}', forged)


async def pages_are_asked_for_as_fast_as_they_go(client: Client) -> None:
    """The sign-in page and what belongs to it."""
    async with client.http() as connection:
        while True:
            await _ask(connection, "GET", "/login")


async def sixteen_addresses_try_wrong_keys(client: Client) -> None:
    """The same from many addresses: no single one is over a limit."""
    await wrong_keys_are_tried(client)


async def connections_are_held_after_a_wrong_key(client: Client) -> None:
    """A 401, and from then on silence: is the connection still one without a credential that is right?"""
    async with client.http() as connection:
        key = f"authorization: Bearer cfm_guess-{client.address}-{client.number()}"
        try:
            await _ask(connection, "GET", "/api/mailboxes", b"", key)
        except Refused:
            await asyncio.sleep(1)
            raise
        await connection.until_closed()


async def sixteen_addresses_hold_connections_after_a_wrong_key(client: Client) -> None:
    """The same with more connections than the listener has."""
    await connections_are_held_after_a_wrong_key(client)


async def a_member_asks_as_fast_as_the_limits_allow(client: Client) -> None:
    """A key that is good, and all of its 6,000 requests a minute: the whole list each time."""
    async with client.http() as connection:
        key = f"authorization: Bearer {client.target.key}"
        while True:
            await _ask(connection, "GET", "/api/messages?limit=200", b"", key)
            await asyncio.sleep(0.08)  # eight connections: less than a hundred a second, which others share


ATTACKS: Final = (
    Attack(wrong_keys_are_tried),
    Attack(sixteen_addresses_try_wrong_keys, is_spread=True),
    Attack(connections_are_held_after_a_wrong_key, 800, 10),
    Attack(sixteen_addresses_hold_connections_after_a_wrong_key, 2400, 10, is_spread=True),
    Attack(sign_ins_are_tried),
    Attack(passkey_sign_ins_are_begun, finding="K12"),
    Attack(passkey_answers_are_made_up),
    Attack(json_is_nested_deeply),
    Attack(json_has_keys_made_to_collide),
    Attack(json_has_numbers_of_sixty_thousand_digits),
    Attack(json_comes_without_a_key_in_megabytes, 16, 200),
    Attack(bodies_are_compressed),
    Attack(waits_are_begun_without_a_key),
    Attack(methods_are_made_up),
    Attack(urls_are_absolute),
    Attack(urls_have_ten_thousand_parameters),
    Attack(forwarded_addresses_are_made_up),
    Attack(pages_are_asked_for_as_fast_as_they_go),
    Attack(a_member_asks_as_fast_as_the_limits_allow, 8),
)
