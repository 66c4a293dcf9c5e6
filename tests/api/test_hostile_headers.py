"""Values that no client sends on purpose, in every header the product reads, on every route: none is a crash."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaisoumail.auth.sessions import COOKIE_NAME
from kaisoumail.web import app as web
from tests.api.asking import ASKS
from tests.servers import ADMIN_KEY, UNLIMITED, Product, a_world

SOURCE: Final = Path(__file__).parents[2] / "src" / "kaisoumail"
_READ: Final = re.compile(
    r"headers\.get\(\s*b?\"([a-z0-9-]+)\"|\bb\"([a-z]+-[a-z0-9-]+)\"|headers\[b?\"([a-z0-9-]+)\"\]"
)
# What the framework and the server read by themselves.
_THEIRS: Final = {"accept", "content-type", "cookie", "expect", "host", "range", "referer", "te", "upgrade"}
# Who asks is not varied where every route is asked: all of them would answer 401.
_IDENTITY: Final = {"authorization", "cookie", "host", "content-length"}
# They end when something happens, or ask Cloudflare a dozen times.
_SLOW: Final = ("/api/events", "/api/domains/token-check", "/domains/token")
HEADERS: Final = sorted(
    {next(filter(None, found)) for file in SOURCE.rglob("*.py") for found in _READ.findall(file.read_text())} | _THEIRS
)
CRASHES: Final = (500, 501)  # 502 and 503 are said on purpose: of Cloudflare, of passkeys that are not set up
HOSTILE: Final = (
    b"",
    b"http://[",
    b"http://[::1/workspace",
    b"http://a]b/?c=d",
    b"//[v1.x]:99999999/",
    b"http://host:port/",
    b"http://\xe2\x84\x80.example/",
    b"\x01\x02\x1f",
    b"\xff\xfe\x80",
    b"x" * 8000,
    b"9" * 5000,
    b"\xb2",
    b"\xd9\xa3",
    b"-1",
    b"nan",
    b"en;q=1e999, zh;q=inf, *;q=x, ;;q=,,",
    b"%",
    b"%ff%zz%00%0d%0aset-cookie:%20a=b",
    b"====",
    b'a="b; c="d',
    b"text/html; charset=[; boundary=",
    b"bytes=9-1,-,x-",
    b"0001-01-01T00:00:00+23:59",
)
_HANDLERS: Final[list[Any]] = [page for pages in web.PAGES.values() for page in pages]
PAGES: Final = sorted(
    (method, path.replace(":str", ""))
    for page in _HANDLERS
    for path in page.paths
    for method in page.http_methods
    if method in ("GET", "POST") and path not in ("/logout", *_SLOW)
)
ROUTES: Final = [*PAGES, *((ask.method, ask.path) for ask in ASKS if ask.path not in _SLOW)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product whose one client is a trusted proxy too, so that what proxies say is read."""
    environment = {**UNLIMITED, "TRUSTED_PROXIES": "127.0.0.1"}
    with a_world(tmp_path_factory.mktemp("world"), **environment) as world, world.product() as product:
        yield product


@pytest.fixture(scope="module")
def cookie(place: Product) -> bytes:
    """The cookie of a session of the admin's."""
    answer = httpx.post(f"{place.url}/api/auth/session", json={"apiKey": ADMIN_KEY})
    return f"{COOKIE_NAME}={answer.cookies[COOKIE_NAME]}".encode()


@pytest.fixture(scope="module")
def wire(place: Product) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=place.url, timeout=60) as client:
        yield client


def _asked(wire: httpx.Client, method: str, path: str, headers: dict[str, bytes]) -> int:
    """The status of the answer; a body is sent where there may be one."""
    target = re.sub(r"\{[a-z_]+\}", "nothing", path) + ("?timeout=0" if path.endswith("/wait") else "")
    pairs: Any = [(name.encode(), value) for name, value in headers.items()]
    return wire.request(method, target, headers=pairs, content=b"a=b" if method == "POST" else None).status_code


def test_the_headers_that_are_read_are_found_in_the_source() -> None:
    assert {"authorization", "hx-current-url", "x-forwarded-for", "origin", "last-event-id"} <= set(HEADERS)


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda part: part)
def test_hostile_values_in_all_headers_at_once_are_no_crash_of_any_route(
    wire: httpx.Client, cookie: bytes, method: str, path: str
) -> None:
    for value in HOSTILE:
        headers = {name: value for name in HEADERS if name not in _IDENTITY}
        for more in ({"hx-request": b"true"}, {"cookie": cookie}):
            assert _asked(wire, method, path, {**headers, **more}) not in CRASHES, (value[:40], more)


@pytest.mark.parametrize("name", [name for name in HEADERS if name != "content-length"])
def test_a_hostile_value_in_one_header_is_no_crash(wire: httpx.Client, cookie: bytes, name: str) -> None:
    for value in HOSTILE:
        for path in ("/workspace", "/login", "/api/messages", "/static/page.css", "/no/such/page"):
            for more in ({"hx-request": b"true"}, {"cookie": cookie}):
                assert _asked(wire, "GET", path, {**more, name: value}) not in CRASHES, (path, value[:40])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text("/:[]@?#%&=;,.\"'\\ \x7f²é0aA", max_size=60), name=st.sampled_from(HEADERS))
def test_any_value_in_one_header_is_no_crash(wire: httpx.Client, cookie: bytes, value: str, name: str) -> None:
    if name in ("content-length", "host"):
        return
    for path in ("/workspace", "/api/messages"):
        for more in ({"hx-request": b"true"}, {"cookie": cookie}):
            assert _asked(wire, "GET", path, {**more, name: value.strip().encode("latin-1")}) not in CRASHES, path


QUERIES: Final = sorted(
    {
        key
        for file in (SOURCE / "web").glob("*.py")
        for key in re.findall(r"(?:asked|query_params|form)(?:\.get\(|\[)\"([a-z_]+)\"", file.read_text())
    }
)
VALUES: Final = (*HOSTILE, "\u2100".encode(), b"\xed\xa0\x80", "\u202e\u0660".encode(), b"\0")


@pytest.mark.parametrize(("method", "path"), PAGES, ids=lambda part: part)
def test_hostile_values_in_queries_and_forms_are_no_crash_of_any_page(
    wire: httpx.Client, cookie: bytes, method: str, path: str
) -> None:
    target = re.sub(r"\{[a-z_]+\}", "nothing", path)
    for value in VALUES:
        text = "".join(f"%{byte:02x}" for byte in value)
        fields = "&".join(f"{key}={text[:300]}" for key in QUERIES)
        headers: dict[str, Any] = {"cookie": cookie, "content-type": "application/x-www-form-urlencoded"}
        if method == "GET":
            answer = wire.get(f"{target}?{fields}", headers=headers)
        else:
            answer = wire.post(target, content=fields, headers=headers)
        assert answer.status_code not in CRASHES, value[:40]


def test_nothing_reads_the_url_that_is_put_together_with_the_host_header() -> None:
    reading = [
        str(file)
        for file in SOURCE.rglob("*.py")
        if re.search(r"\b(request|connection)\.(base_)?url\.", file.read_text())
    ]

    assert reading == []
