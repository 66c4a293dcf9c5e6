"""The whole product before clients that send without end, or hold what others need."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.polling import poll
from tests.servers import ADMIN_KEY, Product, World, a_world

UNFINISHED = b"POST /api/auth/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="module")
def full_of_one_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product that holds four connections of one client that has not authenticated."""
    with (
        a_world(tmp_path_factory.mktemp("full")) as world,
        world.product(HTTP_MAX_CONNECTIONS_PER_CLIENT="4", RATE_LIMIT_PER_ADDRESS_MINUTE="0") as product,
    ):
        yield product


def _connected(product: Product, words: bytes) -> socket.socket:
    url = httpx.URL(product.url)
    connection = socket.create_connection((url.host, url.port or 80), timeout=20)
    connection.sendall(words)
    return connection


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (b"GET /" + b"a" * 70_000, 414, "uri_too_long"),
        (b"GET / HTTP/1.1\r\nHost: " + b"a" * 70_000, 431, "header_fields_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 102, 431, "header_fields_too_large"),
        (b"GET / HTTP/1.1\r\nHost: \0\r\n\r\n", 400, "invalid_request"),
    ],
    ids=["URL", "field", "fields", "a byte that may not be there"],
)
def test_what_no_request_may_be_is_refused_in_the_words_of_the_api(
    product: Product, words: bytes, status: int, code: str
) -> None:
    with _connected(product, words) as connection:
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"x-request-id: req_" in head
    assert json.loads(body)["details"]["code"] == code


def test_behind_a_proxy_one_client_has_only_so_many_requests_at_once(world: World, tmp_path: Path) -> None:
    said = {"x-forwarded-for": "198.51.100.7"}
    with (
        world.product(TRUSTED_PROXIES="127.0.0.1", HTTP_MAX_CONNECTIONS_PER_CLIENT="1") as product,
        _connected(product, UNFINISHED + b"X-Forwarded-For: 198.51.100.7\r\nX-Request-Id: held\r\n\r\n{"),
        httpx.Client(base_url=product.url) as anybody,
    ):
        refused = poll(  # until the first request has been read
            lambda: anybody.get("/api/meta", headers=said), lambda answer: answer.status_code != 200
        )
        other = anybody.get("/api/meta", headers={"x-forwarded-for": "198.51.100.8"})

    assert refused.json()["details"]["code"] == "rate_limited"
    assert refused.headers["retry-after"] == "1"
    assert other.status_code == 200


def test_one_address_may_hold_only_its_connections(world: World) -> None:
    with world.product(HTTP_MAX_CONNECTIONS_PER_CLIENT="20") as product:
        held = [_connected(product, b"GET / HTTP/1.1\r\n") for _ in range(40)]
        try:
            with _connected(product, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") as late:
                answer = late.makefile("rb").read()
        finally:
            for connection in held:
                connection.close()

    assert answer.startswith(b"HTTP/1.1 429 ")


def _first_answer(connection: socket.socket) -> bytes:
    """The status line of an answer, whose connection stays open."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        piece = connection.recv(65536)
        assert piece, "it hung up"
        heard += piece
    return heard.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("request_line", "credential", "status", "fifth"),
    [
        ("GET /api/mailboxes", "", 401, 429),
        ("GET /api/mailboxes", "Authorization: Bearer cfm_not-a-key\r\n", 401, 429),
        ("GET /api/mailboxes", "Cookie: kaisoumail_session=nobody\r\n", 401, 429),
        ("GET /workspace", "", 303, 429),
        ("GET /api/meta", "Authorization: Bearer cfm_not-a-key\r\n", 200, 429),
        ("GET /api/mailboxes", f"Authorization: Bearer {ADMIN_KEY}\r\n", 200, 200),
    ],
)
def test_only_a_credential_that_is_right_makes_a_connection_one_of_somebody_known(
    full_of_one_client: Product, request_line: str, credential: str, status: int, fifth: int
) -> None:
    request = f"{request_line} HTTP/1.1\r\nHost: x\r\n{credential}\r\n".encode()
    held = [_connected(full_of_one_client, request) for _ in range(4)]
    try:
        answers = [_first_answer(connection) for connection in held]
        with _connected(full_of_one_client, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") as late:
            late_answer = _first_answer(late)
    finally:
        for connection in held:
            connection.close()

    assert {int(answer.split()[1]) for answer in answers} == {status}
    assert int(late_answer.split()[1]) == fifth
