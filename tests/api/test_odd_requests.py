"""Whatever bytes a stranger sends, the answer is a refusal: never an error of ours, and never a hurt connection."""

import http.client
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaisoumail.auth.sessions import COOKIE_NAME
from tests.api_client import code_of
from tests.conftest import an_empty_database
from tests.handing_over import signed
from tests.servers import ADMIN_KEY, UNLIMITED, Product, a_world


@contextmanager
def _line(product: Product) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(product.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


def _pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 1000):
        yield b"x" * 1000


def _headers(media_type: str) -> dict[str, str]:
    """Somebody who may: by key, and by a signature for the hand-over, without a ticket that says how much is coming."""
    handover = signed("ada@mail.customer.com", b"x")
    del handover["x-kaisoumail-ticket"]
    return {**handover, "content-type": media_type, "authorization": f"Bearer {ADMIN_KEY}"}


BODIES = [
    ("/api/mailboxes", "application/json", 70_000),
    ("/api/auth/session", "application/json", 70_000),
    ("/login", "application/x-www-form-urlencoded", 20_000),
    ("/preferences", "application/x-www-form-urlencoded", 20_000),
    ("/api/inbound", "message/rfc822", 1_100_000),
]


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product that takes mails of a million bytes."""
    with a_world(tmp_path_factory.mktemp("world"), MAX_MESSAGE_BYTES="1000000") as world, world.product() as product:
        yield product


@pytest.mark.parametrize("in_chunks", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize(("path", "media_type", "size"), BODIES)
def test_a_body_beyond_its_limit_is_413_with_or_without_its_length(
    narrow: Product, path: str, media_type: str, size: int, in_chunks: bool
) -> None:
    headers = _headers(media_type)
    body = _pieces(size) if in_chunks else b"x" * size

    answer = httpx.post(narrow.url + path, content=body, headers=headers, timeout=60)

    assert answer.status_code == 413


@pytest.mark.parametrize(("path", "media_type", "size"), BODIES)
def test_a_connection_lives_on_after_a_body_that_was_too_large(
    narrow: Product, path: str, media_type: str, size: int
) -> None:
    with _line(narrow) as line:
        line.request("POST", path, b"x" * size, _headers(media_type))
        first = line.getresponse()
        first.read()
        line.request("GET", "/health")

        assert (first.status, line.getresponse().status) == (413, 200)


def test_a_compressed_body_is_never_unpacked(narrow: Product) -> None:
    bomb = zlib.compress(b"0" * 50_000_000, 9)[:60_000]
    headers = {"content-type": "application/json", "content-encoding": "deflate"}

    answer = narrow.admin.post("/api/mailboxes", content=bomb, headers=headers)

    assert (answer.status_code, code_of(answer)) == (400, "malformed_json")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def either(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_server: str
) -> Iterator[Product]:
    """A product on each database, without limits: hundreds of odd requests are sent to it."""
    with ExitStack() as stack:
        where: dict[str, str] = {}
        if request.param == "postgresql":
            where["DATABASE_URL"] = stack.enter_context(an_empty_database(postgres_server))
        world = stack.enter_context(a_world(tmp_path_factory.mktemp("world"), **UNLIMITED, **where))
        yield stack.enter_context(world.product())


_HEADER_BYTES = st.binary(max_size=200).map(lambda b: b.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b""))


def _asked(product: Product, path: str, method: str = "GET", **headers: bytes) -> int:
    """The status of the answer, asked in plain bytes: a client library would not send what is sent here."""
    parts = urlsplit(product.url)
    given = {"host": f"{parts.hostname}".encode(), "content-length": b"0", **headers}
    lines = b"".join(name.replace("_", "-").encode() + b": " + value + b"\r\n" for name, value in given.items())
    with socket.create_connection((str(parts.hostname), parts.port), timeout=60) as line:
        line.sendall(f"{method} {path} HTTP/1.1\r\n".encode() + lines + b"connection: close\r\n\r\n")
        said = b"".join(iter(partial(line.recv, 65536), b""))
    return int(said.split(b" ", 2)[1])


def _token(product: Product) -> str:
    return httpx.post(f"{product.url}/api/auth/session", json={"apiKey": ADMIN_KEY}, timeout=60).cookies[COOKIE_NAME]


@given(_HEADER_BYTES)
@settings(max_examples=40)
def test_odd_cookies_and_keys_are_401_or_400(either: Product, odd: bytes) -> None:
    cookies = (odd, COOKIE_NAME.encode() + b"=" + odd, COOKIE_NAME.encode() + b"=%zz%; x=%ff; " + odd)

    for cookie in cookies:
        assert _asked(either, "/api/mailboxes", cookie=cookie) in (400, 401)
        assert _asked(either, "/workspace", cookie=cookie) in (303, 400, 401)
    for scheme in (b"Bearer ", b"bearer  ", b"Basic ", b""):
        assert _asked(either, "/api/mailboxes", authorization=scheme + odd) in (400, 401)


@pytest.mark.parametrize(
    "path",
    ["/api/messages/%ff%fe", "/api/messages/%00", "/api/mailboxes/%00", "/api/mailboxes/%", "/api/mailboxes/%zz",
     "/api/messages/%f0%9f%92%a9", "/api/mailboxes/" + "x" * 5000, "/api/messages/msg_0/attachments/%00",
     "/api/messages/msg_0/pictures/%ff?ticket=%00%ff", "/api/domains/%00/events",
     "/api/messages?mailbox=%00&mailboxId=%00", "/api/messages?after=%ff", "/api/mailboxes/resolve?address=%00@x.y.z",
     "/api/messages?cursor=%00", "/api/mailboxes?cursor=AAAA%3D%3D%3D", "/api/rejections?cursor=%ff", "/docs/%00",
     "/static/%00", "/static/..%2f..%2fsettings.py", "/messages/%00", "/workspace?mailbox=%00&message=%ff",
     "/domains?details=%00"],
)  # fmt: skip
def test_odd_escapes_are_never_an_error_of_ours(either: Product, path: str) -> None:
    cookie = f"{COOKIE_NAME}={_token(either)}".encode()

    assert _asked(either, path, authorization=b"Bearer " + ADMIN_KEY.encode()) < 500
    assert _asked(either, path, cookie=cookie) < 500


@given(
    _HEADER_BYTES,
    st.sampled_from(["origin", "sec-fetch-site", "host", "x-forwarded-for", "content-type", "hx-current-url"]),
)
@settings(max_examples=60)
def test_i15_odd_headers_are_never_an_error_of_ours(either: Product, odd: bytes, name: str) -> None:
    headers = {name: odd}

    assert _asked(either, "/api/mailboxes", "POST", **headers) < 500
    assert _asked(either, "/login", "POST", **headers) < 500
    assert _asked(either, "/workspace", "GET", **{**headers, "hx_request": b"true"}) < 500


@given(st.binary(max_size=300), st.sampled_from(["/login", "/api/auth/session", "/api/mailboxes", "/preferences"]))
@settings(max_examples=60)
def test_odd_bodies_are_never_an_error_of_ours(either: Product, body: bytes, path: str) -> None:
    media_type = "application/json" if path.startswith("/api") else "application/x-www-form-urlencoded"
    headers = {"content-type": media_type, "authorization": f"Bearer {ADMIN_KEY}"}

    assert httpx.post(either.url + path, content=body, headers=headers, timeout=60).status_code < 500
