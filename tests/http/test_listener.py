"""Everything a client may send to the HTTP listener has a size, a count and a time (findings I1, I2 of 30 Nov 2026)."""

import asyncio
import gc
import json
import logging
import socket
import weakref

import pytest

from kaisoumail.http.limits import RequestBounds
from kaisoumail.http.protocol import BoundedHttpProtocol
from kaisoumail.network.connection_budget import ConnectionLimits
from kaisoumail.network.request_queue import AT_ONCE
from tests.http.http_listener import GET, LARGE, Listener, left_open, listening
from tests.polling import PATIENCE_SECONDS

QUICK = RequestBounds(head=0.2, silence=0.2, body=0.6, linger=0.2, linger_total=0.4, answer_stall=0.2, check=0.01)
ENDLESS = {
    "URL": (b"GET /", b"a" * 30_000, 414),
    "header value": (b"GET / HTTP/1.1\r\nHost: ", b"a" * 30_000, 431),
    "header name": (b"GET / HTTP/1.1\r\n", b"a" * 30_000, 431),
    "header lines": (b"GET / HTTP/1.1\r\n", b"X-A: b\r\n" * 4_000, 431),
    "large header lines": (b"GET / HTTP/1.1\r\n", b"X-A: " + b"b" * 9_000 + b"\r\n", 431),
    "line ends before it": (b"", b"\r\n" * 15_000, 431),
    "method": (b"", b"G" * 30_000, 400),
    "HTTP/2 preface": (b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 500, 400),
    "chunk extension": (b"POST /read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"e" * 30_000, 400),
    "trailer": (b"POST /read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"e" * 30_000, 400),
    "trailer fields": (b"POST /read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: e\r\n" * 4_000, 431),
    "one byte chunks": (b"POST /read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 5_000, 400),
    "chunk size": (b"POST /read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 30_000, 400),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_i1_a_request_that_never_ends_is_refused_as_a_problem_of_the_api(what: str) -> None:
    first, piece, status = ENDLESS[what]

    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(first)
            sent = await connection.flood(piece, 20_000_000)
            answer = await connection.rest()
        assert sent < 10_000_000
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), answer[:300]
        assert set(json.loads(body)) == {"error", "details"}

    listening(story)


@pytest.mark.parametrize("what", ["URL", "header lines"])
def test_i1_others_are_answered_while_one_sends_without_end(what: str) -> None:
    first, piece, _ = ENDLESS[what]

    async def story(listener: Listener) -> None:
        async with listener.connected() as hostile, listener.connected() as ordinary:
            await hostile.say(first)
            flooding = asyncio.create_task(hostile.flood(piece, 50_000_000))
            for _ in range(20):
                await ordinary.say(GET)
                assert (await ordinary.head()).startswith(b"HTTP/1.1 200")
            await flooding

    listening(story)


def test_a_request_of_just_the_allowed_size_is_answered() -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 600) for number in range(98))

    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(b"GET /" + b"u" * 4_000 + b" HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n")
            assert (await connection.head()).startswith(b"HTTP/1.1 200")

    listening(story)


def test_a_large_body_and_a_request_in_every_two_packets_go_through() -> None:
    request = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + GET

    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(
                b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + b"b" * 3_000_000
            )
            await connection.head()
            for place in range(1, len(request)):
                await connection.say(request[:place])
                await asyncio.sleep(0)
                await connection.say(request[place:])
                await connection.head()
                await connection.head()
        assert listener.bodies == [3_000_000] + [5] * (len(request) - 1)

    listening(story)


def test_chunks_of_an_ordinary_size_go_through() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(500):
                await connection.say(b"400\r\n" + b"c" * 1024 + b"\r\n")
            await connection.say(b"0\r\n\r\n")
            await connection.head()
        assert listener.bodies == [512_000]

    listening(story)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"", b""),
        (b"\r\n", b"HTTP/1.1 408"),
        (b"GET / HTTP/1.1\r\nHost", b"HTTP/1.1 408"),
        (b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", b"HTTP/1.1 408"),
        (b"POST /read HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n", b"HTTP/1.1 100"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", b"HTTP/1.1 200"),
        (GET, b"HTTP/1.1 200"),
    ],
    ids=["nothing", "a line end", "half a head", "half a body", "no body", "body nobody wants", "a whole request"],
)
def test_i2_a_client_that_stops_sending_is_disconnected(said: bytes, status: bytes) -> None:
    async def story(listener: Listener) -> None:
        assert (await listener.ask(said)).startswith(status)

    listening(story, QUICK)


def test_who_does_not_hang_up_after_a_refusal_is_hung_up_on() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
            await listener.until(lambda: listener.limits.budget.open == 0)
            assert (await connection.rest()).startswith(b"HTTP/1.1 408")

    listening(story, QUICK)


@pytest.mark.parametrize("drip", [b"X-A: b\r\n", b"\r\n"], ids=["fields", "line ends"])
def test_i2_a_head_that_comes_byte_by_byte_is_not_waited_for(drip: bytes) -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(b"" if drip == b"\r\n" else b"GET / HTTP/1.1\r\n")
            ended = asyncio.create_task(connection.rest())
            while not ended.done():
                await connection.say(drip)
                await asyncio.wait([ended], timeout=0.02)
            assert ended.result().startswith(b"HTTP/1.1 408")

    listening(story, QUICK)


def test_i2_a_body_that_comes_byte_by_byte_is_not_waited_for() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n")
            ended = asyncio.create_task(connection.rest())
            while not ended.done():
                await connection.say(b"x")
                await asyncio.wait([ended], timeout=0.02)
            assert ended.result().startswith(b"HTTP/1.1 408")

    listening(story, QUICK)


def test_who_does_not_read_its_answer_is_hung_up_on() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            connection.reader._transport.pause_reading()  # type: ignore[attr-defined]
            await connection.say(GET.replace(b" / ", b" /large "))
            await listener.until(lambda: "http.answer_not_read" in listener.limits.refusals.totals())
            connection.reader._transport.resume_reading()  # type: ignore[attr-defined]
            assert len(await connection.rest()) < LARGE

    listening(story, QUICK)


def test_a_connection_whose_body_ends_after_its_answer_is_not_kept_for_ever() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nha")
            await connection.head()
            await connection.say(b"lf")
            assert await connection.rest() == b""

    listening(story, RequestBounds(linger=30, check=0.01))


def test_a_long_poll_is_not_cut_off() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(GET.replace(b" / ", b" /hold "))
            answer = asyncio.create_task(connection.head())
            await asyncio.wait([answer], timeout=1.0)
            assert not answer.done()
            listener.released.set()
            assert (await answer).startswith(b"HTTP/1.1 200")

    listening(story, QUICK)


def test_only_so_many_requests_wait_on_one_connection() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(GET.replace(b" / ", b" /hold ") + GET * 9_000)
            await listener.until(lambda: "http.rate_limited" in listener.limits.refusals.totals())
            listener.released.set()
            answers = await connection.rest()
        assert answers.count(b"HTTP/1.1 200") == 17

    listening(story)


@pytest.mark.parametrize(
    "wrong",
    [
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"nothing known\r\n\r\n",
        b"POST /read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["CONNECT", "no URL", "no request", "no chunk"],
)
@pytest.mark.parametrize("before", [1, 3])
def test_what_is_wrong_with_a_request_is_no_answer_to_those_before_it(wrong: bytes, before: int) -> None:
    """Stored, and answered 400: the sender would have sent the message again."""

    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(GET.replace(b" / ", b" /hold ") + GET * (before - 1) + wrong)
            await listener.until(lambda: "http.invalid_request" in listener.limits.refusals.totals())
            listener.released.set()
            answers = await connection.rest()
        assert answers.count(b"HTTP/1.1 200") == before
        assert answers.count(b"HTTP/1.1") == before

    listening(story, QUICK)


@pytest.mark.parametrize("path", [b"/", b"/fields"], ids=["answered before its body", "answered after it"])
def test_a_request_keeps_its_headers_wherever_the_packets_are_cut(path: bytes) -> None:
    first = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
    rest = b"bodyPOST /fields HTTP/1.1\r\nHost: x\r\nX-Key: k\r\nContent-Length: 2\r\n\r\nok"

    async def story(listener: Listener) -> None:
        for place in range(len(rest)):
            async with listener.connected() as connection:
                await connection.say(first)
                if path == b"/":
                    await connection.head()
                await connection.say(rest[:place])
                await asyncio.sleep(0)
                await connection.say(rest[place:])
                await connection.head()
                if path != b"/":
                    await connection.head()
        assert listener.fields.count([b"host", b"x-key", b"content-length"]) == len(rest)

    listening(story)


def test_a_trailer_is_no_header() -> None:
    trailed = b"POST /fields HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"

    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(trailed + GET)
            await connection.head()
            await connection.head()
        assert listener.fields == [[b"transfer-encoding"]]

    listening(story)


@pytest.mark.parametrize("how", [b"HTTP/1.1\r\nConnection: close", b"HTTP/1.0"], ids=["close", "HTTP/1.0"])
def test_who_is_answered_while_it_sends_reads_the_answer_though_the_connection_ends(how: bytes) -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(b"POST / " + how + b"\r\nContent-Length: 900000\r\n\r\n" + b"x" * 400_000)
            await connection.say(b"x" * 100_000)
            assert (await connection.head()).startswith(b"HTTP/1.1 200")
            await connection.say(b"x" * 400_000)
            assert await connection.rest() == b""

    listening(story)


def test_resets_at_any_moment_end_every_answer_and_raise_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def story(listener: Listener) -> None:
        for number in range(60):
            connection = await listener.connect()
            await connection.say(GET.replace(b" / ", b" /hold ") + GET * (number % 17))
            for _ in range(number % 5):
                await asyncio.sleep(0)
            connection.writer.transport.abort()
        listener.released.set()
        await listener.until(lambda: listener.limits.budget.open == 0)

    listening(story)

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_requests_that_wait_are_answered_in_order() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(GET * 10)
            assert [(await connection.head())[:12] for _ in range(10)] == [b"HTTP/1.1 200"] * 10

    listening(story)


def test_an_upgrade_is_answered_as_an_ordinary_request() -> None:
    async def story(listener: Listener) -> None:
        asked = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        answer = await listener.ask(asked + b"\x81\x05hello" * 100)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer

    listening(story, QUICK)


def test_i2_one_address_gets_only_its_connections_and_is_told_why() -> None:
    async def story(listener: Listener) -> None:
        inside = [await listener.connect() for _ in range(3)]
        await listener.until(lambda: listener.limits.budget.open == 3)
        assert (await listener.ask(GET)).startswith(b"HTTP/1.1 429")
        for connection in inside:
            await connection.close()
        await listener.until(lambda: listener.limits.budget.open == 0)
        async with listener.connected() as connection:
            await connection.say(GET)
            assert (await connection.head()).startswith(b"HTTP/1.1 200")

    listening(story, connections=ConnectionLimits(total=10, per_client=3))


def test_a_client_with_many_requests_delays_another_by_few_of_them() -> None:
    async def story(listener: Listener) -> None:
        hold = b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
        many = [await listener.connect("127.0.0.2") for _ in range(60)]
        for connection in many:
            await connection.say(hold)
        async with listener.connected() as other:
            await other.say(GET)
            await other.head()

        assert listener.begun.count("/hold") <= 2 * AT_ONCE
        listener.released.set()
        for connection in many:
            await connection.head()
            await connection.close()

    listening(story)


def test_a_connection_that_has_ended_leaves_nothing_for_the_garbage_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: weakref.WeakSet[BoundedHttpProtocol] = weakref.WeakSet()
    begin = BoundedHttpProtocol.connection_made

    def noted(self: BoundedHttpProtocol, transport: asyncio.Transport) -> None:
        made.add(self)
        begin(self, transport)

    monkeypatch.setattr(BoundedHttpProtocol, "connection_made", noted)
    gc.disable()

    async def story(listener: Listener) -> None:
        for _ in range(20):
            assert await listener.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await listener.until(lambda: listener.limits.budget.open == 0)

        assert len(made) <= 1

    try:
        listening(story)
    finally:
        gc.enable()


def test_connections_that_arrive_together_are_accepted_several_at_a_time() -> None:
    async def story(listener: Listener) -> None:
        address = ("127.0.0.1", listener.port)
        connections = [socket.create_connection(address) for _ in range(160)]  # the loop does nothing meanwhile
        rounds = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while listener.limits.budget.open < 160:
                await asyncio.sleep(0)
                rounds += 1
        for connection in connections:
            connection.close()

        assert rounds < 80

    listening(story, connections=ConnectionLimits(total=1000, per_client=1000))


def test_hundreds_of_refused_connections_are_all_let_go() -> None:
    async def story(listener: Listener) -> None:
        inside = [await listener.connect() for _ in range(300)]
        await listener.until(lambda: listener.limits.refusals.totals().get("http.client_full") == 298)
        for connection in inside[2:]:
            await connection.rest()
        for connection in inside:
            await connection.close()

    listening(story, connections=ConnectionLimits(total=2, per_client=2))


def test_who_proves_who_it_is_gets_in_where_strangers_hold_all_that_is_theirs() -> None:
    async def story(listener: Listener) -> None:
        strangers = [await listener.connect() for _ in range(2)]
        await listener.until(lambda: listener.limits.budget.open == 2)
        stranger = await listener.ask(GET)
        async with listener.connected() as known:
            await known.say(GET.replace(b" / ", b" /known "))
            assert b"connection: close" not in await known.head()
            await known.say(GET)
            await known.head()
        for connection in strangers:
            await connection.close()
        assert stranger.startswith(b"HTTP/1.1 200"), "answered, but let go"

    listening(story, connections=ConnectionLimits(total=6, per_client=6, reserved_for_authenticated=4))


def test_a_connection_that_was_known_ends_with_a_hand_over_that_nobody_signed() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(GET.replace(b" / ", b" /known "))
            await connection.head()
            await connection.say(GET.replace(b" / ", b" /not-signed "))
            await connection.head()
            await connection.say(GET)
            assert await connection.rest() == b""

    listening(story, RequestBounds(head=60, check=0.01))


def test_a_known_connection_whose_hand_over_is_refused_while_it_is_sent_hears_why() -> None:
    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            await connection.say(GET.replace(b" / ", b" /known "))
            await connection.head()
            await connection.say(b"POST /not-signed HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n")
            await asyncio.gather(*(connection.say(b"x" * 100_000) for _ in range(5)))
            assert (await connection.rest()).startswith(b"HTTP/1.1 200")

    listening(story, RequestBounds(head=60, check=0.01, linger=0.5))


def test_a_refused_upload_is_read_to_its_end_while_it_goes_on() -> None:
    """A client that reads no answer before it has sent everything would lose it, and try again."""

    async def story(listener: Listener) -> None:
        async with listener.connected() as connection:
            pieces, never = 100, asyncio.get_running_loop().create_future()
            await connection.say(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {1000 * pieces}\r\n\r\n".encode())
            answer = await connection.head()
            for _ in range(pieces):
                await connection.say(b"x" * 1000)
                await asyncio.wait([never], timeout=0.01)
            await connection.say(GET)
            assert answer.startswith(b"HTTP/1.1 200")
            assert (await connection.head()).startswith(b"HTTP/1.1 200")

    listening(story, RequestBounds(linger=0.2, linger_total=60, check=0.01))


def test_whoever_says_nothing_on_a_place_kept_for_others_loses_it_soon() -> None:
    async def story(listener: Listener) -> None:
        strangers = [await listener.connect() for _ in range(2)]
        await listener.until(lambda: listener.limits.budget.open == 2)
        assert await listener.ask(b"") == b""
        for connection in strangers:
            await connection.close()

    bounds = RequestBounds(head=60, stressed=60, probation=0.1, check=0.01)
    listening(story, bounds, ConnectionLimits(total=6, per_client=6, reserved_for_authenticated=4))


def test_the_end_is_not_held_up_by_strangers(caplog: pytest.LogCaptureFixture) -> None:
    post = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"

    heard = left_open([b"", GET[:20], post + b"half", GET.replace(b" / ", b" /large ")])

    assert heard[2].startswith(b"HTTP/1.1 408")
    assert not [record for record in caplog.records if "timeout graceful shutdown exceeded" in record.message]
