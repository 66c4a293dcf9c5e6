"""Bytes that no client sends on purpose: each is refused in the envelope or does no harm, and the connection lives."""

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import an_empty_database
from tests.servers import ADMIN_KEY, Product, a_world

BEARER: Final = {"authorization": f"Bearer {ADMIN_KEY}"}
JSON: Final = {**BEARER, "content-type": "application/json"}
hostile = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Texts that databases, paths and numbers have trouble with.
AWKWARD: Final = (
    "\0",
    "mbx_\0",
    "\ud800",
    "mbx_\udfff0",
    "../../etc/passwd",
    "a/b",
    "%",
    "%00",
    "%2e%2e",
    "'; DROP TABLE users; --",
    "📮",
    "\u202e\u200b",
    "x" * 10_000,
    "9" * 40,
    "-1",
    "1e309",
)
# What httpx can send in a header: the servers of the house never see the rest, their HTTP parser refuses it.
HEADER_BYTES = st.lists(st.integers(0x21, 0xFF).filter(lambda byte: byte != 0x7F), max_size=300).map(bytes)
ESCAPES = st.lists(
    st.one_of(st.integers(0, 255).map(lambda byte: f"%{byte:02x}"), st.sampled_from(["%", "%f", "%zz", "+", "a", "_"])),
    min_size=1,
    max_size=30,
).map("".join)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A running product on each database, with a domain to make mailboxes on."""
    with ExitStack() as stack:
        environment: dict[str, str] = {}
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres_server")
            environment["DATABASE_URL"] = stack.enter_context(an_empty_database(server))
        world = stack.enter_context(a_world(tmp_path_factory.mktemp("world"), **environment))
        product = stack.enter_context(world.product())
        product.active_domain("customer.com")
        yield product


@pytest.fixture(scope="module")
def wire(place: Product) -> Iterator[httpx.Client]:
    """One connection that is used again and again: what breaks it, breaks the next request."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
    with httpx.Client(base_url=place.url, timeout=60, limits=limits) as client:
        yield client


def is_borne(wire: httpx.Client, answer: httpx.Response) -> bool:
    """Whether *answer* is a success or a refusal in the envelope, and the next request is answered."""
    if answer.status_code >= 400:
        body = answer.json()
        assert answer.status_code < 500, body
        assert body.keys() == {"error", "details"}
        assert isinstance(body["details"]["code"], str)
    return wire.get("/api/version").status_code == 200


# who asks


@hostile
@given(raw=HEADER_BYTES)
def test_any_cookie_is_nobody(wire: httpx.Client, raw: bytes) -> None:
    for cookie in (raw, b"kaisoumail_session=" + raw):
        answer = wire.get("/api/mailboxes", headers=[(b"cookie", cookie)])

        assert answer.status_code == 401
        assert is_borne(wire, answer)


@hostile
@given(raw=HEADER_BYTES, scheme=st.sampled_from([b"x", b"Bearer x", b"bearer\tx", b"Basic x", b"Bearer cfm_"]))
def test_any_authorization_is_nobody(wire: httpx.Client, raw: bytes, scheme: bytes) -> None:
    answer = wire.get("/api/mailboxes", headers=[(b"authorization", scheme + raw)])

    assert answer.status_code == 401
    assert is_borne(wire, answer)


@hostile
@given(key=st.text(max_size=600))
def test_signing_in_with_any_text_is_refused(wire: httpx.Client, key: str) -> None:
    answer = wire.post("/api/auth/session", json={"apiKey": key})

    assert answer.status_code in (400, 401)
    assert is_borne(wire, answer)


# where


@hostile
@given(escapes=ESCAPES)
@pytest.mark.parametrize(
    "path", ["/api/{}", "/api/mailboxes/{}", "/api/messages/{}/raw", "/api/messages/m/pictures/{}"]
)
def test_any_escapes_in_a_path_are_borne(wire: httpx.Client, path: str, escapes: str) -> None:
    answer = wire.send(_raw(wire, path.format(escapes)))

    assert answer.status_code in (400, 404, 405)
    assert is_borne(wire, answer)


@hostile
@given(escapes=ESCAPES)
@pytest.mark.parametrize(
    "query",
    [
        "/api/mailboxes?status={}&cursor={}",
        "/api/mailboxes/resolve?address={}@a.example",
        "/api/messages?mailbox={}&mailboxId={}",
        "/api/messages/wait?timeout=0&from={}&mailbox={}",
        "/api/audit?actorId={}&action={}",
        "/api/rejections?domain={}",
        "/api/api-keys?userId={}",
    ],
)
def test_any_escapes_in_a_query_are_borne(wire: httpx.Client, query: str, escapes: str) -> None:
    assert is_borne(wire, wire.send(_raw(wire, query.replace("{}", escapes))))


def _raw(wire: httpx.Client, target: str) -> httpx.Request:
    """A GET of exactly *target*, which httpx would otherwise tidy."""
    return wire.build_request("GET", "/", headers=BEARER, extensions={"target": target.encode("ascii")})


