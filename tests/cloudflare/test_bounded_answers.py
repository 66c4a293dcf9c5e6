"""An answer has a time and a size as a whole, and repeats no token."""

import asyncio
import json
import resource
from typing import Any

import pytest
import structlog.testing

from kaisoumail.cloudflare.calls import recording
from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.errors import (
    CloudflareError,
    CloudflareFault,
    ConnectionLost,
    RateLimited,
    Timeout,
    UnreadableAnswer,
)
from kaisoumail.cloudflare.redaction import Redaction
from tests.cloudflare.stories import Controls, told

MEGABYTE = 1024 * 1024
TOKEN = 'abc-DEF_0123456789/"quoted"+0123456789'


def test_i10_an_answer_that_comes_byte_by_byte_is_given_up_in_time() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        await controls.fault("GET", "/zones", trickleMs=50, fillBytes=-1)

        with pytest.raises(Timeout):
            await client.call("GET", "/zones", list)

    told(story, timeout=1)


@pytest.mark.parametrize("size", [400 * MEGABYTE, -1], ids=["400 MB", "without end"])
def test_i10_an_answer_that_is_too_large_is_not_read_to_its_end(size: int) -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await controls.fault("GET", "/zones", fillBytes=size)

        with pytest.raises(UnreadableAnswer, match="too large"):
            await client.call("GET", "/zones", list)

        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 60

    told(story)


def test_what_its_status_says_of_an_answer_too_large_counts_all_the_same() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        await controls.fault("GET", "/zones", fillBytes=-1, status=429, retryAfter=7)
        await controls.fault("GET", "/zones", fillBytes=-1, status=503)

        with pytest.raises(RateLimited) as limited:
            await client.call("GET", "/zones", list)
        assert limited.value.retry_after == 7
        with pytest.raises(CloudflareFault):
            await client.call("GET", "/zones", list)

    told(story)


def test_an_answer_that_would_have_to_be_unpacked_is_refused_unread() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        await controls.fault("GET", "/zones", content="{}", headers={"content-encoding": "br"})

        with pytest.raises(UnreadableAnswer, match="compressed"):
            await client.call("GET", "/zones", list)

    told(story)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 400, "code": 6003, "message": "cannot use {authorization}"},
        {"status": 500, "code": 1052, "message": "trouble with {authorization}" * 100},
        {"status": 502, "content": "<html>{authorization}</html>"},
        {"content": '{"success": false, "errors": [{"code": 1, "message": "{authorization}"}]}'},
        {"content": "no", "headers": {"cf-ray": "{authorization}"}},
        {"status": 302, "content": "{authorization}", "headers": {"location": "/zones?{authorization}"}},
        {"status": 429, "message": "{authorization}", "retryAfter": 1},
    ],
    ids=lambda fault: str(fault)[:40],
)
def test_i15_a_token_that_is_repeated_in_an_answer_is_stored_nowhere(fault: dict[str, Any]) -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        await controls.fault("GET", "/zones", **fault)

        with structlog.testing.capture_logs() as lines, recording() as calls, pytest.raises(CloudflareError) as caught:
            await client.call("GET", "/zones", list)

        problem = caught.value.problem()
        kept = (str(caught.value), repr(caught.value.args), problem.message, problem.details, calls, lines)
        assert controls.token not in str(kept)
        assert "[token]" in str(kept)

    told(story)


@pytest.mark.parametrize(
    "form",
    ["abc-DEF_0123456789%2F%22quoted%22%2B0123456789", json.dumps(TOKEN)[1:-1], repr(TOKEN)[1:-1], TOKEN.upper()],
)
def test_it_is_found_in_the_forms_it_takes_on_its_way(form: str) -> None:
    error = asyncio.run(_answered(f"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nnot with {form}!"))

    assert error.answer.message == "not with [token]!"


@pytest.mark.parametrize("escaped", [r"\u0061bc-DEF", r"abc\u002dDEF", r"\\\u0061bc-DEF"])
def test_it_is_found_where_json_escapes_its_letters(escaped: str) -> None:
    token = "abc-DEF_0123456789+0123456789"
    body = json.dumps({"name": "X", "plain": 'a\\u0041 \u00e9 "q"'}).encode()
    repeated = body.replace(b"X", escaped.encode() + token.removeprefix("abc-DEF").encode())

    told = json.loads(Redaction(token).body(repeated))

    assert "0123456789" not in str(told)
    assert told["plain"] == 'a\\u0041 é "q"'


@pytest.mark.parametrize("before", [65_536 - 20, 65_536 - 500, 490])
def test_no_half_of_it_is_left_where_a_text_is_cut(before: int) -> None:
    for filling in (" ", "."):
        assert "abc" not in Redaction(TOKEN).text(filling * before + TOKEN * 100)


def test_a_word_that_is_no_token_stays() -> None:
    assert Redaction("token").text("Invalid token") == "Invalid token"


def test_a_header_that_cannot_be_read_is_not_repeated_with_its_token() -> None:
    error = asyncio.run(_answered(f"HTTP/1.1 200 OK\r\nyou sent Bearer {TOKEN}\r\n\r\n"))

    assert isinstance(error, ConnectionLost)
    assert "0123456789" not in str(error)
    assert error.__cause__ is None


def test_a_message_is_one_short_line_of_printable_text() -> None:
    async def story(client: Cloudflare, controls: Controls) -> None:
        await controls.fault("GET", "/zones", status=400, code=1, message="a\x00b\x1b[31m\r\nc\u202ed  " + "e" * 9000)

        with pytest.raises(CloudflareError) as caught:
            await client.call("GET", "/zones", list)

        assert caught.value.answer.message[:16] == "a b [31m c d eee"
        assert len(caught.value.answer.message) == 500

    told(story)


async def _answered(answer: str) -> CloudflareError:
    """What the client makes of *answer*, which is sent as it stands."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer.encode())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        client = Cloudflare(f"http://{host}:{port}", TOKEN)
        try:
            with pytest.raises(CloudflareError) as caught:
                await client.call("GET", "/zones", list)
        finally:
            await client.close()
    return caught.value