ROUTES_WITH_IDS: Final = [
    ("GET", "/api/mailboxes/{}"),
    ("GET", "/api/mailboxes/{}/wait?timeout=0"),
    ("GET", "/api/messages/{}"),
    ("GET", "/api/messages/{}/html"),
    ("GET", "/api/messages/{}/attachments/att_0"),
    ("DELETE", "/api/messages/{}"),
    ("POST", "/api/messages/{}/read"),
    ("POST", "/api/api-keys/{}/rename"),
    ("POST", "/api/api-keys/{}/revoke"),
    ("DELETE", "/api/sessions/{}"),
    ("POST", "/api/users/{}"),
    ("POST", "/api/users/{}/disable"),
    ("DELETE", "/api/users/{}"),
    ("GET", "/api/domains/{}/events"),
    ("GET", "/api/domains/{}/capacity"),
    ("POST", "/api/domains/{}/retry"),
    ("POST", "/api/domains/{}/delete"),
    ("POST", "/api/domains/{}/disable"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES_WITH_IDS)
def test_an_awkward_id_is_of_nothing(wire: httpx.Client, method: str, path: str) -> None:
    body = json.dumps({"read": True, "name": "Another"})
    for awkward in AWKWARD:
        escaped = "".join(f"%{byte:02x}" for byte in awkward.encode("utf-8", "surrogatepass"))
        request = wire.build_request(
            method, "/", content=body, headers=JSON, extensions={"target": path.format(escaped).encode()}
        )

        answer = wire.send(request)

        assert answer.status_code in (400, 404, 405), awkward[:40]
        assert is_borne(wire, answer)


# what is said

FIELDS: Final = [
    ("/api/mailboxes", ("localPart", "subdomain", "mailDomain", "rootDomain", "expiresInMinutes")),
    ("/api/mailboxes/ensure", ("address", "expiresInMinutes")),
    ("/api/mailboxes/ensure", ("localPart", "subdomain", "mailDomain")),
    ("/api/messages/msg_0/read", ("read",)),
    ("/api/api-keys", ("name", "scopes", "expiresAt", "mailboxId", "domainId", "userId")),
    ("/api/users", ("email", "name", "role")),
    ("/api/domains/bind", ("mailDomain", "rootDomain")),
    ("/api/domains", ("mailDomain", "zoneId")),
]
NUMBERS: Final = ("1e400", "-1e400", "9" * 400, "18446744073709551616", "-9223372036854775809", "0.1e-400", "60.0")
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=40),
        st.sampled_from(AWKWARD),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@hostile
@given(data=st.data())
@pytest.mark.parametrize(("path", "fields"), FIELDS, ids=str)
def test_any_values_in_a_body_are_borne(
    wire: httpx.Client, path: str, fields: tuple[str, ...], data: st.DataObject
) -> None:
    body = {field: data.draw(VALUES) for field in data.draw(st.sets(st.sampled_from(fields)))}

    assert is_borne(wire, wire.post(path, content=json.dumps(body), headers=JSON))


@pytest.mark.parametrize(("path", "fields"), FIELDS, ids=str)
def test_awkward_texts_in_a_body_are_borne(wire: httpx.Client, path: str, fields: tuple[str, ...]) -> None:
    for awkward in AWKWARD:
        for usual in ({}, {"name": "Usual", "zoneId": "0", "email": "new@people.example"}):
            body = {name: text for name, text in usual.items() if name in fields}
            for field in fields:
                assert is_borne(wire, wire.post(path, content=json.dumps({**body, field: awkward}), headers=JSON))


@pytest.mark.parametrize(("path", "fields"), FIELDS, ids=str)
def test_awkward_numbers_in_a_body_are_borne(wire: httpx.Client, path: str, fields: tuple[str, ...]) -> None:
    for number in NUMBERS:
        body = "{" + ", ".join(f'"{field}": {number}' for field in fields) + "}"

        assert is_borne(wire, wire.post(path, content=body, headers=JSON))


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xff\xfe"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "a", "name": 5}',
        b'{"name": "a",}',
        b"\xef\xbb\xbf{}",
        b'{"name": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"name": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
        json.dumps({"name": math.pi}).encode(),
        json.dumps({str(number): number for number in range(3000)}).encode(),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_json_that_is_none_or_says_nothing_is_refused(wire: httpx.Client, body: bytes) -> None:
    answer = wire.post("/api/api-keys", content=body, headers=JSON)

    assert answer.status_code == 400
    assert is_borne(wire, answer)


@hostile
@given(raw=st.binary(max_size=200))
def test_any_bytes_as_a_body_are_borne(wire: httpx.Client, raw: bytes) -> None:
    answer = wire.post("/api/mailboxes", content=raw, headers=JSON)

    assert answer.status_code == 400
    assert is_borne(wire, answer)


@pytest.mark.parametrize(
    "query",
    [
        "/api/messages?after=0001-01-01T00:00:00%2B14:00",
        "/api/messages?since=9999-12-31T23:59:59-14:00",
        "/api/messages/wait?timeout=0&since=0001-01-01T00:00:00%2B23:59",
        "/api/messages/wait?timeout=0&since=c999999999999999999",
        "/api/messages?cursor=p99999999999999.mbx_0",
        "/api/mailboxes?cursor=p99999999999999.mbx_0",
        "/api/rejections?cursor=999999999999999-rej_" + "0" * 32,
        "/api/audit?cursor=4611686018427387904",
        "/api/mailboxes?status=active%0A",
        "/api/messages?mailbox=%00&mailboxId=%00",
        "/api/messages?mailbox=%ed%a0%80",
        "/api/audit?actorId=%00",
        "/api/rejections?domain=%00",
    ],
)
def test_places_and_times_at_the_edge_are_borne(wire: httpx.Client, query: str) -> None:
    assert is_borne(wire, wire.send(_raw(wire, query)))


def test_any_last_event_id_is_borne(wire: httpx.Client) -> None:
    for given_id in ("c999999999999999999", "c-1", "é", "x" * 10_000, "%00"):
        headers: dict[str, Any] = {**BEARER, "last-event-id": given_id.encode()}
        with httpx.stream("GET", f"{wire.base_url}/api/events", headers=headers, timeout=60) as stream:
            assert stream.status_code in (200, 400)
